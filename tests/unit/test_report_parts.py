"""Parts of the auditors' report without a database: findings added up, the lines that reproduce, texts in two languages."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from include.report import TEMPLATES, _kind, reproduce
from include.report.tally import Tallies
from include.report.text import Text, code_label, plural

SIMULATED = "python:include.lab.source:deliver --accounts 40 --days 45 --seed 1"


def finding(rule: str = "MET-02", key: str = "1", since: str | None = "new", **other) -> dict:
    made = {
        "rule_id": rule,
        "key_text": key,
        "since": since,
        "state": "open",
        "severity": "warn",
        "office": "metering office",
    }
    made |= {"source_name": "metering", "table_name": "met_meter", "age_days": 0}
    return made | dict.fromkeys(("error_cny", "error_kwh", "exposure_cny", "exposure_kwh")) | other


def test_a_record_counts_once_with_its_largest_amount():
    tallies = Tallies(10)
    tallies.add(finding(error_cny=Decimal(5), exposure_cny=Decimal(70)))
    tallies.add(finding("XSR-03", error_cny=Decimal(8)))
    tallies.add(finding("XSR-03", "2", exposure_cny=Decimal(30)))
    tallies.add(finding("XSR-03", "3"))
    assert (tallies.all.open.error_cny, tallies.all.open.exposure_cny) == (8, 100)
    assert tallies.all.open.without_amount == 1
    assert [(rule.name, rule.open.error_cny) for rule in tallies.rules] == [("XSR-03", 8), ("MET-02", 5)]


def test_findings_are_new_repeated_or_gone_and_waived_and_following_ones_are_apart():
    tallies = Tallies(10)
    tallies.add(finding(key="1", error_cny=Decimal(1)))
    tallies.add(finding(key="2", since="repeated", age_days=4, error_cny=Decimal(2)))
    tallies.add(finding(key="3", since="gone", state="fixed", error_cny=Decimal(4)))
    tallies.add(finding(key="4", since=None, state="fixed", error_cny=Decimal(8)))  # came and went in one night
    tallies.add(finding(key="5", since="repeated", state="waived", error_cny=Decimal(16)))
    tallies.add(finding(key="6", state="dependant", error_cny=Decimal(32)))
    counts = tallies.all.counts
    assert [counts[name] for name in ("open", "new", "repeated", "gone", "waived")] == [2, 1, 1, 1, 1]
    assert (tallies.all.open.error_cny, tallies.all.new.error_cny, tallies.all.gone.error_cny) == (3, 1, 4)
    assert (tallies.all.oldest, tallies.listed) == (4, 5)


def test_the_page_has_the_findings_with_most_yuan_and_those_that_block():
    tallies = Tallies(3)
    for n in range(6):
        tallies.add(finding(key=str(n), error_cny=Decimal(n)))
    tallies.add(finding("PIP-01", "b", severity="block"))
    assert [shown["key_text"] for shown in tallies.largest] == ["5", "4", "b"]


def load(run: int, day: int, by: str | None, source: str = "metering", channel: str = "auto") -> dict:
    return {
        "run_id": run,
        "business_date": date(2026, 11, day),
        "started_at": datetime(2026, 11, day + 1, tzinfo=UTC),
        "source_name": source,
        "channel": channel,
        "delivered_by": by,
        "profile": None,
    }


def lines(loads: list[dict], decisions: tuple = ()) -> list[str]:
    return reproduce._lines(reproduce._nights(loads), list(decisions))


def test_nights_that_are_delivered_alike_are_one_command():
    loads = [
        load(1, 1, SIMULATED),
        load(2, 2, SIMULATED),
        load(3, 3, f"{SIMULATED} --defects 7"),
        load(4, 3, SIMULATED),
    ]
    same = "--accounts 40 --days 45 --seed 1"
    assert lines(loads) == [
        f"./kaw run --from 2026-11-01 --to 2026-11-02 {same}",
        f"./kaw run --date 2026-11-03 {same} --defects 7",
        f"./kaw run --date 2026-11-03 {same}",
    ]
    assert lines([load(1, 1, SIMULATED), load(2, 5, SIMULATED)]) == [
        f"./kaw run --date 2026-11-01 {same}",
        f"./kaw run --date 2026-11-05 {same}",
    ]


def test_own_sources_are_named_and_a_decision_stands_between_the_nights():
    night = [
        ("/srv/my meters", "metering", "auto"),
        ("postgresql://reader:***@db/m", "marketing", "auto"),
        ("/srv/forms", "marketing", "form"),
    ]
    loads = [load(run, run, by, source, channel) for run in (1, 2) for by, source, channel in night]
    signed = {
        "rule_id": "XSR-03",
        "scope": "all",
        "approver": "A. Auditor",
        "reason": "it's known",
        "valid_until": "2026-12-31",
    }
    waiver = {"entry_no": 9, "at": datetime(2026, 11, 2, 12, tzinfo=UTC), "event": "waiver", "detail": signed}
    variables = "KAW_SOURCE_FORMS=/srv/forms KAW_SOURCE_MARKETING='postgresql://reader:***@db/m' KAW_SOURCE_METERING='/srv/my meters'"
    assert lines(loads, (waiver,)) == [
        f"{variables} ./kaw run --date 2026-11-01",
        """./kaw waive XSR-03 --scope all --approver 'A. Auditor' --reason 'it'"'"'s known' --until 2026-12-31""",
        f"{variables} ./kaw run --date 2026-11-02",
    ]


def test_a_night_is_made_again_with_the_profile_that_it_had():
    loads = [load(1, 1, "/srv/m"), load(2, 2, "/srv/m") | {"profile": "/srv/our profile"}]
    assert lines(loads) == [
        "KAW_SOURCE_METERING=/srv/m ./kaw run --date 2026-11-01",
        "KAW_PROFILE='/srv/our profile' KAW_SOURCE_METERING=/srv/m ./kaw run --date 2026-11-02",
    ]


def test_what_came_from_an_unknown_place_is_a_command_without_it():
    assert lines([load(1, 1, None)]) == ["./kaw run --date 2026-11-01"]


def test_the_first_edition_is_as_it_was():
    """Its templates write the reports of old runs, byte by byte: what is better is done in the edition of today."""
    text = b"".join(path.read_bytes() for path in sorted(TEMPLATES[1].iterdir()))
    assert hashlib.sha256(text).hexdigest() == "1ece7207e7ea121d39fb44343098fbb53ef416afe2d586bbca7b3ab8c9364ee7"
    assert _kind((7, {"run_id": 1, "sha256": {}})) == {"edition": 1, "language": "en", "anchored": None}
    assert _kind((7, {"run_id": 1, "edition": 2, "language": "zh"})) == {
        "edition": 2,
        "language": "zh",
        "anchored": None,
    }


def test_a_text_knows_itself_in_both_languages():
    text = Text("one table", "一张表")
    assert (f"{text}", text.en, text.zh) == ("one table", "one table", "一张表")
    assert text == "one table"
    assert text != Text("one table", "两张表")
    assert code_label("severity_code", "warn") == Text("warning", "警告")
    assert code_label("severity_code", "not_listed") == Text("not listed", "not_listed")


@pytest.mark.parametrize(("count", "said"), [(0, "0 entries"), (1, "1 entry"), (1200, "1,200 entries")])
def test_a_noun_follows_its_number(count: int, said: str):
    assert plural(count, "entry", "entries") == said
