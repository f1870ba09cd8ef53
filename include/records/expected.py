"""What should have been there on a night: shares by kind, period, office and channel, and each thing that was absent."""

from __future__ import annotations

import psycopg


def note(connection: psycopg.Connection, run_id: int) -> None:
    """Stores the shares and the absent things of a run, as staging has them; a gate that is repeated replaces its own.

    Shares are of days and months that the night looked at as a whole. Channels are of metering points alone.
    """
    for table in ("expected_shares", "expected_absent"):
        connection.execute(f"delete from quality.{table} where run_id = %s", (run_id,))
    connection.execute(
        """
        insert into quality.expected_shares (run_id, what, table_name, period_date, org_no, channel, expected, arrived)
        select
            %s, what_code, table_name, period_date, org_no,
            case when record_key ? 'mp_no' then channel_code end,
            count(*), count(*) filter (where is_arrived)
        from staging.int_expected_things
        where is_whole
        group by what_code, table_name, period_date, org_no, case when record_key ? 'mp_no' then channel_code end
        """,
        (run_id,),
    )
    connection.execute(
        """
        insert into quality.expected_absent
            (run_id, what, table_name, rule_id, record_key, account_no, org_no, channel, period_date, since_date, explained_by)
        select
            %s, what_code, table_name, rule_id, record_key, account_no, org_no, channel_code, period_date, since_date, explained_by
        from staging.int_expected_things
        where not is_arrived
        """,
        (run_id,),
    )
