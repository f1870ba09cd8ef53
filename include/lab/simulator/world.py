"""The accounts and metering points of the simulated utility.

Account `i` is the same whatever the number of accounts: everything about it is drawn from its own number. Its place
in a block of twenty decides what it must be, so that every kind of account exists from twenty accounts on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property

import numpy as np

from include.lab.simulator import stages
from include.lab.simulator.days import ANCHOR
from include.lab.simulator.hashing import choice, integers, uniform
from include.lab.simulator.kinds import KINDS, Kind, kind_of, transformers_of
from include.lab.simulator.shapes import FAMILIES

CT_SERIES = (5, 10, 15, 20, 30, 40, 50, 75, 100, 150, 200, 300, 400, 500, 600, 750, 800, 1000, 1200, 1500, 2000)
LINE_KV = {"AC380V": 0.4, "AC10kV": 10.0, "AC35kV": 35.0, "AC110kV": 110.0}
ACCOUNTS_PER_FEEDER = 8
IMPORTANT_PLACES = (1,)  # their customers may be important, so that no stage of their cases is left out
# places of the accounts that leave, and of those that join; the first block of twenty has neither
_LEAVES, _JOINS = _LIVES = (4, 15)
ORGS = ("310101", "310102", "310103", "310104", "310105", "310106")
ORG_AREAS = ("URBAN", "URBAN", "RURAL", "URBAN", "RURAL", "REMOTE")


@dataclass
class Transformer:
    tran_no: str
    cap_kva: int
    duty: str
    run_from: date
    sealed_from: date | None = None


@dataclass(frozen=True)
class Terms:
    """How the basic charge is reckoned from a day on, kW where it is by contract demand."""

    since: date
    basic_mode: str
    contract_md: int | None


@dataclass
class Account:
    """One customer; capacities in kVA, `growth_on` the first day of a later increase by `growth_kva`."""

    number: int
    cons_no: str
    kind: Kind
    name: str
    uscc: str
    org: int
    voltage: str
    side: str
    transformers: list[Transformer]
    contract_cap: int
    running_cap: int
    growth_on: date | None
    growth_kva: int
    importance: str
    supply_mode: str
    main_feeder: str
    backup_feeder: str | None
    self_gen_kva: int
    security_kva: int
    tariff: str
    terms: list[Terms]
    pf_standard: str
    is_tou: bool
    accepted_on: date
    signed_on: date
    connect_on: date
    rest_day: int | None
    acct_no: str
    payer: int
    load_kw: float
    tg_no: str | None
    suspensions: list[tuple[date, date]] = field(default_factory=list)
    closed_on: date | None = None

    def cap_on(self, day: date) -> int:
        """Contract capacity on a day, kVA."""
        return self.contract_cap + (self.growth_kva if self.growth_on and day >= self.growth_on else 0)

    @property
    def leaves_at_term(self) -> bool:
        """Whether the customer leaves because its contract, which does not renew itself, runs out."""
        return self.closed_on is not None and self.number % 40 == 24

    def is_settled(self, today: date) -> bool:
        """Whether the account has been a customer for a hundred days and still is one."""
        return (today - self.connect_on).days > 100 and (self.closed_on is None or today < self.closed_on)

    def terms_on(self, day: date) -> Terms:
        return [terms for terms in self.terms if terms.since <= day or terms is self.terms[0]][-1]

    @property
    def has_fixed_terms(self) -> bool:
        """Whether the contract never changes."""
        return self.growth_on is None and len(self.terms) == 1

    def running_on(self, day: date) -> int:
        """Capacity of the running transformers on a day, kVA; while a suspension lasts, the last of them rests."""
        resting = any(start <= day < end for start, end in self.suspensions)
        grown = self.growth_kva if self.growth_on and day >= self.growth_on else 0
        return self.running_cap + grown - (self.transformers[-1].cap_kva if resting else 0)


@dataclass
class Points:
    """Metering points as columns; `load_kw` is the mean primary power on a plain working day."""

    key: np.ndarray
    account: np.ndarray
    mp_no: list[str]
    meter_no: list[str]
    role: np.ndarray
    wiring: np.ndarray
    side: np.ndarray
    voltage: np.ndarray
    ct: np.ndarray
    pt: np.ndarray
    nominal_v: np.ndarray
    digits: np.ndarray
    feeder: np.ndarray
    family: np.ndarray
    rest_day: np.ndarray
    load_kw: np.ndarray
    tran_no: list[str | None]
    parent: list[str | None]

    @cached_property
    def multiplier(self) -> np.ndarray:
        return self.ct * self.pt

    def __len__(self) -> int:
        return len(self.key)


@dataclass
class World:
    seed: int
    accounts: list[Account]
    points: Points
    terminal_no: list[str] = field(default_factory=list)


def uscc_of(number: int) -> str:
    """A synthetic unified social credit code with the check character of GB 32100."""
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    body = f"91310101MA{(number * 7919 + 1_357_911) % 10**7:07d}"
    total = sum(alphabet.index(char) * pow(3, i, 31) for i, char in enumerate(body))
    return body + alphabet[(31 - total % 31) % 31]


def build_world(seed: int, count: int) -> World:
    """All accounts and points of a utility of `count` accounts."""
    accounts = [_account(seed, i) for i in range(count)]
    return World(seed, accounts, _points(seed, accounts), [f"3110{i:06d}" for i in range(count)])


def _account(seed: int, i: int) -> Account:
    place = i % 20
    kind = KINDS[kind_of(seed, i)]
    draw = lambda stream: float(uniform(seed, stream, i))  # noqa: E731
    voltage = "AC380V" if place == 19 else "AC10kV"
    if place == 0:
        voltage = "AC110kV" if (i // 20) % 2 == 0 else "AC35kV"
    if place == 1 and (i // 20) % 3 == 0:
        voltage = "AC35kV"
    caps = transformers_of(seed, i, voltage, kind)
    contract_cap = 100 if voltage == "AC380V" else sum(caps)
    side = (
        "LV_LV" if voltage == "AC380V" else "HV_LV" if _is_low_metered(place, caps, voltage, draw("side")) else "HV_HV"
    )
    life = place if i >= 20 and place in _LIVES else None
    accepted = date(2018, 3, 1) + timedelta(days=int(integers(seed, "accepted", 0, 1500, i)))
    if i % 3 == 0:
        runs = stages.schedule(seed, i * 10, accepted, whole=i % 20 in IMPORTANT_PLACES)
        accepted, signed, connect = (
            runs[0].start.astype("datetime64[D]").item(),
            stages.end_of(runs, "AGREEMENT"),
            stages.end_of(runs, "METER_ENERGISE"),
        )
    else:
        signed = accepted + timedelta(days=60 + int(draw("signed") * 60))
        connect = signed + timedelta(days=3 + int(draw("connect") * 8))
    closed = _first_of_month(3 + i // 20 % 9 * 5) if life == _LEAVES else None
    if life == _JOINS:
        accepted, signed, connect = _joining(seed, i)
    cons_no = f"0310{i + 1:06d}"
    transformers = [Transformer(f"{cons_no}T{n}", cap, "MAIN", connect) for n, cap in enumerate(caps, 1)]
    running = contract_cap
    if place == 11:
        sealed = transformers[-1]
        sealed.sealed_from = date(2023, 2, 1) + timedelta(days=int(draw("sealed") * 90))
        running -= sealed.cap_kva
    if place == 16:
        backup = Transformer(f"{cons_no}T9", caps[0], "COLD_BACKUP", connect, connect)
        transformers.append(backup)
    growth_on, growth = None, 0
    if place in (7, 12):
        months = int(integers(seed, "growth", 0, 6, i)) + 7 if i % 40 == 7 else int(integers(seed, "growth", 4, 52, i))
        growth_on = (ANCHOR.astype("datetime64[M]") + months).astype("datetime64[D]").item()
        growth = int(choice(seed, "growth kva", (400, 500, 630, 800), i))
        transformers.append(Transformer(f"{cons_no}T8", growth, "MAIN", growth_on))
    dual = place == 1
    classes = ("FIRST", "FIRST", "SECOND", "SPECIAL", "FIRST", "SECOND")
    importance = classes[(i // 20) % 6] if place == 1 else "NONE"
    basic_mode, tariff, standard = _terms(kind, voltage, contract_cap, place, draw("mode"))
    load_kw = running * (0.38 + 0.22 * draw("load")) / kind.peak_to_mean
    payer = i - 1 if place == 5 else i
    contract_md = None
    if basic_mode == "BY_CONTRACT_MD":
        typical = load_kw * kind.peak_to_mean * kind.season_peak
        contract_md = int(max(-(-contract_cap * 4 // 100) * 10, round(typical * (0.92 + 0.22 * draw("md")), -1)))
    feeder = i // ACCOUNTS_PER_FEEDER
    if voltage in ("AC35kV", "AC110kV"):
        main, spare = f"{voltage[2:-2]}F{i:05d}A", f"{voltage[2:-2]}F{i:05d}B"
    else:
        main, spare = f"10F{feeder:05d}", f"10G{feeder:05d}"
    suspensions = _suspensions(seed, i, len(transformers), place, draw("load"))
    if place == 2 and i // 20 % 5 == 4 and not suspensions:  # what stands by is not suspended
        transformers[-1].duty = "HOT_BACKUP"
    security = int(contract_cap * 0.08) if importance != "NONE" else 0
    # of the customers of the first class, every other one has less of its own than it should
    self_gen = int(security * (0.9 if importance == "FIRST" and (i // 20) % 2 == 1 else 1.3))
    if place == 6:
        self_gen = int(choice(seed, "pv", (200, 315, 400, 630), i))
    return Account(
        number=i,
        cons_no=cons_no,
        kind=kind,
        name=f"合成第{i + 1:04d}号{kind.suffix}",
        uscc=uscc_of(i),
        org=feeder % len(ORGS),
        voltage=voltage,
        side=side,
        transformers=transformers if voltage != "AC380V" else [],
        contract_cap=contract_cap,
        running_cap=running,
        growth_on=growth_on,
        growth_kva=growth,
        importance=importance,
        supply_mode="SINGLE" if not dual else "DUAL_CIRCUIT" if importance == "SECOND" else "DUAL_SOURCE",
        main_feeder=main,
        backup_feeder=spare if dual else None,
        self_gen_kva=self_gen,
        security_kva=security,
        tariff=tariff,
        terms=[
            Terms(connect, basic_mode, contract_md),
            *_new_terms(
                seed, i, basic_mode, contract_md, contract_cap, can_change=i >= 20 and growth_on is None and not life
            ),
        ],
        pf_standard=standard,
        is_tou=kind.cons_class != "AGRI",
        accepted_on=accepted,
        signed_on=signed,
        connect_on=connect,
        rest_day=int(integers(seed, "rest", 0, 7, i)) if kind.has_rest_day else None,
        acct_no=f"8{payer + 1:09d}",
        payer=payer,
        load_kw=load_kw,
        tg_no=f"TG{feeder:06d}" if voltage == "AC380V" else None,
        suspensions=suspensions,
        closed_on=closed,
    )


def _first_of_month(months: int) -> date:
    """The first of the month so many months after January 2024."""
    return date(2024 + months // 12, months % 12 + 1, 1)


def _joining(seed: int, i: int) -> tuple[date, date, date]:
    """Days on which a new customer applied, signed and was connected, the last one the first of a month."""
    connect = _first_of_month(1 + i // 20 % 9 * 4)
    accepted = connect - timedelta(days=60)
    while True:
        runs = stages.schedule(seed, i * 10, accepted, whole=i % 20 in IMPORTANT_PLACES)
        if stages.end_of(runs, "METER_ENERGISE") <= connect:
            return runs[0].start.astype("datetime64[D]").item(), stages.end_of(runs, "AGREEMENT"), connect
        accepted -= timedelta(days=2)


def _new_terms(seed: int, i: int, mode: str, demand: int | None, cap: int, can_change: bool) -> list[Terms]:
    """Changes on the first of a month: another way to reckon the basic charge, or another contract demand, above its floor."""
    found: list[Terms] = []
    for year in range(2024, 2040) if can_change else ():
        share, month, step = uniform(seed, "terms", i, year, np.arange(3)).tolist()
        before = mode, demand
        if demand and share < 0.12:
            demand = max(-(-cap * 4 // 100) * 10, int(demand * (0.94 if step < 0.5 else 1.05)) // 10 * 10)
        elif not demand and mode != "NONE" and share < 0.03:
            mode = "BY_CAPACITY" if mode == "BY_ACTUAL_MD" else "BY_ACTUAL_MD"
        else:
            continue
        if (mode, demand) != before:
            found.append(Terms(date(year, 1 + int(month * 12), 1), mode, demand))
    return found


def _suspensions(seed: int, i: int, transformers: int, place: int, load: float) -> list[tuple[date, date]]:
    """Times from a first to a first of a month in which a works with two transformers and little load rests one of them."""
    if transformers < 2 or place in (0, 1, 7, 11, 12, 16, *_LIVES) or load > 0.4:
        return []
    spans = []
    for year in range(2024, 2040):
        share, month, length = uniform(seed, "suspension", i, year, np.arange(3)).tolist()
        if share < 0.5:
            start = 1 + int(month * 8)
            spans.append((date(year, start, 1), date(year, start + 2 + int(length * 3), 1)))
    return spans


def _is_low_metered(place: int, caps: list[int], voltage: str, draw: float) -> bool:
    if voltage != "AC10kV" or sum(caps) > 1250 or place in (1, 2, 3, 7, 12):
        return False
    return place == 18 or draw < 0.7


def _terms(kind: Kind, voltage: str, cap: int, place: int, draw: float) -> tuple[str, str, str]:
    """Basic mode, tariff code and power-factor standard."""
    if kind.cons_class == "AGRI":
        return "NONE", "NY-010", "0.80"
    if kind.cons_class == "GEN_IND_COM":
        if voltage == "AC380V":
            return "NONE", "GSY-LV", "0.85"
        if draw < 0.6 or cap <= 100:
            return "NONE", "GSY-010", "0.85"
        return ("BY_CAPACITY" if draw < 0.8 else "BY_ACTUAL_MD"), "GSY-2P-010", "0.85"
    tariff = {"AC10kV": "DGY-010", "AC35kV": "DGY-035", "AC110kV": "DGY-110"}[voltage]
    if place in (3, 5, 9, 13):
        return "BY_CONTRACT_MD", tariff, "0.90"
    return ("BY_CAPACITY" if draw < 0.45 else "BY_ACTUAL_MD"), tariff, "0.90"


def _scrambled(number: int) -> int:
    """A number of 18 digits of its own for each point, as asset numbers do not count up."""
    return (number * 982_451_653 + 401_234_567_890_123_457) % 10**18


def _ct_primary(cap_kva: float, kilovolts: float) -> int:
    current = cap_kva / (3**0.5 * kilovolts)
    return next((value for value in CT_SERIES if value >= current), CT_SERIES[-1])


def _points(seed: int, accounts: list[Account]) -> Points:
    rows = []
    for a in accounts:
        place = a.number % 20
        billing = [("BILLING", a.main_feeder, 0.6 if a.backup_feeder else 1.0)]
        if a.backup_feeder:
            billing.append(("BILLING", a.backup_feeder, 0.4))
        for order, (role, feeder, share) in enumerate(billing):
            rows.append(
                (a, order, role, feeder, a.load_kw * share, a.kind.family, a.side, a.contract_cap + a.growth_kva)
            )
        if place == 14 and (a.number // 20) % 2 == 0:
            rows.append((a, 2, "CHECK", a.main_feeder, a.load_kw, a.kind.family, a.side, a.contract_cap + a.growth_kva))
        if place == 6:
            rows.append((a, 3, "GENERATION", a.main_feeder, a.self_gen_kva * 0.16, "PV", "HV_LV", a.self_gen_kva))
    key = np.array([a.number * 4 + order for a, order, *_ in rows])
    side = np.array([row[6] for row in rows])
    voltage = np.array([a.voltage for a, *_ in rows])
    is_high = side == "HV_HV"
    kilovolts = [LINE_KV[v] if high else 0.4 for v, high in zip(voltage, is_high, strict=True)]
    wiring = np.where(is_high & (voltage != "AC110kV"), "3P3W", "3P4W")
    nominal = np.where(~is_high, 220.0, np.where(wiring == "3P3W", 100.0, 57.735))
    few_digits = is_high & (uniform(seed, "digits", key) < 0.01)
    return Points(
        key=key,
        account=np.array([a.number for a, *_ in rows]),
        mp_no=[f"{a.cons_no}{order + 1:02d}" for a, order, *_ in rows],
        meter_no=[f"3130{_scrambled(k):018d}" for k in key.tolist()],
        role=np.array([row[2] for row in rows]),
        wiring=wiring,
        side=side,
        voltage=voltage,
        ct=np.array([_ct_primary(row[7], kv) // 5 for row, kv in zip(rows, kilovolts, strict=True)]),
        pt=np.where(is_high, np.array([int(kv * 10) for kv in kilovolts]), 1),
        nominal_v=nominal,
        digits=np.where(few_digits, 5, 6),
        feeder=np.array([row[3] for row in rows]),
        family=np.array([FAMILIES.index(row[5]) for row in rows]),
        rest_day=np.array([-1 if row[0].rest_day is None or row[5] == "PV" else row[0].rest_day for row in rows]),
        load_kw=np.array([row[4] for row in rows]),
        tran_no=[a.transformers[0].tran_no if a.transformers else None for a, *_ in rows],
        parent=[f"{row[0].cons_no}01" if row[2] == "CHECK" else None for row in rows],
    )
