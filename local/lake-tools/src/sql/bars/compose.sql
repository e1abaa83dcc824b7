    select epoch, lake_symbol, symbol, {unit} as {unit_name},
        max(case when start_us = first_priced then open end) as open, max(high) as high, min(low) as low,
        max(case when start_us = last_priced then close end) as close,
        case when count(case when is_priced = 1 then volume end) = sum(is_priced)
            then sum(case when is_priced = 1 then volume end) end as volume,
        case when count(case when is_priced = 1 then quote_volume end) = sum(is_priced)
            then sum(case when is_priced = 1 then quote_volume end) end as quote_volume,
        case when count(case when is_priced = 1 then trades end) = sum(is_priced)
            then sum(case when is_priced = 1 then trades end) end as trades,
        sum(ticks) as ticks, sum(price_sum) as price_sum, sum(late) as late,
        {bases} as basis,
        {sources} as source,
        max(case when start_us = last_said then canonical_symbol end) as canonical_symbol,
        max(case when start_us = last_said then currency end) as currency,
        max(case when start_us = last_said then mic end) as mic,
        max(case when start_us = last_said then time_zone end) as time_zone,
        max(case when start_us = last_part then time_zone end) as day_zone,
        min(first_event) as first_event, max(last_event) as last_event,
        max(case when start_us = last_total then session_volume end) as session_volume,
        max(case when start_us = last_said then close_event_id end) as close_event_id,
        min(mark) as mark, min(newest) as newest, min(is_complete) as is_complete
    from (
        select *, case when open is null then 0 else 1 end as is_priced,
            max(case when open is null then 0 else 1 end) over (partition by epoch, lake_symbol, symbol, {unit}) as has_priced,
            min(case when open is not null then start_us end) over (partition by epoch, lake_symbol, symbol, {unit}) as first_priced,
            max(case when open is not null then start_us end) over (partition by epoch, lake_symbol, symbol, {unit}) as last_priced,
            coalesce(max(case when open is not null then start_us end) over (partition by epoch, lake_symbol, symbol, {unit}),
                max(start_us) over (partition by epoch, lake_symbol, symbol, {unit})) as last_said,
            max(start_us) over (partition by epoch, lake_symbol, symbol, {unit}) as last_part,
            max(case when session_volume is not null then start_us end)
                over (partition by epoch, lake_symbol, symbol, {unit}) as last_total
        from {parts}
    ) as parts
    group by epoch, lake_symbol, symbol, {unit}
