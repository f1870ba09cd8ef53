"""What a delivered row is about: the day of its fact, the energy and the yuan that rest on it, and the numbers that it names."""

from __future__ import annotations

from include.contracts import Table, all_tables

# Columns of kWh and yuan that rest on a row; rows of other tables have none of their own.
_AMOUNTS = {
    "mkt_bill": ("kwh_total", "total_charge"),
    "mkt_bill_line": ("kwh_billed", "charge"),
    "mkt_payment": (None, "amount"),
    "mkt_penalty": (None, "penalty_yuan"),
    "mkt_violation": ("recover_kwh", "recover_yuan"),
    "con_trade_settle": (None, "settle_yuan"),
}


def amounts_of(table: Table) -> tuple[str | None, str | None]:
    """Names of its columns of energy and of yuan."""
    return _AMOUNTS.get(table.name, (None, None))


def day_of(table: Table, row: str = "raw") -> str:
    """SQL of the day of a row's fact, by the contract's factDate; null for a row that counts on every day."""
    if table.fact_date is None:
        bill = all_tables()["mkt_bill"]
        if table.name != "mkt_bill" and any(
            r.target_table == bill.name and "bill_no" in table.key for r in table.references
        ):
            return (
                f"(select max({day_of(bill, 'bill')}) from {bill.raw_name} as bill"
                f" where btrim(bill.bill_no) = btrim({row}.bill_no))"
            )
        return "null::date"
    column = f"{row}.{table.fact_date}"
    kind = table.column(table.fact_date).physical_type
    if kind == "timestamptz":
        return f"({column} at time zone 'Asia/Shanghai')::date"
    if kind == "date":
        return column
    return f"case when {column} ~ '^[0-9]{{4}}(0[1-9]|1[0-2])$' then to_date({column}, 'YYYYMM') end"


def identifiers(table: Table, row: str = "raw") -> str:
    """SQL of the numbers that a row names, its own and those of what it refers to, as jsonb under the source's names."""
    names = dict.fromkeys([*table.key, *(c for r in table.references for c in r.columns)])
    texts = {c.name for c in table.scalar_columns if c.physical_type == "text"}
    pairs = ", ".join(f"'{name}', btrim({row}.{name})" for name in names if name in texts)
    return f"jsonb_strip_nulls(jsonb_build_object({pairs}))"
