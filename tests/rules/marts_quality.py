"""Stand-ins for the rules on metering integrity, scorecard, access list and contract health."""

GOOD = [
    """create table candidate.mart_metering_integrity as select 'P'::text as metering_point_no, date '2026-11-04' as reading_date,
    'A'::text as account_no, 192 as expected_points, 150 as valid_points, 8 as estimated_points, 30 as missing_points, 4 as outage_points""",
    """create table candidate.mart_dq_scorecard as
    select * from (values
        ('ORGANISATION', 'ALL', 'metering', 2, null), ('ORGANISATION', 'ALL', 'metering', 1, null),
        ('DIMENSION', 'validity', 'metering', 3, 0.98), ('DIMENSION', 'ALL', 'metering', 3, 0.99), ('DIMENSION', 'ALL', 'ALL', 3, 0.99)
    ) as card (level_code, dimension_code, source_name, defect_cnt, score)""",
    """create table candidate.mart_access_list as
    select distinct unit_no, date '2026-11-05' as as_of_date from staging.stg_marketing__access_units""",
    """create table candidate.mart_contract_health as
    select distinct contract_no, date '2026-11-05' as as_of_date from staging.stg_contract__contracts
    where status_code <> 'DRAFT' and valid_from <= date '2026-11-05'""",
]
RULES = ("MART-50", "MART-51", "MART-52", "MART-53")
