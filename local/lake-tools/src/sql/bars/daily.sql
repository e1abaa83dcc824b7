-- Bars of a local day, composed of those of its hours; where there are none, the provider's own.
create or replace {temporary}view bars_days_{view} as
with composed as (
{days}
), bounded as (
    select *, {day_start} as start_us, {day_end} as end_us
    from composed
), offered as (
    select epoch, lake_symbol, symbol, cast(bar.date as date) as trading_date, fetched, kafka_partition, kafka_offset,
        event_id, canonical_symbol, currency, mic, source, time_zone, time_zone as day_zone,
        bar.open as open, bar.high as high, bar.low as low, bar.close as close, bar.volume as volume
    from bars_lines_{view} {each_bar}
    where shape = 'stock-historical/1' and bar.open is not null and bar.high is not null and bar.low is not null
        and bar.close is not null and bar.volume is not null
), offered_days as (
    select *, {day_start} as start_us, {day_end} as end_us
    from offered
), signed as (
    -- The first version that was fetched after the day counts, else the last.
    select *, case when fetched >= end_us then 1 else -1 end as sign
    from offered_days
), ranked as (
    select *, row_number() over (
        partition by epoch, lake_symbol, symbol, trading_date
        order by sign desc, sign * fetched, sign * kafka_partition, sign * kafka_offset, open, high, low, close, volume) as version
    from signed
)
select epoch, lake_symbol, symbol, trading_date, start_us, end_us, open, high, low, close, coalesce(session_volume, volume) as volume,
    quote_volume, trades, ticks, price_sum, late, basis, source, canonical_symbol, currency, mic, time_zone, first_event,
    last_event, session_volume, close_event_id,
    case when is_complete = 1 and coalesce(mark, newest) >= end_us + {lateness} then 1 else 0 end as is_complete
from bounded
union all
select ranked.epoch, ranked.lake_symbol, ranked.symbol, ranked.trading_date, ranked.start_us, ranked.end_us, ranked.open, ranked.high,
    ranked.low, ranked.close, ranked.volume, cast(null as decimal(38,18)), cast(null as bigint), 0, cast(0 as decimal(38,18)), 0,
    'provider', ranked.source, ranked.canonical_symbol, ranked.currency, ranked.mic, ranked.time_zone, cast(null as bigint),
    cast(null as bigint), cast(null as decimal(38,18)), ranked.event_id, case when ranked.sign = 1 then 1 else 0 end
from ranked left join composed
    on composed.epoch = ranked.epoch and composed.lake_symbol = ranked.lake_symbol and composed.symbol = ranked.symbol
    and composed.trading_date = ranked.trading_date
where ranked.version = 1 and composed.symbol is null;

create or replace {temporary}view bars_1d_{view} as
select
    {columns}
from bars_days_{view};

