"""Planted defects: classes that spoil single records of the simulated utility, with the truth about each."""
