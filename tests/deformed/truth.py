"""What the deformed copies say, before they are deformed: bills, customers and quarter hours, made up and small."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

BILL_COLUMNS = (
    "bill_no",
    "cons_no",
    "acct_no",
    "bill_month",
    "read_from",
    "read_to",
    "kwh_total",
    "kwh_peak",
    "kwh_valley",
    "energy_charge",
    "total_charge",
    "issued_on",
    "due_on",
    "status",
    "src_updated_at",
)
DATES = ("read_from", "read_to", "issued_on", "due_on")
AMOUNTS = ("kwh_total", "kwh_peak", "kwh_valley", "energy_charge", "total_charge")
STATUS = ("PAID", "ISSUED", "PARTIAL", "REVERSED")


def bills() -> list[dict[str, str]]:
    """Forty bills of eight customers; days above and below 12, amounts below and above a thousand."""
    rows = []
    for n in range(40):
        month = date(2026, 1 + n // 8, 1)
        following = date(2026, 2 + n // 8, 1)
        total = Decimal(812_345 + 97_771 * n) / 100 + (n % 3) * 1_000_000
        peak, valley = (total / 3).quantize(Decimal("0.01")), (total / 4).quantize(Decimal("0.01"))
        charge = (total * Decimal("0.6543")).quantize(Decimal("0.01"))
        rows.append(
            {
                "bill_no": f"20260{month.month}00{1000 + n}",
                "cons_no": f"031000{1000 + n % 8}",
                "acct_no": f"088000{2000 + n % 5}",
                "bill_month": f"{month:%Y%m}",
                "read_from": f"{month}",
                "read_to": f"{following}",
                "kwh_total": f"{total:.2f}",
                "kwh_peak": f"{peak:.2f}",
                "kwh_valley": f"{valley:.2f}",
                "energy_charge": f"{charge:.2f}",
                "total_charge": f"{charge + 12:.2f}",
                "issued_on": f"{following + timedelta(days=2 + n % 9)}",
                "due_on": f"{following + timedelta(days=15 + n % 12)}",
                "status": STATUS[n % len(STATUS)],
                "src_updated_at": f"{following + timedelta(days=2)} 04:0{n % 8}:00+08:00",
            }
        )
    return rows


CUSTOMER_COLUMNS = (
    "cons_no",
    "cons_name",
    "addr",
    "org_no",
    "cons_class",
    "voltage_level",
    "contract_cap_kva",
    "running_cap_kva",
    "importance",
    "urban_rural",
    "status",
    "open_date",
    "src_updated_at",
)


def customers(names: tuple[str, ...]) -> list[dict[str, str]]:
    """One customer a name, with codes that the contract allows."""
    return [
        {
            "cons_no": f"031000{1000 + n}",
            "cons_name": name,
            "addr": f"{name} {n + 1}",
            "org_no": "310104",
            "cons_class": ("LARGE_IND", "GEN_IND_COM")[n % 2],
            "voltage_level": ("AC10kV", "AC35kV")[n % 2],
            "contract_cap_kva": f"{1250 + 315 * n}.00",
            "running_cap_kva": f"{1000 + 315 * n}.00",
            "importance": "NONE",
            "urban_rural": "URBAN",
            "status": "NORMAL",
            "open_date": f"20{10 + n}-0{1 + n % 9}-{14 + n}",
            "src_updated_at": f"2026-06-{10 + n} 03:00:00+08:00",
        }
        for n, name in enumerate(names)
    ]


POINTS = ("0500010001", "0500010002")
FIRST_DAY, DAYS = date(2026, 3, 10), 4


def slots(minutes: int = 15) -> list[tuple[str, datetime, Decimal, Decimal]]:
    """Point, start of the slot in local time, kWh and lagging kvarh: four days of two points, a night and a working day."""
    rows = []
    for number, point in enumerate(POINTS):
        for at in range(DAYS * 24 * 60 // minutes):
            start = datetime.combine(FIRST_DAY, datetime.min.time()) + timedelta(minutes=at * minutes)
            load = Decimal(40 + 10 * number) if 8 <= start.hour < 18 else Decimal(9 + number)
            kwh = (load * minutes / 15 + Decimal(at % 97) / 100).quantize(Decimal("0.01"))
            rows.append((point, start, kwh, (kwh / 3).quantize(Decimal("0.01"))))
    return rows
