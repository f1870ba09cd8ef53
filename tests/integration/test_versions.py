"""Published versions: taken back and released, kept, and asked for as known when their month closed."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from include.errors import UsageError
from include.publish import release, rollback
from tests.synthetic_marts import JULY, JUNE, Night


@pytest.fixture
def night(database: str, tmp_path: Path) -> Night:
    return Night(database, tmp_path)


def test_a_roll_back_shows_the_version_before_until_it_is_released(night: Night) -> None:
    night.publish()
    before = night.hashes()
    night.fill(2, [JUNE, JULY])
    night.publish()
    assert rollback(night.warehouse, approver="the approver", reason="wrong tariff") == {JUNE: 1, JULY: 1}
    assert night.hashes() == before
    assert set(night.execute("select state from marts.publication")) == {("pinned",)}
    night.fill(3, [JUNE, JULY])
    assert night.publish().pinned_months == [JUNE, JULY]
    assert night.hashes() == before
    with pytest.raises(UsageError, match="Already rolled back"):
        rollback(night.warehouse, approver="the approver", reason="again")
    assert release(night.warehouse, approver="the approver", reason="corrected") == [JUNE, JULY]
    assert night.publish().versions == {JUNE: 3, JULY: 3}
    assert night.seen() == {(JUNE, 3), (JULY, 3)}
    decided = "select event from quality.ledger where event not in ('key', 'verdict') order by entry_no"
    assert [event for (event,) in night.execute(decided)] == [
        "publish",
        "publish",
        "roll_back",
        "publish",
        "release",
        "publish",
    ]


def test_a_publish_that_was_taken_back_and_released_is_not_taken_back_again(night: Night) -> None:
    for value in (1, 2, 3):
        night.fill(value, [JUNE, JULY])
        night.publish()
    assert rollback(night.warehouse, approver="the approver", reason="wrong tariff") == {JUNE: 2, JULY: 2}
    release(night.warehouse, approver="the approver", reason="corrected")
    night.fill(2, [JUNE, JULY])
    assert night.publish().unchanged_months == [JUNE, JULY]
    assert rollback(night.warehouse, approver="the approver", reason="wrong too") == {JUNE: 1, JULY: 1}
    assert night.seen() == {(JUNE, 1), (JULY, 1)}
    release(night.warehouse, approver="the approver", reason="corrected")
    night.fill(3, [JUNE, JULY])
    again = night.publish().versions
    assert rollback(night.warehouse, JULY, approver="the approver", reason="wrong again") == {JULY: 1}
    assert again[JULY] > 1


def test_a_roll_back_of_one_month_leaves_the_others(night: Night) -> None:
    night.publish()
    night.fill(2, [JUNE, JULY])
    night.publish()
    assert rollback(night.warehouse, date(2026, 6, 1), approver="the approver", reason="wrong") == {JUNE: 1}
    night.fill(3, [JUNE, JULY])
    night.publish()
    assert night.seen() == {(JUNE, 1), (JULY, 3)}


def test_a_month_that_the_last_publish_began_is_withdrawn_with_it(night: Night) -> None:
    night.fill(1, [JUNE])
    night.publish(date(2026, 6, 30))
    before = night.hashes()
    night.fill(2, [JUNE, JULY])
    night.publish(date(2026, 7, 1))
    assert rollback(night.warehouse, approver="the approver", reason="wrong") == {JUNE: 1, JULY: 0}
    assert night.hashes() == before
    release(night.warehouse, approver="the approver", reason="corrected")
    assert night.publish(date(2026, 7, 2)).versions == {JUNE: 3, JULY: 2}


@pytest.mark.parametrize(("approver", "reason"), [("", "wrong"), ("the approver", " ")])
def test_a_roll_back_needs_a_signature_and_something_to_go_back_to(night: Night, approver: str, reason: str) -> None:
    night.publish()
    with pytest.raises(UsageError, match="is empty"):
        rollback(night.warehouse, approver=approver, reason=reason)
    with pytest.raises(UsageError, match="no earlier version"):
        rollback(night.warehouse, approver="the approver", reason="wrong")
    with pytest.raises(UsageError, match="No month is pinned"):
        release(night.warehouse, approver="the approver", reason="wrong")


def test_an_earlier_date_publishes_only_what_no_later_one_knows(night: Night) -> None:
    night.fill(1, [JULY])
    night.publish(date(2026, 7, 10))
    night.fill(2, [JUNE, JULY])
    result = night.publish(date(2026, 7, 5))
    assert result.versions == {JUNE: 1}
    assert result.later_known_months == [JULY]
    assert night.seen() == {(JUNE, 2), (JULY, 1)}
    night.fill(3, [JULY])
    with pytest.raises(UsageError, match="already published as of 2026-07-10") as refused:
        night.publish(date(2026, 7, 9))
    assert refused.value.exit_code == 2


def test_seven_versions_and_the_closing_one_stay(night: Night) -> None:
    days = [date(2026, 6, 29), date(2026, 6, 30), *(date(2026, 7, day) for day in range(1, 11))]
    for value, day in enumerate(days, start=1):
        night.fill(value, [JUNE])
        night.execute("truncate candidate.mart_health")
        night.publish(day)
    kept = night.execute(
        "select distinct version from publish.mart_energy where published_month = '2026-06-01' order by 1"
    )
    assert [version for (version,) in kept] == [2, 6, 7, 8, 9, 10, 11, 12]
    records = night.execute("select count(*), count(deleted_at) from publish.versions where mart = 'mart_energy'")
    assert records == [(12, 4)]


def closed(night: Night) -> set:
    return set(night.execute("select month, energy_kwh::integer from marts.mart_energy_at_close"))


def test_a_month_can_be_asked_as_known_when_it_closed_and_as_known_now(night: Night) -> None:
    for value, day in enumerate([date(2026, 6, 29), date(2026, 6, 30), date(2026, 7, 1), date(2026, 7, 2)], start=1):
        night.fill(value, [JUNE, JULY] if day.month == 7 else [JUNE])
        night.publish(day)
        assert closed(night) == (set() if value == 1 else {(JUNE, 2)})
    assert night.seen() == {(JUNE, 4), (JULY, 4)}
    comment = night.execute("select obj_description('marts.mart_energy_at_close'::regclass)")
    assert comment == [
        ("As known when each month closed; a month that is not over has no row. Synthetic mart_energy.",)
    ]


def test_a_version_that_stays_true_over_the_end_of_its_month_closes_it(night: Night) -> None:
    night.fill(1, [JUNE])
    night.publish(date(2026, 6, 29))
    night.publish(date(2026, 7, 1))
    night.fill(2, [JUNE])
    night.publish(date(2026, 7, 2))
    assert closed(night) == {(JUNE, 1)}


def test_a_version_that_was_rolled_back_is_no_closing_version(night: Night) -> None:
    night.fill(1, [JUNE])
    night.publish(date(2026, 6, 29))
    night.fill(2, [JUNE])
    night.publish(date(2026, 6, 30))
    rollback(night.warehouse, approver="the approver", reason="wrong")
    assert closed(night) == set()
    release(night.warehouse, approver="the approver", reason="corrected")
    night.fill(3, [JUNE])
    night.publish(date(2026, 7, 1))
    assert closed(night) == {(JUNE, 3)}
