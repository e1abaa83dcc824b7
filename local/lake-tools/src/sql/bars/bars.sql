-- What the lines of {topic} say, each as its schema has it. Times are microseconds since 1970.
create or replace {temporary}view bars_lines_{view} as
select epoch, lake_symbol, symbol, kafka_partition, kafka_offset, shape, fetched, event, event_id,
    canonical_symbol, currency, mic, source, data,
    case when shape = 'trades-raw/1' then 'trade' when shape in {quotes} then 'quote' end as kind,
    case when shape = 'stock-quotes/1' then c else price end as price,
    case when shape = 'trades-raw/1' then size end as size,
    case when shape = 'stock-prices/1' then volume when shape = 'stock-board/1' then total_volume end as total,
    case when asset_class in ('crypto', 'forex') then 'UTC' when currency = 'USD' then 'America/New_York'
        when currency = 'VND' then 'Asia/Ho_Chi_Minh' else 'UTC' end as time_zone
from (
    select epoch, lake_symbol, symbol, c, price, size, volume, total_volume, data,
        {kafka}.partition as kafka_partition, {kafka}.offset as kafka_offset,
        coalesce(meta.schema, '{schema}') as shape, {event_id} as event_id,
        meta.symbol as canonical_symbol, meta.currency as currency, meta.mic as mic, meta.source as source,
        meta.asset_class as asset_class,
        coalesce({meta_fetched}, fetched_at * 1000000, {kafka}.{timestamp} * 1000) as fetched,
        case when meta is null then {body_event} else {meta_event} end as event
    from {read}
) as said;

