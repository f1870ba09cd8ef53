"""The accounts of the simulated utility.

Account `i` is the same whatever the number of accounts: everything about it is drawn from its own number. Its place
in a block of twenty decides what it must be, so that every kind of account exists from twenty accounts on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np

from include.lab.simulator import stages
from include.lab.simulator.days import ANCHOR
from include.lab.simulator.hashing import choice, integers, uniform
from include.lab.simulator.kinds import KINDS, Kind, kind_of, transformers_of
from include.lab.simulator.stories import PLAIN, Story, story_of

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


@dataclass(frozen=True)
class Holder:
    """Who holds an account from a day on; its number is that of an account, or of nobody else."""

    since: date
    number: int
    name: str
    uscc: str

    @property
    def legal_rep(self) -> str:
        return f"合成法人{self.number + 1:04d}"


@dataclass
class Account:
    """One customer; capacities in kVA, `growth_on` the first day of a later increase by `growth_kva`."""

    number: int
    cons_no: str
    kind: Kind
    holders: list[Holder]
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
    story: Story = PLAIN

    def holder_on(self, day: date) -> Holder:
        """The customer behind the account on a day."""
        return [holder for holder in self.holders if holder.since <= day or holder is self.holders[0]][-1]

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


def uscc_of(number: int) -> str:
    """A synthetic unified social credit code with the check character of GB 32100."""
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    body = f"91310101MA{(number * 7919 + 1_357_911) % 10**7:07d}"
    total = sum(alphabet.index(char) * pow(3, i, 31) for i, char in enumerate(body))
    return body + alphabet[(31 - total % 31) % 31]


def build_account(seed: int, i: int, is_rich: bool) -> Account:
    """Account `i`, with its story where the utility is a rich one."""
    place = i % 20
    kind = KINDS[kind_of(seed, i)]
    feeder = i // ACCOUNTS_PER_FEEDER
    office = feeder % len(ORGS)
    story = story_of(i, kind, office) if is_rich else PLAIN
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
        runs = stages.schedule(seed, i * 10, accepted, whole=i % 20 in IMPORTANT_PLACES, is_slow=story.is_slow)
        accepted, signed, connect = (
            runs[0].start.astype("datetime64[D]").item(),
            stages.end_of(runs, "AGREEMENT"),
            stages.end_of(runs, "METER_ENERGISE"),
        )
    else:
        signed = accepted + timedelta(days=60 + int(draw("signed") * 60))
        connect = signed + timedelta(days=3 + int(draw("connect") * 8))
    closed = story.leaves_on or _first_of_month(3 + i // 20 % 9 * 5) if life == _LEAVES else None
    if life == _JOINS:
        connect = story.joins_on or _first_of_month(1 + i // 20 % 9 * 4)
        accepted, signed = _joining(seed, i, connect, story.is_slow)
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
    head = i if story.head is None else story.head
    payer = i - 1 if place == 5 else head
    contract_md = None
    if basic_mode == "BY_CONTRACT_MD":
        typical = load_kw * kind.peak_to_mean * kind.season_peak
        contract_md = int(max(-(-contract_cap * 4 // 100) * 10, round(typical * (0.92 + 0.22 * draw("md")), -1)))
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
        holders=_holders(connect, head, KINDS[kind_of(seed, head)], story.new_owner_on),
        org=office,
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
                seed,
                i,
                basic_mode,
                contract_md,
                contract_cap,
                can_change=i >= 20 and growth_on is None and not life and not story.changes_contract_on,
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
        story=story,
    )


def _holders(connect: date, number: int, kind: Kind, new_owner_on: date | None) -> list[Holder]:
    """The first customer and, where the works was sold, the one who bought it."""
    first = Holder(connect, number, f"合成第{number + 1:04d}号{kind.suffix}", uscc_of(number))
    buyer = number + 500_000
    if new_owner_on is None:
        return [first]
    return [first, Holder(new_owner_on, buyer, f"合成新业第{buyer + 1}号{kind.suffix}", uscc_of(buyer))]


def _first_of_month(months: int) -> date:
    """The first of the month so many months after January 2024."""
    return date(2024 + months // 12, months % 12 + 1, 1)


def _joining(seed: int, i: int, connect: date, is_slow: bool) -> tuple[date, date]:
    """Days on which a new customer applied and signed."""
    accepted = connect - timedelta(days=60)
    while True:
        runs = stages.schedule(seed, i * 10, accepted, whole=i % 20 in IMPORTANT_PLACES, is_slow=is_slow)
        if stages.end_of(runs, "METER_ENERGISE") <= connect:
            return runs[0].start.astype("datetime64[D]").item(), stages.end_of(runs, "AGREEMENT")
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
