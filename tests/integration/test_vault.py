"""Clear text of persons is in the vault and nowhere else; who may read it does, and erasing it changes no hash.

What is looked for is typed or drawn here, under the names of the columns that the requirements call identifying.
"""

from __future__ import annotations

import io
import json
import os
import re
import stat
from datetime import date
from pathlib import Path

import psycopg
import pytest

from include.errors import InfrastructureError, UsageError
from include.landing.extract import LOADER
from include.landing.moving_in import move_in
from include.local import cli
from include.quality import erasure
from include.records import ledger, vault, vault_key
from include.records.database import connect
from include.records.warehouse import AUDITOR, GATEKEEPER, PERSONAL_READER, READER
from tests.landing import Utility, new_utility
from tests.nights import Utility as Nights
from tests.planted import IDENTIFYING, clear_text_outside, planted_in

MANY = 40
CONTACT = {
    "cons_no": "3100000000001",
    "contact_role": "BUSINESS",
    "contact_name": "欧阳 planted",
    "mobile": "13761234567",
    "phone": "021-58887766",
    "email": "ouyang.planted@factory.example",
    "is_primary_contact": "true",
    "src_updated_at": "2026-01-14 08:00:00+08:00",
}


@pytest.fixture
def marketing(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Utility:
    made = new_utility(database, tmp_path, monkeypatch)
    made.source, made.folder = "marketing", tmp_path / "marketing"
    return made


def contacts(marketing: Utility, *changes: dict) -> list:
    marketing.write("mkt_contact", "mkt_contact_20260115.csv", [CONTACT | change for change in changes])
    return [receipt for receipt in marketing.land() if receipt.table_name == "mkt_contact"]


def test_a_persons_values_land_as_pseudonyms_and_their_text_in_the_vault(marketing: Utility):
    contacts(marketing, {}, {"contact_role": "FINANCE", "mobile": " 13761234567 ", "phone": "", "email": "无"})
    rows = marketing.query(
        "select contact_name, mobile, phone, email from raw_marketing.mkt_contact order by contact_role"
    )
    (first, second) = rows
    assert all(re.fullmatch("person-[0-9a-f]{32}", told) for told in first)
    assert second[:2] == first[:2]  # blanks around a value are none of it
    assert second[2:] == (None, "无")  # what identifies nobody stays, so that it counts as empty or as a placeholder
    held = dict(marketing.query("select pseudonym, clear_text from vault.clear_texts"))
    assert [held[told] for told in first] == [
        "欧阳 planted",
        "13761234567",
        "021-58887766",
        "ouyang.planted@factory.example",
    ]
    assert len(held) == 4
    assert stat.S_IMODE(vault_key.key_file().stat().st_mode) == 0o600
    assert vault_key.key_file().read_text().strip() not in str(
        marketing.query("select held::text from vault.key as held")
    )
    with psycopg.connect(marketing.url, autocommit=True) as connection:  # statistics would outlive an erasure
        connection.execute("analyze vault.clear_texts")
    assert marketing.query(
        "select count(*) filter (where attname = 'clear_text'), count(*) > 0 from pg_stats where tablename = 'clear_texts'"
    ) == [(0, True)]


def test_what_is_delivered_again_is_a_duplicate(marketing: Utility):
    contacts(marketing, {})
    marketing.write("mkt_contact", "mkt_contact_20260116.csv", [CONTACT])
    (receipt,) = [r for r in marketing.land(date(2026, 1, 16)) if r.file_name == "mkt_contact/mkt_contact_20260116.csv"]
    assert (receipt.inserted_rows, receipt.duplicate_rows) == (0, 1)


def test_rejected_and_malformed_rows_hold_no_clear_text(marketing: Utility):
    shifted = (
        "3100000000003,BUSINESS,Fischer planted,13777700001,021-50000001,fi@planted.example,13777700002,also planted"
    )
    header = "cons_no,contact_role,contact_name,mobile,phone,email,is_primary_contact,src_updated_at"
    bad = "3100000000001,BUSINESS,Anna planted,13777700003,021-50000002,an@planted.example,true,never"
    torn = "3100000000004,BUSINESS,Torn planted,13777700004,021-50000003,to@planted.example,true,2026-01-14,one more,13777700005"
    marketing.write("mkt_contact", "mkt_contact_20260115.csv", "\n".join([header, shifted, bad, torn]) + "\n")
    marketing.land()
    rows = marketing.query("select column_name, value_text, row_text from quality.rejected_rows order by file_line")
    assert [column for column, *_ in rows] == ["is_primary_contact", "src_updated_at", "cons_no"]
    told = json.dumps([list(row) for row in rows], ensure_ascii=False)
    assert "planted" not in told
    assert not re.search("1377770000|0215|021-5", told)
    assert "3100000000001" in told  # the key says which record it is
    held = {text for (text,) in marketing.query("select clear_text from vault.clear_texts")}
    assert {"Fischer planted", "13777700002", "also planted", "never", torn} <= held
    assert clear_text_outside(marketing.url, ["planted", "1377770000"]) == []


def test_another_key_stops_the_landing_and_says_so(marketing: Utility, monkeypatch: pytest.MonkeyPatch):
    contacts(marketing, {})
    monkeypatch.setenv("KAW_VAULT_KEY", "bm90IHRoZSBrZXkgb2YgdGhpcyB2YXVsdCwgYnV0IDMyIGI=")
    marketing.write("mkt_contact", "mkt_contact_20260116.csv", [CONTACT | {"mobile": "13761234568"}])
    with pytest.raises(InfrastructureError, match="not the one that the pseudonyms"):
        marketing.land(date(2026, 1, 16))
    monkeypatch.setenv("KAW_VAULT_KEY", "short")
    with pytest.raises(UsageError, match="cannot be used") as refused:
        marketing.land(date(2026, 1, 16))
    assert "short" not in str(refused.value)


def test_no_value_of_a_person_is_outside_the_vault_after_a_night_with_defects(faulty_night: Nights):
    """Names of two letters occur in texts that are none of a person's: of these only whole cells are looked for."""
    values = planted_in(faulty_night.deliveries)
    assert len(values) > 100
    home = Path(os.environ["KAW_HOME"])
    assert clear_text_outside(faulty_night.url, values[:: len(values) // MANY], home) == []
    held = {text for (text,) in faulty_night.rows("select clear_text from vault.clear_texts")}
    assert set(values) <= held


def test_names_are_read_by_role_alone_and_follow_what_is_published(faulty_night: Nights):
    by_role = faulty_night.warehouse
    names = "select manager_no, manager_name from marts_personal.mkt_manager order by 1"
    with by_role.as_role(PERSONAL_READER).connect() as connection:
        found = connection.execute(names).fetchall()
    assert found
    assert {name for _, name in found} <= set(planted_in(faulty_night.deliveries, short=True))
    for role in (LOADER, READER, AUDITOR, GATEKEEPER, "kaw_approver", "kaw_publisher", "kaw_transformer"):
        with by_role.as_role(role).connect() as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(names)
    with connect(faulty_night.url) as connection:
        connection.execute("update publish.pointer set business_date = business_date - 400")
        assert connection.execute(names).fetchall() == []  # nothing was known then
        connection.rollback()


def test_erasing_changes_no_row_but_the_vaults_and_masks_what_comes_later(
    faulty_night: Nights, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    ((pseudonym, mobile),) = faulty_night.rows(
        "select pseudonym, clear_text from vault.clear_texts where clear_text ~ '^1[3-9][0-9]{9}$' order by 1 limit 1"
    )
    before, raw = (
        faulty_night.hashes(),
        faulty_night.rows("select md5(string_agg(c::text, '' order by _raw_id)) from raw_marketing.mkt_contact as c"),
    )
    spaced = f"+86 {mobile[:3]} {mobile[3:7]} {mobile[7:]}"
    assert cli.main(["erase", spaced]) == 0
    listed = capsys.readouterr().out
    assert pseudonym in listed
    assert "raw_marketing.mkt_contact.mobile: 1 row" in listed
    assert mobile not in listed
    with (
        monkeypatch.context() as other
    ):  # a value is found by its pseudonym: with another key it would seem not to be there
        other.setenv("KAW_VAULT_KEY", "bm90IHRoZSBrZXkgb2YgdGhpcyB2YXVsdCwgYnV0IDMyIGI=")
        assert cli.main(["erase", spaced]) == 3
        assert "not the one that the pseudonyms of this warehouse were made with" in capsys.readouterr().err
        assert cli.main(["erase", pseudonym]) == 0
        assert "mobile: 1 row" in capsys.readouterr().out
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{spaced}\n"))
    assert cli.main(["erase", "-"]) == 0
    assert capsys.readouterr().out == listed
    assert faulty_night.rows("select count(*) from vault.clear_texts where erased_at is not null") == [(0,)]
    assert cli.main(["erase", spaced, "--confirm"]) == 2
    assert cli.main(["erase", spaced, "--confirm", "--approver", "the officer", "--reason", "asked for"]) == 0
    said = capsys.readouterr().out
    assert "Out of reach" in said
    (text,) = faulty_night.rows("select clear_text from vault.clear_texts where pseudonym = %s", pseudonym)[0]
    assert text != mobile
    assert re.fullmatch("1[3-9][0-9]{9}", text)  # judged as before
    assert faulty_night.hashes() == before
    assert (
        faulty_night.rows("select md5(string_agg(c::text, '' order by _raw_id)) from raw_marketing.mkt_contact as c")
        == raw
    )
    (entry,) = faulty_night.rows("select detail from quality.ledger where event = 'erasure'")[0]
    assert pseudonym in entry["pseudonyms"]
    assert entry["loads"]
    assert mobile not in json.dumps(entry)
    assert ledger.verify(faulty_night.url) == []

    with connect(faulty_night.url) as connection:  # it is delivered again, as landing stores it
        vault.store(connection, {pseudonym: mobile})
        assert connection.execute(
            "select clear_text from vault.clear_texts where pseudonym = %s", [pseudonym]
        ).fetchone() == (text,)
        # a back-up of before has it; what this home notes is erased again
        connection.execute(
            "update vault.clear_texts set clear_text = %s, erased_at = null where pseudonym = %s", [mobile, pseudonym]
        )
        assert erasure.erase_again(connection) == 1
        connection.rollback()


def test_a_warehouse_of_before_moves_in_and_what_comes_again_is_a_duplicate(marketing: Utility):
    contacts(marketing, {}, {"contact_role": "FINANCE", "email": " a.b@planted.example "})
    landed = marketing.query("select contact_role, mobile, email, _hash from raw_marketing.mkt_contact order by 1")
    with connect(marketing.url) as connection:  # as it was before there was a vault
        for column in ("contact_name", "mobile", "phone", "email"):
            connection.execute(
                f"update raw_marketing.mkt_contact set {column} = clear_text, _hash = gen_random_uuid() from vault.clear_texts"
                f" where pseudonym = {column}"
            )
        connection.execute("delete from vault.clear_texts")
        connection.execute(
            "insert into quality.rejected_rows (load_id, source_name, table_name, column_name, reason, record_key, row_text)"
            " select min(load_id), 'marketing', 'mkt_contact', 'src_updated_at', 'is not a time', '{}',"
            """ '{"cons_no": "1", "mobile": "13777700009", "is_primary_contact": "planted"}' from quality.receipts"""
        )
    move_in(marketing.url)
    move_in(marketing.url)
    assert (
        marketing.query("select contact_role, mobile, email, _hash from raw_marketing.mkt_contact order by 1") == landed
    )
    assert clear_text_outside(marketing.url, ["planted", "1377770000", "13761234567"]) == []
    assert ("a.b@planted.example",) in marketing.query("select clear_text from vault.clear_texts")


@pytest.mark.parametrize(
    ("given", "same"),
    [
        ("13761234567", r"1[3-9]\d{9}"),
        ("13888888888", r"138(\d)\1{7}"),
        ("021-58887766", r"0[1-9]\d{8,16}"),
        ("400-820-8820", r"400\d{7}"),
        ("6222021001123456789", r"\d{19}"),
        ("a b@c.example", r"[^@]*"),
        ("ou@factory.example", r"[^@ ]+@[^@ ]+[.][^@ .]{2,}"),
        ("欧阳先", r".*[a-z].*"),
        ("客户经理走访时反映电压偏低，希望尽快处理该问题，谢谢", r".{20,}"),
        ("?!7", r"[^a-zA-Z]+"),
    ],
)
def test_a_stand_in_is_judged_as_the_value_was(database: str, given: str, same: str):
    with connect(database) as connection:
        (told,) = connection.execute("select vault.stand_in('person-' || md5('x'), %s)", [given]).fetchone()
    assert re.fullmatch(same, told)
    assert told != given


def test_no_model_reads_what_a_pseudonym_looks_like():
    """Under two keys one hash: beyond staging only whether a value is filled is asked, which blanks and placeholders tell."""
    names = {
        "legal_representative_name",
        "bank_account_no",
        "confirmed_by_name",
        "signer_name",
        *(c for t in IDENTIFYING.values() for c in t),
    }
    names -= {"summary", "legal_rep", "confirmed_by", "bank_acct", "signer"}  # staging gives these other names
    found = {}
    for path in Path("dbt_project/models").rglob("*.sql"):
        if path.parent.parent.name != "staging" and "staging" not in path.parts:
            told = re.findall(rf"\b(?:{'|'.join(names | {'summary_text'})})\b", path.read_text())
            if told:
                found[path.stem] = sorted(set(told))
    assert found == {"dim_account_files": ["mobile"], "int_expected_contacts": ["mobile", "phone"]}


def test_what_the_two_models_ask_is_the_same_of_a_value_and_of_its_pseudonym(marketing: Utility):
    key = vault_key.made()
    names = vault.Pseudonyms(key)
    filled = "nullif(trim({0}), '') is not null and trim({0}) !~ '^(.)\\1*$'"
    with connect(marketing.url) as connection:
        for value in ("13761234567", "", "  ", "无", " 无 ", "11111111111", "x", "TEST", "null", "13800138000", "ab"):
            told = names.of(value)
            asked = [
                connection.execute("select " + filled.format("%(x)s::text"), {"x": text}).fetchone()
                for text in (value, told)
            ]
            assert asked[0] == asked[1], value
            assert (told == value) == (value not in ("13761234567", "ab"))
