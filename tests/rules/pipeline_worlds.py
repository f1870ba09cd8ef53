"""The rules about the pipeline itself: (rule, what stands in the records, statements, the severity found or None)."""

# ruff: noqa: E501  (one case a line reads as a table)
from __future__ import annotations

BILLS_OF_100 = (
    "insert into quality.staged_rows (run_id, table_name, rows) select run_id, 'mkt_bill', 100 from quality.current_run"
)
LIMIT = "update staging.quality_limits set valid_from = date '{0}', valid_to = {1} where name = '{2}'"

AGREED = "insert into staging.int_agreed_estimates (line_no, metering_point_no, problem) values (1, 'P1', {0})"

WAIVED = [
    "insert into quality.waivers (rule_id, scope, approver, reason, valid_until, entered_by) values ('MKT-21', 'all', 'duty engineer (test)', 'known', '2026-11-05', 'test')",
    "insert into quality.ledger (entry_no, at, actor, event, detail, previous_digest, digest) select 1000000, now(), 'test', 'waiver', to_jsonb(waivers), '-', '-' from quality.waivers",
]


def quarantined(rows: int, run_id: str = "run_id", severity: str = "quarantine", raw_id: str = "n") -> str:
    return (
        "insert into quality.violations (run_id, rule_id, source_name, table_name, raw_id, record_key, severity)"
        f" select {run_id}, 'MKT-21', 'marketing', 'mkt_bill', {raw_id}, jsonb_build_object('bill_no', n), '{severity}'"
        f" from generate_series(1, {rows}) as n cross join quality.current_run"
    )


def rejected(delivered: str = "business_date", answered: str | None = None) -> list[str]:
    """A rejected row of a delivery of some day, answered by none or by a delivery of a day."""

    def receipt(day: str, file: str) -> str:
        return (
            "insert into quality.receipts (source_name, table_name, channel, business_date, state, file_name)"
            f" select 'metering', 'met_meter', 'auto', {day}, 'landed', '{file}' from quality.current_run"
        )

    good = [receipt(answered, "good")] if answered else []
    answer = "(select max(load_id) from quality.receipts where file_name = 'good')"
    return [
        receipt(delivered, "bad"),
        *good,
        "insert into quality.rejected_rows (load_id, source_name, table_name, file_line, column_name, value_text, reason, record_key, row_text, superseded_by)"
        f" select load_id, source_name, table_name, 7, 'digits_int', 'six', 'no whole number', '{{}}', '{{}}', {answer} from quality.receipts where file_name = 'bad'",
    ]


def conserved(delivered: int, run_id: str = "run_id") -> list[str]:
    return [
        f"insert into quality.conservation select {run_id}, 1, 'mkt_bill', {delivered}, 6, 0, 1, 1, 1, 1, 0 from quality.current_run"
    ]


PIPELINE: list[tuple[str, str, list[str], str | None]] = [
    ("PIP-01", "a calendar to the business date", ["delete from staging.working_days where date > '2026-11-05'"], None),
    (
        "PIP-01",
        "a calendar to the day before",
        ["delete from staging.working_days where date >= '2026-11-05'"],
        "block",
    ),
    ("PIP-01", "no calendar", ["delete from staging.working_days"], "block"),
    ("PIP-02", "a rejected row", rejected(), "warn"),
    ("PIP-02", "answered", rejected(answered="business_date"), None),
    ("PIP-02", "answered a day later", rejected(answered="business_date + 1"), "warn"),
    ("PIP-02", "delivered a day later", rejected("business_date + 1"), None),
    ("PIP-03", "21 of 100 rows", [BILLS_OF_100, quarantined(21)], "block"),
    ("PIP-03", "20 of 100 rows", [BILLS_OF_100, quarantined(20)], None),
    ("PIP-03", "50 of 1,000 rows", [BILLS_OF_100.replace("100", "1000"), quarantined(50)], None),
    ("PIP-03", "51 of 1,000 rows", [BILLS_OF_100.replace("100", "1000"), quarantined(51)], "block"),
    (
        "PIP-03",
        "21 rows of another run",
        [
            "insert into quality.runs (business_date) values ('2026-11-04')",
            BILLS_OF_100,
            quarantined(21, run_id="(select max(run_id) from quality.runs)"),
        ],
        None,
    ),
    (
        "PIP-03",
        "rows staged in another run",
        [
            "insert into quality.runs (business_date) values ('2026-11-04')",
            BILLS_OF_100.replace("select run_id", "select run_id + 1"),
            quarantined(21),
        ],
        None,
    ),
    ("PIP-03", "21 warnings", [BILLS_OF_100, quarantined(21, severity="warn")], None),
    ("PIP-03", "21 findings on no row", [BILLS_OF_100, quarantined(21, raw_id="null::bigint")], None),
    ("PIP-03", "21 findings on one row", [BILLS_OF_100, quarantined(21, raw_id="7")], None),
    (
        "PIP-03",
        "21 arbitrary fills",
        [
            BILLS_OF_100,
            quarantined(21),
            "insert into quality.rule_book values ('MKT-21', 1, 'typed in by hand', 'arbitrary', 'plausibility', 'quarantine', 'test', true, 'test')",
        ],
        None,
    ),
    (
        "PIP-03",
        "21 mismatches",
        [
            BILLS_OF_100,
            quarantined(21),
            "insert into quality.rule_book values ('MKT-21', 1, 'a mismatch', 'mismatch', 'plausibility', 'quarantine', 'test', true, 'test')",
        ],
        "block",
    ),
    (
        "PIP-03",
        "no share, and a limit below one row",
        [
            BILLS_OF_100,
            quarantined(21),
            LIMIT.format("2026-11-06", "null", "quarantined_share"),
            "update staging.quality_limits set value = 0.01 where name = 'quarantined_rows'",
        ],
        None,
    ),
    ("PIP-03", "21 waived rows", [BILLS_OF_100, quarantined(21), *WAIVED], None),
    ("PIP-03", "21 waived rows, which the ledger does not have", [BILLS_OF_100, quarantined(21), *WAIVED[:1]], "block"),
    *(
        (
            "PIP-03",
            f"a limit on {name} from {first} to {end}",
            [BILLS_OF_100, quarantined(21), LIMIT.format(first, end, name)],
            severity,
        )
        for name in ("quarantined_share", "quarantined_rows")
        for first, end, severity in (
            ("2026-11-05", "null", "block"),
            ("2026-11-06", "null", None),
            ("2000-01-01", "date '2026-11-06'", "block"),
            ("2000-01-01", "date '2026-11-05'", None),
        )
    ),
    ("PIP-04", "every row in one state", conserved(10), None),
    ("PIP-04", "a row in no state", conserved(11), "block"),
    ("PIP-04", "a row in two states", conserved(9), "block"),
    ("PIP-04", "a row in no state in another run", conserved(11, run_id="run_id + 1"), None),
    ("PIP-05", "an agreement of two persons", [AGREED.format("null")], None),
    ("PIP-05", "an agreement without a reason", [AGREED.format("'no reason'")], "warn"),
]
