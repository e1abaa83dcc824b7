use tables::{Number, Row};

/// The columns in which two rows differ. In the latest quotes a source that is not there is the empty text.
pub(super) fn differences(one: &Row, other: &Row) -> Vec<&'static str> {
    let numbers = numbers(one).into_iter().zip(numbers(other));
    let numbers = numbers.filter_map(|((name, one), (_, other))| (one != other).then_some(name));
    let source = |row: &Row| row.source.clone().unwrap_or_default();
    let others = [
        ("topic", one.topic == other.topic),
        ("epoch", one.epoch == other.epoch),
        ("kafka_partition", one.partition == other.partition),
        ("kafka_offset", one.offset == other.offset),
        ("ticker", one.ticker == other.ticker),
        ("time", one.time == other.time),
        ("created_at", one.created_at == other.created_at),
        ("event_id", one.event_id == other.event_id),
        ("source", source(one) == source(other)),
        ("currency", one.currency == other.currency),
        ("mic", one.mic == other.mic),
        ("session", one.session == other.session),
        ("trading_date", one.trading_date == other.trading_date),
        ("flags", one.flags == other.flags),
    ];
    let others = others
        .into_iter()
        .filter_map(|(name, is_equal)| (!is_equal).then_some(name));
    others.chain(numbers).collect()
}

fn numbers(row: &Row) -> [(&'static str, Option<&Number>); 12] {
    [
        ("price", Some(&row.price)),
        ("volume", row.volume.as_ref()),
        ("total_volume", row.total_volume.as_ref()),
        ("change", row.change.as_ref()),
        ("change_percent", row.change_percent.as_ref()),
        ("ceiling_price", row.ceiling_price.as_ref()),
        ("floor_price", row.floor_price.as_ref()),
        ("reference_price", row.reference_price.as_ref()),
        ("highest_price", row.highest_price.as_ref()),
        ("lowest_price", row.lowest_price.as_ref()),
        ("bid_price", row.bid_price.as_ref()),
        ("ask_price", row.ask_price.as_ref()),
    ]
}
