"""A minimal archive beside a real meter: what the three systems must know of it for its readings to count.

Everything here is synthetic and says so in its names (合成…): one organisation, one feeder, one customer with one contract
and one metering point, current transformers of its three phases, and one row in every other table that is delivered whole.
Tables of events are empty but for the
bill that the penalty refers to and the annexes that a contract of high voltage must have.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from include.contracts import Column, Table, all_tables

ZONE = "+08:00"
ANNEXED = ("mkt_bill", "con_transformer_annex", "con_metering_annex")


@dataclass(frozen=True)
class Works:
    """A customer and its metering point, both since `since`; `other` sets values by table and column."""

    customer_name: str
    since: date
    metering_side: str
    other: dict[str, dict[str, object]] = field(default_factory=dict)


def write_archive(works: Works, folder: Path, business_date: date) -> None:
    """`folder/<source>/<table>/<table>_<date>.csv` for every table of the contracts; a table of events is a header."""
    for table in all_tables().values():
        row = [_row(table, works)] if table.is_full_compared or table.name in ANNEXED else []
        if table.name == "met_it":
            row = [row[0] | {"it_asset_no": f"SYN00000001{phase}", "phase": phase} for phase in "ABC"]
        write_rows(folder, table.name, row, business_date)


def write_rows(folder: Path, table_name: str, rows: list[dict[str, object]], business_date: date) -> None:
    """Replaces what the table delivers by one file of these rows, under the contract's header."""
    table = all_tables()[table_name]
    delivery = folder / table.source / table_name
    delivery.mkdir(parents=True, exist_ok=True)
    for path in delivery.iterdir():
        path.unlink()
    with (delivery / f"{table_name}_{business_date:%Y%m%d}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [column.name for column in table.columns])
        writer.writeheader()
        writer.writerows(rows)


def _row(table: Table, works: Works) -> dict[str, object]:
    """One row: what the contract requires and what the table's rules look at; everything else stays empty."""
    stated = _of_table(works).get(table.name, {}) | works.other.get(table.name, {})
    shared = _shared(works)
    row = {}
    for column in table.columns:
        if column.name in stated:
            row[column.name] = stated[column.name]
        elif column.is_required:
            row[column.name] = shared.get(column.name, _filled(column, works))
    return row


def _filled(column: Column, works: Works) -> object:
    """A value of the contract's type: the first allowed one, the first day, one, or a synthetic text."""
    if column.allowed:
        return column.allowed[0]
    if column.physical_type == "date":
        return works.since
    if column.physical_type == "timestamptz":
        return f"{works.since} 18:00:00{ZONE}"
    if column.physical_type == "boolean":
        return "false"
    return "合成-1" if column.physical_type == "text" else 1


def _shared(works: Works) -> dict[str, object]:
    """Values of columns that mean the same wherever they stand."""
    return {
        "org_no": "3101",
        "feeder_no": "10F00001",
        "cons_no": "0000000001",
        "acct_no": "9000000001",
        "mp_no": "MP000001",
        "meter_asset_no": "SYN000000001",
        "tran_no": "T-1",
        "voltage_level": "AC10kV",
        "metering_side": works.metering_side,
        "contract_cap_kva": 1250,
        "running_cap_kva": 1250,
        "cap_kva": 1250,
        "kva_connected": 1250,
        "basic_mode": "BY_CAPACITY",
        "pf_standard": "0.90",
        "tariff_code": "DGY-010",
        "is_tou": "false",
        "urban_rural": "URBAN",
        "importance": "NONE",
        "ct_ratio": 1,
        "pt_ratio": 1,
        "multiplier": 1,
    }


def _of_table(works: Works) -> dict[str, dict[str, object]]:
    """Values that a rule looks at: order of times, sums, and a story without an outage or a connection."""
    end = works.since + timedelta(days=30)
    return {
        "met_meter": {
            "meter_type": "3P4W",
            "rated_voltage_v": "3x57.7/100",
            "digits_int": 6,
            "digits_dec": 2,
            "status": "RUNNING",
        },
        "met_measuring_point": {"feeder_no": "10F00001", "meter_asset_no": "SYN000000001", "wiring": "3P4W"},
        "met_it": {"ratio_primary": 5, "ratio_secondary": 5},
        "mkt_org": {"org_name": "合成供电所"},
        "mkt_customer": {
            "cons_name": works.customer_name,
            "addr": "合成市示范区工业路1号",
            "connect_date": works.since,
        },
        "mkt_contact": {"contact_name": "合成联系人", "mobile": "13912345670", "is_primary_contact": "true"},
        "mkt_account": {"payer_name": works.customer_name},
        "mkt_transformer": {"state": "RUN"},
        "mkt_mp": {"feeder_no": "10F00001"},
        "mkt_access_list": {"qualified_on": works.since},
        "mkt_meter_install": {"install_reading_total": 0},
        "mkt_bill": {
            "bill_no": "合成账单1",
            "bill_month": f"{works.since:%Y%m}",
            "read_to": end,
            "kwh_total": 100,
            "energy_charge": 100,
            "total_charge": 100,
            "issued_on": end,
            "due_on": end,
            "status": "PAID",
        },
        "mkt_penalty": {
            "bill_no": "合成账单1",
            "from_date": end,
            "to_date": end + timedelta(days=1),
            "late_days": 2,
            "penalty_rate": "0.002",
            "waived": "true",
            "waive_reason": "合成数据",
        },
        "mkt_application": {"app_no": "合成申请1", "app_type": "TARIFF_CHANGE", "status": "OPEN"},
        "mkt_app_stage": {"app_no": "合成申请1"},
        "mkt_ticket": {"ticket_type": "ENQUIRY"},
        "mkt_outage_plan": {
            "plan_no": "合成计划1",
            "planned_start": f"{end} 08:00:00{ZONE}",
            "planned_end": f"{end} 12:00:00{ZONE}",
            "status": "CANCELLED",
        },
        "mkt_outage_affected": {"plan_no": "合成计划1"},
        "mkt_outage_notice": {"plan_no": "合成计划1", "planned_start": f"{end} 08:00:00{ZONE}"},
        "mkt_manager": {"manager_no": "SYN001", "manager_name": "合成客户经理"},
        "mkt_service_tier": {"assessor_no": "SYN001"},
        "mkt_manager_assign": {"manager_no": "SYN001"},
        "mkt_manager_assessment": {"manager_no": "SYN001"},
        "mkt_inspection": {"insp_no": "合成检查1"},
        "mkt_hazard": {"insp_no": "合成检查1", "hazard_desc": "合成隐患"},
        "mkt_corrective_action": {"case_no": "合成申请1"},
        "con_contract": {
            "contract_no": "合成合同1",
            "party_b_name": works.customer_name,
            "kind": "HV",
            "signed_on": works.since,
            "status": "EFFECTIVE",
            "auto_renew": "true",
            "property_boundary": "合成分界点",
            "main_feeder_no": "10F00001",
            "scan_file_id": "合成扫描1",
            "scan_pages": 8,
        },
        "con_transformer_annex": {"contract_no": "合成合同1"},
        "con_metering_annex": {"contract_no": "合成合同1", "mp_no": "MP000001", "meter_asset_no": "SYN000000001"},
    }
