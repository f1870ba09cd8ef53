with names as (
    select * from {{ ref('tariff_names') }} as names
    where {{ is_valid_on('names', business_date()) }}
),

assigned as (
    select tariff_code from {{ ref('dim_tariffs') }}
    where tariff_code is not null
    union
    select tariff_code from {{ ref('dim_contracts') }}
    where tariff_code is not null
),

-- A tariff that the list does not have keeps its code as its name, and the reader sees that it is not listed.
final as (
    select
        tariff_code,
        name_en,
        name_zh,
        parts,
        voltage_level_code,
        true as is_listed
    from names
    union all
    select
        assigned.tariff_code,
        assigned.tariff_code as name_en,
        assigned.tariff_code as name_zh,
        null::integer as parts,
        null as voltage_level_code,
        false as is_listed
    from assigned
    left join names on assigned.tariff_code = names.tariff_code
    where names.tariff_code is null
    union all
    select
        'UNKNOWN' as tariff_code,
        'unknown' as name_en,
        '未知' as name_zh,
        null::integer as parts,
        null as voltage_level_code,
        false as is_listed
)

select * from final
