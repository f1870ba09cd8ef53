with source as (
    {{ newest_landed('metering', 'met_pq_sample') }}
),

renamed as (
    select
        -- ids
        trim(mp_no) as metering_point_no,

        -- numerics
        u_a as voltage_a_v,
        u_b as voltage_b_v,
        u_c as voltage_c_v,
        i_a as current_a_a,
        i_b as current_b_a,
        i_c as current_c_a,
        p_kw as active_power_kw,
        q_kvar as reactive_power_kvar,
        pf as power_factor,

        -- timestamps
        sampled_at,
        recv_ts as received_at,

        -- where the row comes from
        _raw_id,
        _load_id
    from source
)

select * from renamed
