"""A simulated electricity utility: three source systems whose data hold together. All of it is synthetic."""
