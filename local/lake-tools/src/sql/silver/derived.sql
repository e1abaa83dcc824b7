-- Quiet minutes of a trading date, with the close before them and no ticks.
create or replace {temporary}view bars_filled as
with priced as (
    select *, lead(start_time) over (partition by epoch, lake_topic, lake_symbol, trading_date order by start_time) as next_time
    from bars_1m
    where open is not null
), counted as (
    select *, coalesce({minutes_between}, 1) as minutes
    from priced
)
select symbol, time_zone, canonical_symbol, bar_interval, {filled_start} as start_time, {filled_end} as end_time,
    case when gap = 0 then open else close end as open, case when gap = 0 then high else close end as high,
    case when gap = 0 then low else close end as low, close,
    case when gap = 0 then volume when trades is not null then {zero} end as volume,
    case when gap = 0 then trades when trades is not null then 0 end as trades, case when gap = 0 then ticks else 0 end as ticks,
    basis, source, currency, mic, trading_date, complete,
    case when gap > 0 then true else false end as is_filled, epoch, lake_topic, lake_symbol
from counted {each_gap};

-- Bars with late records, which are in no other column.
create or replace {temporary}view bars_late as
select symbol, start_time, end_time, late, ticks, complete, trading_date, epoch, lake_topic, lake_symbol
from bars_1m
where late > 0;

