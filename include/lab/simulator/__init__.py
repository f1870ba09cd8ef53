"""A simulated electricity utility: three source systems whose data hold together. All of it is synthetic."""

from include.lab.simulator.command import main
from include.lab.simulator.deliver import write_deliveries, write_forms
from include.lab.simulator.generate import Simulation, Truth, generate
from include.lab.simulator.load import load_databases

__all__ = ["Simulation", "Truth", "generate", "load_databases", "main", "write_deliveries", "write_forms"]
