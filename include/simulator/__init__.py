"""A simulated electricity utility: three source systems whose data hold together. All of it is synthetic."""

from include.simulator.command import main
from include.simulator.deliver import write_deliveries, write_forms
from include.simulator.generate import Simulation, Truth, generate
from include.simulator.load import load_databases

__all__ = ["Simulation", "Truth", "generate", "load_databases", "main", "write_deliveries", "write_forms"]
