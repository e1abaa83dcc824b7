create or replace {temporary}view bars_{interval}_{view} as
select
    {columns}
from (
    select epoch, lake_symbol, symbol, time_zone, canonical_symbol, start_us, end_us, open, high, low, close,
        case when session_volume is null then volume
            when date_before = trading_date and session_volume >= total_before
                then cast(session_volume as decimal(37,18)) - cast(total_before as decimal(37,18)) end as volume,
        quote_volume, trades, ticks, price_sum, late, basis, source, currency, mic, trading_date, first_event, last_event,
        session_volume, close_event_id, is_complete
    from (
        -- A running total grows from bar to bar of a trading date.
        select *,
            lag(session_volume) over (
                partition by epoch, lake_symbol, symbol, case when session_volume is null then 1 else 0 end
                order by start_us) as total_before,
            lag(trading_date) over (
                partition by epoch, lake_symbol, symbol, case when session_volume is null then 1 else 0 end
                order by start_us) as date_before
        from bars_{parts}_{view}
    ) as lagged
) as bars;
