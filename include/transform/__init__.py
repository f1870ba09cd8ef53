"""From raw rows to candidate marts: dbt's invocations and the load clusters."""
