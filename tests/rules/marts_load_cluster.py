"""Stand-in and fault of the rules on mart_load_cluster."""

GOOD = [
    """create table candidate.mart_load_cluster as
    select 'A'::text as account_no, date '2026-10-01' as month_start_date, 1 as cluster_no, 1 as cluster_count, 2 as cluster_accounts,
    null::text as no_cluster_code
    union all select 'B', date '2026-10-01', 1, 1, 2, null
    union all select 'C', date '2026-10-01', null, null, null, 'TOO_FEW_DAYS'"""
]
RULES = ("MART-60",)
