"""Kinds of customers: how they work, what they are called, and what their substations look like. Synthetic."""

from __future__ import annotations

from dataclasses import dataclass

from include.lab.simulator.hashing import choice, integers


@dataclass(frozen=True)
class Kind:
    """`rest_factor` and `holiday_factor` scale a day off; `summer` the season; `power_factor` is a usual range."""

    suffix: str
    cons_class: str
    industry_code: str
    family: str
    shift_mode: str
    load_property: str
    rest_factor: float
    holiday_factor: float
    summer: float
    winter: float
    peak_to_mean: float
    has_rest_day: bool = False

    @property
    def season_peak(self) -> float:
        return 1 + max(self.summer, self.winter)


KINDS = {
    "STEEL": Kind("钢铁有限公司", "LARGE_IND", "3130", "THREE_SHIFT", "三班制", "CLASS2", 0.98, 0.85, 0.03, 0.02, 1.16),
    "CEMENT": Kind(
        "水泥有限公司", "LARGE_IND", "3011", "THREE_SHIFT", "三班制", "CLASS3", 0.95, 0.60, 0.02, -0.12, 1.16
    ),
    "CHEMICAL": Kind(
        "化工有限公司", "LARGE_IND", "2614", "THREE_SHIFT", "三班制", "CLASS2", 1.0, 0.95, 0.02, 0.03, 1.16
    ),
    "TEXTILE": Kind(
        "纺织有限公司", "LARGE_IND", "1711", "THREE_SHIFT", "三班制", "CLASS3", 0.96, 0.45, 0.08, 0.02, 1.16
    ),
    "MACHINERY": Kind(
        "机械制造有限公司", "LARGE_IND", "3421", "TWO_SHIFT", "两班制", "CLASS3", 0.45, 0.30, 0.08, 0.04, 1.55, True
    ),
    "CAR_PARTS": Kind(
        "汽车零部件有限公司", "LARGE_IND", "3670", "TWO_SHIFT", "两班制", "CLASS3", 0.50, 0.30, 0.10, 0.05, 1.55, True
    ),
    "FOOD": Kind(
        "食品有限公司", "LARGE_IND", "1411", "ONE_SHIFT", "单班制", "CLASS3", 0.45, 0.40, 0.15, 0.05, 1.95, True
    ),
    "OFFICE": Kind(
        "物业管理有限公司", "GEN_IND_COM", "7020", "OFFICE", "单班制", "CLASS3", 0.45, 0.35, 0.20, 0.12, 1.95
    ),
    "MALL": Kind("商贸有限公司", "GEN_IND_COM", "5211", "SHOP", "单班制", "CLASS3", 1.10, 1.15, 0.18, 0.08, 1.65),
    "HOSPITAL": Kind("综合医院", "GEN_IND_COM", "8411", "HOSPITAL", "三班制", "CLASS1", 0.85, 0.80, 0.18, 0.10, 1.38),
    "DATA": Kind(
        "数据服务有限公司", "GEN_IND_COM", "6450", "DATA_CENTRE", "三班制", "CLASS1", 1.0, 1.0, 0.10, 0.0, 1.15
    ),
    "PUMP": Kind("排灌服务站", "AGRI", "0513", "PUMPING", "单班制", "CLASS3", 1.0, 1.0, 0.25, -0.30, 2.05),
}

_FIXED = {
    0: "STEEL",
    2: "CEMENT",
    3: "MACHINERY",
    5: "FOOD",
    6: "CAR_PARTS",
    9: "TEXTILE",
    13: "MACHINERY",
    18: "PUMP",
    19: "MALL",
}
_FREE = ("MACHINERY", "CAR_PARTS", "FOOD", "OFFICE", "MALL", "HOSPITAL", "TEXTILE", "OFFICE", "CHEMICAL", "DATA")


def kind_of(seed: int, account: int) -> str:
    """Name of the kind of an account."""
    place = account % 20
    if place == 1:
        return ("CHEMICAL", "HOSPITAL", "DATA")[(account // 20) % 3]
    if place in (7, 12):
        return str(choice(seed, "kind", ("MACHINERY", "CAR_PARTS", "FOOD", "TEXTILE"), account))
    return _FIXED.get(place) or str(choice(seed, "kind", _FREE, account))


def transformers_of(seed: int, account: int, voltage: str, kind: Kind) -> list[int]:
    """Rated capacities of the main transformers, kVA, from the R10 series; a few accounts are far larger than the rest."""
    place = account % 20
    if voltage == "AC380V":
        return []
    if voltage == "AC110kV":
        return [int(choice(seed, "cap", (25000, 31500, 40000), account))]
    if voltage == "AC35kV":
        return [int(choice(seed, "cap", (6300, 8000, 10000), account))] * 2
    if place in (1, 2):
        return [int(choice(seed, "cap", (2000, 2500, 3150), account))] * 2
    if kind.cons_class == "AGRI":
        return [int(choice(seed, "cap", (315, 400, 500), account))]
    series = (400, 500, 630, 800, 1000, 1250) if place != 3 else (1600, 2000, 2500)
    if kind.cons_class == "GEN_IND_COM":
        series = (250, 315, 400, 500, 630, 800)
    first = int(choice(seed, "cap", series, account))
    count = 1 + int(integers(seed, "cap count", 0, 5, account) == 0) + int(place in (3, 11))
    return [first] * count
