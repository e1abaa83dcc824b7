-- The columns of a Spark job with daily windows, by days of UTC; then the folders.
create or replace {temporary}view spark_daily as
with hours as (
    select *, {utc_day} as day_start
    from bars_1h
    where open is not null
)
select {window} as {window_name}, symbol, {arg_min}(open, start_time) as daily_open, max(high) as daily_high, min(low) as daily_low,
    {arg_max}(close, start_time) as daily_close, sum(volume) as daily_volume, sum(quote_volume) as daily_quote_volume,
    sum(trades) as daily_trades, sum(ticks) as record_count, {daily_average} as avg_price, epoch, lake_topic
from hours
group by day_start, symbol, epoch, lake_topic;

