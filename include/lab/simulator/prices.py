"""Synthetic prices of the simulated utility. None of these is the price of a real utility.

Yuan per kWh with eight decimals, held as integers of 10^-8 yuan so that bills are exact.
"""

from __future__ import annotations

# tariff code -> flat energy price, 10^-8 yuan per kWh
FLAT_PRICE = {
    "DGY-010": 61_250_000,
    "DGY-035": 58_750_000,
    "DGY-110": 56_250_000,
    "GSY-010": 66_820_000,
    "GSY-2P-010": 62_400_000,
    "GSY-LV": 69_350_000,
    "NY-010": 45_600_000,
}
# rate -> price as parts of 100 of the flat price
RATE_PERCENT = {"T": 100, "SHARP": 190, "PEAK": 158, "FLAT": 100, "VALLEY": 42, "DEEP": 20}
FUND_PRICE = 2_935_000
LINE_LOSS_PRICE = 1_868_000
SYSTEM_OP_PRICE = 3_172_000
CAPACITY_PRICE = 2_400_000_000  # yuan per kVA and month, 10^-8
DEMAND_PRICE = 3_840_000_000  # yuan per kW and month, 10^-8
SHARP_MONTHS = (7, 8, 9)
DEEP_MONTHS = (3, 4, 5)  # noon of spring: much sun, little load
DEMAND_DISCOUNT_KWH_PER_KVA = 260
