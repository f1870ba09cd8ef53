-- 发改价格〔2021〕1093号: the sharp price is at least 20 percent above the peak price.
select
    sharp.tariff_code,
    sharp.valid_from,
    sharp.price_cny as sharp_price_cny,
    peak.price_cny as peak_price_cny
from {{ ref('tariff_prices') }} as sharp
inner join {{ ref('tariff_prices') }} as peak
    on
        sharp.tariff_code = peak.tariff_code
        and peak.component_code = sharp.component_code
        and peak.rate_code = 'PEAK'
        and {{ are_valid_together('sharp', 'peak') }}
where sharp.component_code = 'ENERGY' and sharp.rate_code = 'SHARP' and sharp.price_cny < 1.2 * peak.price_cny
