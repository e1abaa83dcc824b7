-- Athena runs one statement at a time.
create external table bars_read_{view} (
    `symbol` string, `c` decimal(38,18), `price` decimal(38,18), `size` decimal(38,18), `volume` decimal(38,18),
    `total_volume` decimal(38,18), `t` bigint, `time` string, `event_time` bigint, `fetched_at` bigint,
    `data` array<struct<date:string,open:decimal(38,18),high:decimal(38,18),low:decimal(38,18),close:decimal(38,18),volume:decimal(38,18)>>,
    `meta` struct<source:string,schema:string,event_id:string,symbol:string,asset_class:string,mic:string,currency:string,event_time:string,fetched_at:string>,
    `_kafka` struct<partition:int,offset:bigint,timestamp:bigint>
)
row format serde 'org.openx.data.jsonserde.JsonSerDe'
with serdeproperties ('ignore.malformed.json' = 'true')
location '{base}/epoch={epoch}/lake_topic={topic}/';

