"""A published row leads back to the files and lines it was made of, to what was checked on them, and to its version."""

from __future__ import annotations

import csv
import hashlib
import json

import pytest

from include.errors import UsageError
from include.local import cli
from include.publish import status
from include.publish.marts import read_marts
from include.quality.evaluate import WITHHELD
from include.report.trace import trace
from include.transform.dbt import manifest_path
from tests.nights import DAY, Utility


def sources(found: dict) -> dict[str, dict]:
    return {source["table"]: source for source in found["sources"]}


@pytest.mark.timeout(900)
def test_a_published_row_leads_back_to_its_source_rows(faulty_night: Utility, capsys):
    """One night for all of it: a night costs more than the questions asked of it."""
    night = faulty_night
    account = night.rows("select account_no from marts.mart_energy_structure where energy_kwh > 0 order by 1 limit 1")[
        0
    ][0]
    whole = f"account_no={account},month_start_date=2026-11-01"
    found = trace(night.url, "mart_energy_structure", whole)
    every_way_of_naming_it_finds_the_same_row(night, account, found)
    each_source_row_stands_in_its_file_at_its_line(night, account, found)
    version_and_hash_are_those_that_readers_see(night, found)
    what_was_checked_is_told_with_its_verdict(night, found)
    a_withheld_row_is_shown_as_such_and_personal_values_are_not(night)
    every_mart_can_be_traced(night)
    wrong_names_are_refused_and_a_part_of_a_key_lists_what_it_fits(night, account)
    the_command_prints_the_place_of_each_row(night, whole, capsys)
    what_lands_later_does_not_change_what_was_published(night, whole, found)


def every_way_of_naming_it_finds_the_same_row(night: Utility, account: str, found: dict) -> None:
    assert found["row"]["account_no"] == account
    as_json = json.dumps({"account_no": account, "month_start_date": "2026-11"})
    assert trace(night.url, "energy_structure", as_json) == found
    assert (
        trace(night.url, "marts.mart_energy_structure", f" month_start_date = 2026-11 , account_no = {account}")
        == found
    )


def each_source_row_stands_in_its_file_at_its_line(night: Utility, account: str, found: dict) -> None:
    loads = {load["load_id"]: load for load in found["loads"]}
    looked_at = 0
    for source in found["sources"]:
        for row in source["rows"]:
            load = loads[row["load_id"]]
            path = next(night.deliveries.glob(f"*/{load['file_name']}"))
            assert hashlib.sha256(path.read_bytes()).hexdigest() == load["content_sha256"]
            if path.suffix == ".csv":
                lines = path.read_text(encoding="utf-8-sig").splitlines()
                (values,) = csv.DictReader([lines[0], lines[row["line"] - 1]])
                text = {
                    name: value for name, value in row["key"].items() if isinstance(value, str) and ":" not in value
                }
                assert {name: values[name] for name in text} == text
                looked_at += 1
    assert looked_at > 10
    archive, curves, bills = (sources(found)[name] for name in ("met_measuring_point", "met_interval_96", "mkt_bill"))
    points = [row["key"]["mp_no"] for row in archive["rows"]]
    assert points == [
        mp
        for (mp,) in night.rows(
            "select metering_point_no from staging.stg_metering__measuring_points where account_no = %s order by 1",
            account,
        )
    ]
    assert (
        curves["total"]
        == night.rows(
            "select count(*) from staging.stg_metering__curves where metering_point_no = any(%s) and reading_date >= '2026-11-01'",
            points,
        )[0][0]
    )
    assert len(curves["rows"]) == min(curves["total"], 20)
    assert bills["total"] == 0  # November is not billed yet


def version_and_hash_are_those_that_readers_see(night: Utility, found: dict) -> None:
    version = found["version"]
    assert (version["published_month"].isoformat(), version["version"]) == ("2026-11-01", 1)
    assert status(night.url)["marts"]["mart_energy_structure"]["versions"]["2026-11"] == version["version"]
    assert night.rows(
        "select detail #>> '{versions,2026-11,hashes,mart_energy_structure}' from quality.ledger where entry_no = %s",
        version["ledger_entry"],
    ) == [(version["hash"],)]
    assert (found["run"]["business_date"], found["run"]["state"]) == (DAY, "published")
    assert found["lineage"]["inputs"]["stg_metering__measuring_points"][-1] == "met_measuring_point"
    assert "fct_energy_daily" in found["lineage"]["layers"]["warehouse"]


