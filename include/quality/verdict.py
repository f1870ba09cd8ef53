"""Great Expectations gives the verdict: one expectation a rule over the violations of the run.

Its count, ours and the database's are compared; a rule that is missing from the evaluated suite fails the gate.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path

from include.environment import variables
from include.errors import InfrastructureError
from include.quality.evaluate import Result
from include.quality.rules import Rule
from include.records.warehouse import Warehouse
from include.settings import settings


def great_expectations_counts(warehouse: Warehouse, run_id: int, rule_ids: list[str]) -> dict[str, int]:
    """Unexpected rows per rule as Great Expectations counts them; its own result is kept as evidence."""
    address = warehouse.address.replace("postgresql://", "postgresql+psycopg2://", 1)
    given = {"GX_ANALYTICS_ENABLED": "false", "KAW_GX_URL": address, "PGOPTIONS": warehouse.session_options}
    with variables(given):
        outcome = _validate(run_id, rule_ids)
    counts = {}
    for result in outcome.results:
        if "observed_value" not in result.result:  # its query failed
            raise InfrastructureError(
                f"Great Expectations could not evaluate {result.expectation_config.meta['rule_id']}.",
                where=str(result.exception_info)[:300],
                next_step="see the evidence file of this run and repeat the command.",
            )
        counts[result.expectation_config.meta["rule_id"]] = int(result.result["observed_value"])
    _keep(run_id, outcome.to_json_dict(), len(rule_ids))
    return counts


def _validate(run_id: int, rule_ids: list[str]):
    """One expectation a rule over the violations of the run, at the address in KAW_GX_URL: it is in no file of evidence."""
    logging.getLogger("great_expectations").setLevel(logging.WARNING)  # it tells two hundred lines as it is imported
    import great_expectations as gx
    import great_expectations.expectations as gxe
    from great_expectations.data_context.types import base

    logging.getLogger(base.__name__).setLevel(logging.WARNING)  # this part sets a level of its own, to tell of a folder
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    warehouse = context.data_sources.add_postgres("warehouse", connection_string="${KAW_GX_URL}")
    asset = warehouse.add_query_asset(
        "violations", query=f"select * from quality.violations where run_id = {int(run_id)}"
    )
    batch = asset.add_batch_definition_whole_table("of this run")
    suite = gx.ExpectationSuite(
        name="rule book",
        expectations=[
            gxe.UnexpectedRowsExpectation(
                unexpected_rows_query=f"select * from {{batch}} where rule_id = '{rule_id}'", meta={"rule_id": rule_id}
            )
            for rule_id in rule_ids
        ],
    )
    # a definition of a validation would keep suite and result in stores of the context, which ends with this function
    return batch.get_batch().validate(suite, result_format="BASIC")


def assert_agreement(
    rules: list[Rule], results: list[Result], observed: dict[str, int], counted: dict[str, int]
) -> None:
    """Every rule was evaluated by both, and both counted the same; anything else is a fault of ours and stops the run."""
    ids = {r.id for r in rules}
    if missing := (ids - set(observed)) | (ids - {r.rule_id for r in results}):
        raise InfrastructureError(
            f"{len(missing)} rules were not evaluated: {', '.join(sorted(missing)[:5])}.",
            next_step="do not publish; a rule that is not evaluated cannot have passed.",
        )
    if differing := [i for i in sorted(ids) if observed[i] != counted.get(i, 0)]:
        first = differing[0]
        raise InfrastructureError(
            f"Great Expectations counts {observed[first]} violations of {first}, the database {counted.get(first, 0)}.",
            next_step="another run is writing to this warehouse; repeat the command.",
        )


def _keep(run_id: int, outcome: dict, size: int) -> None:
    folder = Path(settings().home) / "evidence"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"great_expectations_run_{run_id}_{size}_rules.json"
    path.write_text(json.dumps(outcome, ensure_ascii=False, default=str))
