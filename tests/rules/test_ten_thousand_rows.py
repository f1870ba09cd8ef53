"""10,000 planted rows of one rule through the engine: what was tested, what was found and both counts, each on its own."""

from __future__ import annotations

from include.quality import findings
from include.quality.evaluate import evaluate
from include.quality.rules import load_rules
from include.quality.verdict import great_expectations_counts
from include.records.database import connect
from include.records.warehouse import Warehouse
from include.settings import settings
from tests.rules.conftest import BUSINESS_DATE
from tests.rules.staged import Staged

RULE = next(rule for rule in load_rules() if rule.id == "MKT-21")
# 510 bills are right; 10,000 copies of the newest are 0.37 yuan off, under numbers of their own.
WRONG_BILLS = """
    insert into {{mkt_bill}} overriding system value
    select wrong.*
    from (select to_jsonb(bills) as bill from {{mkt_bill}} as bills order by bills.bill_no desc limit 1) as newest
    cross join generate_series(1, 10000) as n
    cross join jsonb_populate_record(null::{{mkt_bill}}, newest.bill || jsonb_build_object(
        '_raw_id', 1000000 + n, '_key', md5('wrong ' || n), '_hash', md5('hash ' || n), 'bill_no', 'WRONG-' || n,
        'total_charge', (newest.bill ->> 'total_charge')::numeric + 0.37
    )) as wrong
"""


def test_ten_thousand_wrong_bills_are_counted_alike_by_all_who_count(own_copy: str):
    with connect(own_copy) as connection:
        staged = Staged(connection, BUSINESS_DATE, settings().home / "rules" / "models.json")
        staged.plant(WRONG_BILLS)
        staged.stage()
        findings.note_rule_book(connection, [RULE], BUSINESS_DATE)
        result = evaluate(connection, RULE, staged.run_id, BUSINESS_DATE)
    counted = great_expectations_counts(Warehouse(own_copy), staged.run_id, [RULE.id])
    with connect(own_copy) as connection:
        findings.judge(connection, staged.run_id, 1)
        events = findings.record_findings(connection, staged.run_id, 1)
        opened = connection.execute("select count(*), count(distinct record_key) from quality.open_findings").fetchone()
    assert result.tested_rows == 10_510
    assert result.failed_rows == 10_000
    assert counted == {"MKT-21": 10_000}
    assert events == {"opened": 10_000}
    assert opened == (10_000, 10_000)
