"""Stand-ins and faults of the rules on metering integrity, scorecard, access list and contract health."""

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
FAULTS = {
    "MART-50": "update candidate.mart_metering_integrity set missing_points = 32, outage_points = -2, valid_points = 154",
    "MART-51": "update candidate.mart_dq_scorecard set defect_cnt = 0 where level_code = 'ORGANISATION' and defect_cnt = 1",
    "MART-52": "delete from candidate.mart_access_list where unit_no = (select min(unit_no) from candidate.mart_access_list)",
    "MART-53": "delete from candidate.mart_contract_health where contract_no = (select min(contract_no) from candidate.mart_contract_health)",
}
