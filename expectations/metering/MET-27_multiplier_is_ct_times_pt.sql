/*
sentence: The multiplier of a metering point is its CT ratio times its PT ratio.
axis: mismatch
dimension: consistency
severity: quarantine
owner: metering office
reason: The multiplier scales every kilowatt-hour of the point.
source: project rule
subject: met_measuring_point
quarantines: met_measuring_point
population: metering points with both ratios and a multiplier
reads: [stg_metering__measuring_points]
parameters: [tolerance]
*/
-- tested
select
    {{ row_of('points') }},
    points.multiplier,
    points.ct_ratio,
    points.pt_ratio
from staging.stg_metering__measuring_points as points
where points.multiplier is not null and points.ct_ratio is not null and points.pt_ratio is not null
-- violations
select
    {{ finding('multiplier') }},
    multiplier::text as observed,
    trim_scale(ct_ratio * pt_ratio) || ' (' || ct_ratio || ' x ' || pt_ratio || ')' as expected
from tested
where abs(multiplier - ct_ratio * pt_ratio) >= :tolerance
