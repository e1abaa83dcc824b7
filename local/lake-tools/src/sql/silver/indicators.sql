-- Averages of the last closes, null for as long as there are too few: Bollinger's bands of 20 bars, the average true range of 14 without
-- Wilder's smoothing, and the day's price weighted by volume so far.
create or replace {temporary}view bars_indicators as
with priced as (
    select symbol, bar_interval, start_time, end_time, trading_date, epoch, lake_topic, lake_symbol, volume, quote_volume,
        {double_high} as high, {double_low} as low, {double_close} as close
    from bars
    where open is not null
), ranged as (
    select *, lag(close) over (partition by epoch, lake_topic, lake_symbol, bar_interval order by start_time) as close_before
    from priced
), true_ranges as (
    select *, case when close_before is not null
        then greatest(high - low, abs(high - close_before), abs(low - close_before)) end as true_range
    from ranged
), averages as (
    select *,
        count(close) over (partition by epoch, lake_topic, lake_symbol, bar_interval order by start_time
            rows between 19 preceding and current row) as closes_20,
        count(close) over (partition by epoch, lake_topic, lake_symbol, bar_interval order by start_time
            rows between 49 preceding and current row) as closes_50,
        count(true_range) over (partition by epoch, lake_topic, lake_symbol, bar_interval order by start_time
            rows between 13 preceding and current row) as ranges_14,
        avg(close) over (partition by epoch, lake_topic, lake_symbol, bar_interval order by start_time
            rows between 19 preceding and current row) as average_20,
        {deviation}(close) over (partition by epoch, lake_topic, lake_symbol, bar_interval order by start_time
            rows between 19 preceding and current row) as deviation_20,
        avg(close) over (partition by epoch, lake_topic, lake_symbol, bar_interval order by start_time
            rows between 49 preceding and current row) as average_50,
        avg(true_range) over (partition by epoch, lake_topic, lake_symbol, bar_interval order by start_time
            rows between 13 preceding and current row) as average_range,
        sum(volume) over (partition by epoch, lake_topic, lake_symbol, bar_interval, trading_date order by start_time
            rows between unbounded preceding and current row) as volume_so_far,
        sum(quote_volume) over (partition by epoch, lake_topic, lake_symbol, bar_interval, trading_date order by start_time
            rows between unbounded preceding and current row) as quote_volume_so_far
    from true_ranges
)
select symbol, bar_interval, start_time, end_time, trading_date, close,
    case when closes_20 = 20 then average_20 end as sma_20,
    case when closes_50 = 50 then average_50 end as sma_50,
    case when closes_20 = 20 then average_20 + 2 * deviation_20 end as bb_upper,
    case when closes_20 = 20 then average_20 end as bb_middle,
    case when closes_20 = 20 then average_20 - 2 * deviation_20 end as bb_lower,
    case when ranges_14 = 14 then average_range end as atr_14,
    case when volume_so_far > 0 then {double_quote_volume} / {double_volume} end as vwap_of_day,
    epoch, lake_topic, lake_symbol
from averages;

