-- Spots of the three tables, copied from the published ones; + is a surcharge.
with adjustments as (
    select * from {{ ref('power_factor_adjustment') }}
),

published as (
    select
        spots.standard,
        spots.power_factor,
        spots.pct
    from (
        values
        ('0.90', 1.00, -0.75), ('0.90', 0.95, -0.75), ('0.90', 0.94, -0.60), ('0.90', 0.92, -0.30), ('0.90', 0.91, -0.15),
        ('0.90', 0.90, 0), ('0.90', 0.89, 0.5), ('0.90', 0.85, 2.5), ('0.90', 0.80, 5), ('0.90', 0.75, 7.5), ('0.90', 0.70, 10),
        ('0.90', 0.69, 11), ('0.90', 0.65, 15), ('0.90', 0.64, 17), ('0.90', 0.60, 25), ('0.90', 0.50, 45),
        ('0.85', 1.00, -1.10), ('0.85', 0.94, -1.10), ('0.85', 0.93, -0.95), ('0.85', 0.91, -0.65), ('0.85', 0.90, -0.50),
        ('0.85', 0.86, -0.10), ('0.85', 0.85, 0), ('0.85', 0.84, 0.5), ('0.85', 0.80, 2.5), ('0.85', 0.70, 7.5),
        ('0.85', 0.65, 10), ('0.85', 0.64, 11), ('0.85', 0.60, 15), ('0.85', 0.59, 17), ('0.85', 0.50, 35),
        ('0.80', 1.00, -1.30), ('0.80', 0.92, -1.30), ('0.80', 0.91, -1.15), ('0.80', 0.90, -1.00), ('0.80', 0.85, -0.50),
        ('0.80', 0.80, 0), ('0.80', 0.79, 0.5), ('0.80', 0.70, 5), ('0.80', 0.60, 10), ('0.80', 0.59, 11), ('0.80', 0.55, 15),
        ('0.80', 0.54, 17), ('0.80', 0.50, 25)
    ) as spots (standard, power_factor, pct)
),

final as (
    select
        published.standard,
        published.power_factor,
        published.pct as published_pct,
        adjustments.pct as seed_pct
    from published
    left join adjustments
        on published.standard = adjustments.standard and published.power_factor = adjustments.power_factor
    where adjustments.pct is distinct from published.pct
    union all
    select
        adjustments.standard,
        null as power_factor,
        101 as published_pct,
        count(*) as seed_pct
    from adjustments
    group by adjustments.standard
    having count(*) <> 101
)

select * from final
