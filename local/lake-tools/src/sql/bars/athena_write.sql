-- The rows of {view}, into folders as those of silver in a place of their own; a query writes 100 folders at most, so name symbols:
-- unload (select {names}, epoch, '{interval}' as lake_interval, '{topic}' as lake_topic, lake_symbol from bars_{interval}_{view}
--     where lake_symbol in ('_AAPL', '_MSFT'))
-- to 's3://{bucket}/silver-of-athena/'
-- with (format = 'PARQUET', compression = 'ZSTD', partitioned_by = array['epoch', 'lake_interval', 'lake_topic', 'lake_symbol']);