def what_was_checked_is_told_with_its_verdict(night: Utility, found: dict) -> None:
    rules = {rule["rule_id"]: rule for rule in found["rules"]}
    told = [(r, v["tested_rows"], v["failed_rows"], v["verdict"]) for r, v in rules.items()]
    assert told == night.rows(
        "select rule_id, tested_rows, failed_rows, verdict from quality.rule_results where rule_id = any(%s) order by 1",
        [*rules],
    )
    assert {"MET-01", "MET-12", "XSR-03"} <= set(rules)  # on its curves, registers and ratios
    assert any(rule_id.startswith("MART-") for rule_id in rules)
    assert not {"MKT-33", "MKT-34"} & set(rules)  # tickets are no part of its energy


def a_withheld_row_is_shown_as_such_and_personal_values_are_not(night: Utility) -> None:
    account, table, raw_id, rules = night.rows(
        "select account_no, table_name, raw_id, rule_ids from quality.withheld where state = 'quarantined'"
        " and table_name = 'con_contract' and account_no in (select account_no from marts.mart_key_account_360) order by 1, 3 limit 1"
    )[0]
    found = trace(night.url, "key_account_360", f"account_no={account},as_of_date={DAY}")
    (row,) = [row for row in sources(found)[table]["rows"] if row["raw_id"] == raw_id]
    assert (row["state"], row["rule_ids"]) == ("quarantined", rules)
    assert {finding["rule_id"] for finding in found["findings"]} >= set(rules)
    shown = {
        row["values"][name]
        for row in sources(found)["mkt_contact"]["rows"]
        for name in ("contact_name", "mobile", "phone")
    }
    assert shown == {row["values"]["signer"]} == {WITHHELD}


def every_mart_can_be_traced(night: Utility) -> None:
    marts = read_marts(manifest_path())
    assert len(marts) >= 6
    for mart in marts:
        columns = ", ".join(f"{name}::text" for name in mart.grain)
        rows = night.rows(f"select {columns} from marts.{mart.name} order by {columns} limit 1")
        if rows:
            key = json.dumps(
                {name: value for name, value in zip(mart.grain, rows[0], strict=True) if value is not None}
            )
            found = trace(night.url, mart.name, key)
            layers = found["lineage"]["layers"]
            from_findings = {"findings", "withheld", "rule_results"} & set(layers["quality"])
            from_seeds = layers["seeds"] and not layers["raw"]  # documents and fees are the utility's own lists
            assert from_findings or from_seeds or any(source["total"] for source in found["sources"]), mart.name


def wrong_names_are_refused_and_a_part_of_a_key_lists_what_it_fits(night: Utility, account: str) -> None:
    part = trace(night.url, "energy_structure", f"account_no={account}")
    assert part["total"] == len(part["candidates"]) > 1
    assert {candidate["account_no"] for candidate in part["candidates"]} == {account}
    for mart, key, said in (
        ("nosuch", "a=1", "no mart 'nosuch'"),
        ("energy_structure", "nosuch=1", "no column nosuch"),
        ("energy_structure", "", "is no key"),
        ("energy_structure", "[1]", "is no key"),
        ("energy_structure", "account_no=nobody", "Nothing is published"),
        ("energy_structure", "account_no=' or true --", "Nothing is published"),
    ):
        with pytest.raises(UsageError, match=said) as refused:
            trace(night.url, mart, key)
        assert refused.value.exit_code == 2
        assert refused.value.next_step


def the_command_prints_the_place_of_each_row(night: Utility, whole: str, capsys) -> None:
    capsys.readouterr()
    assert cli.main(["trace", "energy_structure", whole]) == 0
    printed = capsys.readouterr().out
    assert "  met_measuring_point: 1 row by account_no of the row" in printed
    assert "met_measuring_point_20261122.csv:" in printed
    assert "Version 1 of 2026-11, hash " in printed
    assert cli.main(["trace", "energy_structure", whole, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["mart"] == "mart_energy_structure"
    assert cli.main(["trace", "nosuch", whole]) == 2


def what_lands_later_does_not_change_what_was_published(night: Utility, whole: str, found: dict) -> None:
    night.deliver()
    night.land()
    assert night.rows("select max(load_id) from quality.receipts")[0][0] > found["run"]["last_load_id"]
    assert trace(night.url, "energy_structure", whole) == found
