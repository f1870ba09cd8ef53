"""What a delivered row is about: the day of its fact, the energy and the yuan that rest on it, and the numbers that it names."""

from __future__ import annotations

from dataclasses import dataclass

from include.contracts import Table


@dataclass(frozen=True)
class Facts:
    """`day` is SQL of a date over `raw`, null for a row that counts on every day; `amounts` are its columns of kWh and yuan."""

    day: str = "null::date"
    amounts: tuple[str | None, str | None] = (None, None)


def _moment(column: str) -> str:
    return f"(raw.{column} at time zone 'Asia/Shanghai')::date"


def _month(column: str, row: str = "raw") -> str:
    return f"case when {row}.{column} ~ '^[0-9]{{4}}(0[1-9]|1[0-2])$' then to_date({row}.{column}, 'YYYYMM') end"


_MONTH_OF_BILL = (
    f"(select max({_month('bill_month', 'bill')}) from raw_marketing.mkt_bill as bill"
    " where btrim(bill.bill_no) = btrim(raw.bill_no))"
)
_FACTS = {
    "met_interval_96": Facts("raw.data_date"),
    "met_register_freeze": Facts(_moment("freeze_ts")),
    "met_voltage_daily": Facts("raw.data_date"),
    "met_pq_sample": Facts(_moment("sampled_at")),
    "met_power_event": Facts(_moment("event_ts")),
    "met_event_alarm": Facts(_moment("start_ts")),
    "met_collect_task": Facts("raw.data_date"),
    "met_supply_outage": Facts(_moment("start_at")),
    "met_supply_voltage": Facts(_month("data_month")),
    "mkt_bill": Facts(_month("bill_month"), ("kwh_total", "total_charge")),
    "mkt_bill_line": Facts(_MONTH_OF_BILL, ("kwh_billed", "charge")),
    "mkt_payment": Facts(_moment("paid_at"), (None, "amount")),
    "mkt_penalty": Facts("raw.from_date", (None, "penalty_yuan")),
    "mkt_application": Facts(_moment("accepted_at")),
    "mkt_app_stage": Facts(_moment("start_at")),
    "mkt_ticket": Facts(_moment("accepted_at")),
    "mkt_outage_plan": Facts(_moment("planned_start")),
    "mkt_outage_notice": Facts(_moment("planned_start")),
    "mkt_manager_visit": Facts(_moment("visited_at")),
    "mkt_survey": Facts(_moment("answered_at")),
    "mkt_inspection": Facts("raw.due_on"),
    "mkt_violation": Facts("raw.found_on", ("recover_kwh", "recover_yuan")),
    "mkt_corrective_action": Facts("raw.found_on"),
    "mkt_notification": Facts(_moment("queued_at")),
    "con_trade_settle": Facts(_month("trade_month"), (None, "settle_yuan")),
    "con_trade_curve": Facts(_month("trade_month")),
    "con_amendment": Facts("raw.effective_on"),
}


def facts_of(table: Table) -> Facts:
    return _FACTS.get(table.name, Facts())


def identifiers(table: Table, alias: str = "raw") -> str:
    """SQL of the numbers that a row names, its own and those of what it refers to, as jsonb under the source's names."""
    names = dict.fromkeys([*table.key, *(c for r in table.references for c in r.columns)])
    scalar = {c.name: c for c in table.scalar_columns}
    parts = [f"'{n}', btrim({alias}.{n})" for n in names if n in scalar and scalar[n].physical_type == "text"]
    return f"jsonb_strip_nulls(jsonb_build_object({', '.join(parts)}))"