-- Bars of a minute, before what follows from the minute before.
create or replace {temporary}view bars_minutes_{view} as
with polled as (
    select *, {event_minute} as start_us,
        coalesce(event_id, concat(cast(kafka_partition as {text}), '-', cast(kafka_offset as {text}))) as observation,
        case when fetched - event > {lateness} then 1 else 0 end as is_late
    from bars_lines_{view}
    where kind is not null and price is not null and event <= fetched + {ahead}
        and (kind = 'quote' or size is not null)
), versions as (
    select *, row_number() over (
        partition by epoch, lake_symbol, symbol, observation, event
        order by fetched, kafka_partition, kafka_offset) as version
    from polled
), observed as (
    -- Where a minute has trades, quotes give no prices.
    select *, max(case when kind = 'trade' and is_late = 0 then 1 else 0 end)
        over (partition by epoch, lake_symbol, symbol, start_us) as has_trades
    from versions
    where version = 1
), counted as (
    select *, case when is_late = 0 and case when kind = 'trade' then 1 else 0 end = has_trades then 1 else 0 end as is_counted
    from observed
), placed as (
    select *,
        row_number() over (
            partition by epoch, lake_symbol, symbol, start_us, is_counted
            order by event, kafka_partition, kafka_offset) as place,
        count(*) over (partition by epoch, lake_symbol, symbol, start_us, is_counted) as places,
        max(is_counted) over (partition by epoch, lake_symbol, symbol, start_us) as has_counted
    from counted
), closing as (
    -- Late ones alone still say what the bar is of.
    select *,
        case when place = places and is_counted = has_counted then 1 else 0 end as is_closing,
        max(case when is_counted = 1 and total is not null then place end)
            over (partition by epoch, lake_symbol, symbol, start_us) as place_of_total,
        case when price < 0 then cast(0 as decimal(37,18)) - cast(price as decimal(37,18)) else price end as price_magnitude,
        case when size < 0 then cast(0 as decimal(37,18)) - cast(size as decimal(37,18)) else size end as size_magnitude
    from placed
), whole as (
    select *, cast(floor(price_magnitude) as decimal(19,0)) as price_whole, cast(floor(size_magnitude) as decimal(19,0)) as size_whole
    from closing
), split as (
    select *,
        cast(cast(price_magnitude as decimal(37,18)) - price_whole as decimal(18,18)) as price_fraction,
        cast(cast(size_magnitude as decimal(37,18)) - size_whole as decimal(18,18)) as size_fraction
    from whole
), traded as (
    -- The exact product: only that of the fractions has to be rounded. (Spark's abs and minus sign cut digits beyond the 34th.)
    select *,
        (cast(price_whole * size_whole as decimal(36,18)) + cast(price_whole * size_fraction as decimal(36,18)))
        + (cast(price_fraction * size_whole as decimal(36,18)) + cast(price_fraction * size_fraction as decimal(36,18))) as quoted
    from split
), ticks as (
    select epoch, lake_symbol, symbol, start_us,
        max(case when is_counted = 1 and place = 1 then price end) as open,
        max(case when is_counted = 1 then price end) as high,
        min(case when is_counted = 1 then price end) as low,
        max(case when is_counted = 1 and is_closing = 1 then price end) as close,
        sum(case when is_counted = 1 and kind = 'trade' then size end) as volume,
        sum(case when is_counted = 1 and kind = 'trade' 
            then case when (price < 0) <> (size < 0) then cast(0 as decimal(37,18)) - cast(quoted as decimal(37,18)) else quoted end end) as quote_volume,
        sum(case when is_counted = 1 and kind = 'trade' then case when size = 0 then 0 else 1 end end) as trades,
        sum(is_counted) as ticks,
        sum(case when is_counted = 1 then price else cast(0 as decimal(38,18)) end) as price_sum,
        sum(is_late) as late,
        max(case when is_closing = 1 then kind end) as basis,
        {tick_sources} as source,
        max(case when is_closing = 1 then canonical_symbol end) as canonical_symbol,
        max(case when is_closing = 1 then currency end) as currency,
        max(case when is_closing = 1 then mic end) as mic,
        max(case when is_closing = 1 then time_zone end) as time_zone,
        min(case when is_counted = 1 then event end) as first_event,
        max(case when is_counted = 1 then event end) as last_event,
        max(case when is_counted = 1 and place = place_of_total then total end) as session_volume,
        max(case when is_counted = 1 and is_closing = 1 then event_id end) as close_event_id
    from traded
    group by epoch, lake_symbol, symbol, start_us
), offered as (
    select epoch, lake_symbol, symbol, {bar_minute} as start_us, fetched, kafka_partition, kafka_offset, event_id,
        canonical_symbol, currency, mic, source, time_zone,
        bar.open as open, bar.high as high, bar.low as low, bar.close as close, bar.volume as volume
    from bars_lines_{view} {each_bar}
    where shape = 'stock-intraday/1' and {bar_time} <= fetched + {ahead} and bar.open is not null and bar.high is not null
        and bar.low is not null and bar.close is not null and bar.volume is not null
), signed as (
    -- Of a provider's versions the last that was fetched in time counts, else the first after.
    select *, case when fetched < start_us + 60000000 + {lateness} then -1 else 1 end as sign
    from offered
), ranked as (
    select *, row_number() over (
        partition by epoch, lake_symbol, symbol, start_us
        order by sign, sign * fetched, sign * kafka_partition, sign * kafka_offset, open, high, low, close, volume) as version
    from signed
), provided as (
    select * from ranked where version = 1
), both_kinds as (
    select
        coalesce(ticks.epoch, provided.epoch) as epoch, coalesce(ticks.lake_symbol, provided.lake_symbol) as lake_symbol,
        coalesce(ticks.symbol, provided.symbol) as symbol, coalesce(ticks.start_us, provided.start_us) as start_us,
        case when ticks.ticks > 0 or provided.start_us is null then 0 else 1 end as is_provided,
        ticks.open, ticks.high, ticks.low, ticks.close, ticks.volume, ticks.quote_volume, ticks.trades, ticks.ticks,
        ticks.price_sum, ticks.late, ticks.basis, ticks.source, ticks.canonical_symbol, ticks.currency, ticks.mic,
        ticks.time_zone, ticks.first_event, ticks.last_event, ticks.session_volume, ticks.close_event_id,
        provided.open as provided_open, provided.high as provided_high, provided.low as provided_low,
        provided.close as provided_close, provided.volume as provided_volume, provided.source as provided_source,
        provided.canonical_symbol as provided_symbol, provided.currency as provided_currency, provided.mic as provided_mic,
        provided.time_zone as provided_zone, provided.event_id as provided_id
    from ticks full outer join provided
        on ticks.epoch = provided.epoch and ticks.lake_symbol = provided.lake_symbol
        and ticks.symbol = provided.symbol and ticks.start_us = provided.start_us
), minutes as (
    select epoch, lake_symbol, symbol, start_us, {start_hour} as hour_us,
        case when is_provided = 1 then provided_open else open end as open,
        case when is_provided = 1 then provided_high else high end as high,
        case when is_provided = 1 then provided_low else low end as low,
        case when is_provided = 1 then provided_close else close end as close,
        case when is_provided = 1 then provided_volume else volume end as volume,
        quote_volume, trades, coalesce(ticks, 0) as ticks, coalesce(price_sum, cast(0 as decimal(38,18))) as price_sum,
        coalesce(late, 0) as late,
        case when is_provided = 1 then 'provider' else basis end as basis,
        case when is_provided = 1 then provided_source else source end as source,
        case when is_provided = 1 then provided_symbol else canonical_symbol end as canonical_symbol,
        case when is_provided = 1 then provided_currency else currency end as currency,
        case when is_provided = 1 then provided_mic else mic end as mic,
        case when is_provided = 1 then provided_zone else time_zone end as time_zone,
        first_event, last_event, session_volume,
        case when is_provided = 1 then provided_id else close_event_id end as close_event_id
    from both_kinds
), seen as (
    select distinct epoch, lake_symbol, kafka_partition, {fetched_hour} as bucket
    from bars_lines_{view}
), marks as (
    -- How far each partition has come.
    select epoch, kafka_partition, max(bucket) as mark
    from seen
    group by epoch, kafka_partition
), hours as (
    select distinct epoch, lake_symbol, hour_us
    from minutes
), hour_marks as (
    -- The least of the partitions that have records of the symbol from the hour's time. An hour of late records alone has none.
    select hours.epoch, hours.lake_symbol, hours.hour_us, min(marks.mark) as mark
    from hours
    join seen on seen.epoch = hours.epoch and seen.lake_symbol = hours.lake_symbol
        and seen.bucket > hours.hour_us - {ahead} - 3600000000 and seen.bucket < hours.hour_us + 3600000000 + {lateness}
    join marks on marks.epoch = seen.epoch and marks.kafka_partition = seen.kafka_partition
    group by hours.epoch, hours.lake_symbol, hours.hour_us
)
select minutes.*, minutes.start_us + 60000000 as end_us, {start_date} as trading_date, hour_marks.mark as mark, newest.mark as newest,
    case when hour_marks.mark < minutes.hour_us + 3600000000 + {lateness} then 0 else 1 end as is_complete
from minutes join (select epoch, max(mark) as mark from marks group by epoch) as newest on newest.epoch = minutes.epoch
left join hour_marks
    on hour_marks.epoch = minutes.epoch and hour_marks.lake_symbol = minutes.lake_symbol
    and hour_marks.hour_us = minutes.hour_us;

-- Bars of an hour, composed of those of its minutes.
create or replace {temporary}view bars_hours_{view} as
select composed.*, unit as start_us, unit as hour_us, unit + 3600000000 as end_us, {unit_date} as trading_date
from (
{hours}
) as composed;

{daily}
{public_minutes}
{public_hours}
