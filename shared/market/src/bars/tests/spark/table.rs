//! How our bars differ from those that Spark emitted, and why.

use super::Fetched;

/// One sequence, by when its rows were fetched.
pub(super) struct Difference {
    pub(super) case: &'static str,
    pub(super) fetched: Fetched,
    pub(super) differs: &'static str,
    pub(super) why: &'static [&'static str],
}

/// The reasons, with what each means.
pub(super) const REASONS: [(&str, &str); 10] = [
    (
        "open",
        "Spark emits a day when a row of any symbol is an hour past its end, and so never the last one. Ours is there, \
         not `complete`.",
    ),
    (
        "dropped",
        "Spark dropped a row because its day had ended by the watermark of an earlier batch. Here a record that was \
         fetched on time counts, whenever it comes.",
    ),
    (
        "late",
        "The record was fetched more than an hour after its event, so it counts in `late` alone. Spark asks only \
         whether the day has ended: it counts the row or drops it.",
    ),
    (
        "arrival",
        "Spark's `first` and `last` go by arrival. `open` and `close` go by event time, partition and offset.",
    ),
    (
        "clock",
        "One row with a clock that is days ahead closes every day before it in Spark. Here it moves nothing. Fetched \
         more than a minute before its event, it is set aside.",
    ),
    (
        "null price",
        "Spark counts a row without a price, and its `first` and `last` may be NULL. Here such a line is unreadable \
         and named.",
    ),
    (
        "null time",
        "Spark drops a row without a time unseen. Here it is set aside and counted.",
    ),
    (
        "null symbol",
        "Spark makes a group of it. Such a record has no place in the lake: it is in quarantine.",
    ),
    (
        "twice",
        "Spark counts a row that is delivered twice twice. Records with one `event_id` are one observation.",
    ),
    (
        "overflow",
        "Spark sums BIGINT: Spark 4 fails, 3.5 turns negative, as 4 does with `spark.sql.ansi.enabled` false. `volume` \
         is DECIMAL(38,18), and null beyond.",
    ),
];

/// In the order of the recording, ours before Spark's.
pub(super) const DIFFERENCES: &[Difference] = &[
    Difference {
        case: "c17_late_but_open",
        fetched: Fetched::AtEvent,
        differs: "AAPL 2 March: open 9 / 10, low 7 / 9, close 7 / 9, volume 5 / 4, count 5 / 4, avg 11.4 / 12.5; AAPL 3 March: ours only",
        why: &["dropped", "arrival", "open"],
    },
    Difference {
        case: "c17_late_but_open",
        fetched: Fetched::OnArrival,
        differs: "AAPL 2 March: low 10 / 9, close 20 / 9, volume 2 / 4, count 2 / 4, avg 15 / 12.5, 3 late; AAPL 3 March: ours only",
        why: &["late", "arrival", "open"],
    },
    Difference {
        case: "c17_late_dropped_counted_per_group",
        fetched: Fetched::AtEvent,
        differs: "AAPL 2 March: low 1 / 10, close 3 / 10, volume 4 / 1, count 4 / 1, avg 4 / 10; MSFT 2 March: low 4 / 5, close 4 / 5, volume 2 / 1, count 2 / 1, avg 4.5 / 5; AAPL 3 March: ours only",
        why: &["dropped", "open"],
    },
    Difference {
        case: "c17_late_dropped_counted_per_group",
        fetched: Fetched::OnArrival,
        differs: "AAPL 2 March: 3 late; MSFT 2 March: 1 late; AAPL 3 March: ours only",
        why: &["late", "open"],
    },
    Difference {
        case: "c17_same_batch_does_not_close",
        fetched: Fetched::AtEvent,
        differs: "AAPL 3 March: ours only",
        why: &["open"],
    },
    Difference {
        case: "c17_same_batch_does_not_close",
        fetched: Fetched::OnArrival,
        differs: "AAPL 2 March: high 10 / 11, close 10 / 11, volume 1 / 2, count 1 / 2, avg 10 / 10.5, 1 late; AAPL 3 March: ours only",
        why: &["late", "open"],
    },
    Difference {
        case: "c17_data_batches_back_to_back",
        fetched: Fetched::AtEvent,
        differs: "AAPL 2 March: high 12 / 11, close 12 / 11, volume 3 / 2, count 3 / 2, avg 11 / 10.5; AAPL 3 March: ours only",
        why: &["dropped", "open"],
    },
    Difference {
        case: "c17_data_batches_back_to_back",
        fetched: Fetched::OnArrival,
        differs: "AAPL 2 March: high 10 / 11, close 10 / 11, volume 1 / 2, count 1 / 2, avg 10 / 10.5, 2 late; AAPL 3 March: ours only",
        why: &["late", "open"],
    },
    Difference {
        case: "c17_back_to_back_new_key",
        fetched: Fetched::AtEvent,
        differs: "MSFT 2 March: high 12 / 11, close 12 / 11, volume 2 / 1, count 2 / 1, avg 11.5 / 11; AAPL 3 March: ours only",
        why: &["dropped", "open"],
    },
    Difference {
        case: "c17_back_to_back_new_key",
        fetched: Fetched::OnArrival,
        differs: "MSFT 2 March: without prices, 2 late; AAPL 3 March: ours only",
        why: &["late", "open"],
    },
    Difference {
        case: "c17_back_to_back_allowMultiple_false",
        fetched: Fetched::AtEvent,
        differs: "AAPL 2 March: high 12 / 10, close 12 / 10, volume 3 / 1, count 3 / 1, avg 11 / 10; AAPL 3 March: ours only",
        why: &["dropped", "open"],
    },
    Difference {
        case: "c17_back_to_back_allowMultiple_false",
        fetched: Fetched::OnArrival,
        differs: "AAPL 2 March: 2 late; AAPL 3 March: ours only",
        why: &["late", "open"],
    },
    Difference {
        case: "c17_late_row_never_seen_window",
        fetched: Fetched::AtEvent,
        differs: "AAPL 2 March: ours only; AAPL 3 March: ours only; AAPL 4 March: ours only",
        why: &["dropped", "open"],
    },
    Difference {
        case: "c17_late_row_never_seen_window",
        fetched: Fetched::OnArrival,
        differs: "AAPL 2 March: ours only, without prices, 1 late; AAPL 3 March: ours only, without prices, 1 late; AAPL 4 March: ours only, 1 late",
        why: &["late", "open"],
    },
    Difference {
        case: "c17_future_row_poisons",
        fetched: Fetched::AtEvent,
        differs: "AAPL 2 March: high 11 / 10, close 11 / 10, volume 2 / 1, count 2 / 1, avg 10.5 / 10; AAPL 3 March: ours only; AAPL 5 March: ours only; MSFT 5 March: ours only",
        why: &["clock", "dropped", "open"],
    },
    Difference {
        case: "c17_future_row_poisons",
        fetched: Fetched::OnArrival,
        differs: "AAPL 2 March: high 11 / 10, close 11 / 10, volume 2 / 1, count 2 / 1, avg 10.5 / 10; AAPL 3 March: ours only; AAPL 5 March: ours only; 1 × ahead",
        why: &["clock", "dropped", "open"],
    },
    Difference {
        case: "c17_other_symbol_closes",
        fetched: Fetched::Either,
        differs: "MSFT 3 March: ours only",
        why: &["open"],
    },
    Difference {
        case: "c17_boundaries",
        fetched: Fetched::Either,
        differs: "AAPL 4 March: ours only",
        why: &["open"],
    },
    Difference {
        case: "c19_out_of_order_in_file",
        fetched: Fetched::AtEvent,
        differs: "AAPL 2 March: open 1 / 3, close 5 / 2; AAPL 3 March: ours only",
        why: &["arrival", "open"],
    },
    Difference {
        case: "c19_out_of_order_in_file",
        fetched: Fetched::OnArrival,
        differs: "AAPL 2 March: low 3 / 1, close 5 / 2, volume 2 / 4, count 2 / 4, avg 4 / 2.75, 2 late; AAPL 3 March: ours only",
        why: &["late", "arrival", "open"],
    },
    Difference {
        case: "c19_late_batch_becomes_last",
        fetched: Fetched::AtEvent,
        differs: "AAPL 2 March: open 1 / 3, close 3 / 1; AAPL 3 March: ours only",
        why: &["arrival", "open"],
    },
    Difference {
        case: "c19_late_batch_becomes_last",
        fetched: Fetched::OnArrival,
        differs: "AAPL 2 March: low 3 / 1, close 3 / 1, volume 1 / 2, count 1 / 2, avg 3 / 2, 1 late; AAPL 3 March: ours only",
        why: &["late", "arrival", "open"],
    },
    Difference {
        case: "c19_files_in_one_batch_by_size",
        fetched: Fetched::Either,
        differs: "AAPL 2 March: open 10 / 115, close 117 / 10; AAPL 3 March: ours only",
        why: &["arrival", "open"],
    },
    Difference {
        case: "c19_null_price_last",
        fetched: Fetched::Either,
        differs: "AAPL 2 March: open 4 / null, close 4 / null, count 1 / 3; AAPL 3 March: ours only; 2 × it has no price",
        why: &["null price", "open"],
    },
    Difference {
        case: "c20_complete",
        fetched: Fetched::AtEvent,
        differs: "",
        why: &[],
    },
    Difference {
        case: "c20_complete",
        fetched: Fetched::OnArrival,
        differs: "AAPL 2 March: high 10 / 11, close 10 / 11, volume 1 / 2, count 1 / 2, avg 10 / 10.5, 1 late",
        why: &["late"],
    },
    Difference {
        case: "c20_update",
        fetched: Fetched::AtEvent,
        differs: "AAPL 2 March: volume 3 / 2, count 3 / 2",
        why: &["dropped"],
    },
    Difference {
        case: "c20_update",
        fetched: Fetched::OnArrival,
        differs: "AAPL 2 March: 1 late",
        why: &["late"],
    },
    Difference {
        case: "c20_complete_restart",
        fetched: Fetched::AtEvent,
        differs: "",
        why: &[],
    },
    Difference {
        case: "c20_complete_restart",
        fetched: Fetched::OnArrival,
        differs: "AAPL 2 March: high 10 / 11, close 10 / 11, volume 1 / 2, count 1 / 2, avg 10 / 10.5, 1 late",
        why: &["late"],
    },
    Difference {
        case: "c21_idle_partition_one_source",
        fetched: Fetched::AtEvent,
        differs: "MSFT 2 March: high 6 / 5, close 6 / 5, volume 2 / 1, count 2 / 1, avg 5.5 / 5; AAPL 3 March: ours only; MSFT 3 March: ours only",
        why: &["dropped", "open"],
    },
    Difference {
        case: "c21_idle_partition_one_source",
        fetched: Fetched::OnArrival,
        differs: "MSFT 2 March: 1 late; AAPL 3 March: ours only; MSFT 3 March: ours only, without prices, 1 late",
        why: &["late", "open"],
    },
    Difference {
        case: "c21_union_idle_source_min",
        fetched: Fetched::AtEvent,
        differs: "AAPL 4 March: ours only; MSFT 4 March: ours only",
        why: &["open"],
    },
    Difference {
        case: "c21_union_idle_source_min",
        fetched: Fetched::OnArrival,
        differs: "MSFT 2 March: without prices, 1 late; AAPL 4 March: ours only; MSFT 4 March: ours only",
        why: &["late", "open"],
    },
    Difference {
        case: "c21_union_idle_source_max",
        fetched: Fetched::AtEvent,
        differs: "MSFT 2 March: ours only; AAPL 4 March: ours only; MSFT 4 March: ours only",
        why: &["dropped", "open"],
    },
    Difference {
        case: "c21_union_idle_source_max",
        fetched: Fetched::OnArrival,
        differs: "MSFT 2 March: ours only, without prices, 1 late; AAPL 4 March: ours only; MSFT 4 March: ours only",
        why: &["late", "open"],
    },
    Difference {
        case: "c21_union_then_watermark",
        fetched: Fetched::AtEvent,
        differs: "MSFT 2 March: ours only; AAPL 4 March: ours only",
        why: &["dropped", "open"],
    },
    Difference {
        case: "c21_union_then_watermark",
        fetched: Fetched::OnArrival,
        differs: "MSFT 2 March: ours only, without prices, 1 late; AAPL 4 March: ours only",
        why: &["late", "open"],
    },
    Difference {
        case: "c22_null_time",
        fetched: Fetched::Either,
        differs: "AAPL 3 March: ours only; 4 × no-event-time; 1 × it has no size",
        why: &["null time", "open"],
    },
    Difference {
        case: "c22_null_symbol",
        fetched: Fetched::Either,
        differs: "NULL 2 March: Spark's only; AAPL 3 March: ours only; 1 × it has no symbol",
        why: &["null symbol", "open"],
    },
    Difference {
        case: "c23_last_window_stays",
        fetched: Fetched::Either,
        differs: "AAPL 3 March: ours only",
        why: &["open"],
    },
    Difference {
        case: "c23_no_data_batches_off",
        fetched: Fetched::AtEvent,
        differs: "AAPL 2 March: high 12 / 11, close 12 / 11, volume 3 / 2, count 3 / 2, avg 11 / 10.5; AAPL 3 March: ours only",
        why: &["dropped", "open"],
    },
    Difference {
        case: "c23_no_data_batches_off",
        fetched: Fetched::OnArrival,
        differs: "AAPL 2 March: high 10 / 11, close 10 / 11, volume 1 / 2, count 1 / 2, avg 10 / 10.5, 2 late; AAPL 3 March: ours only",
        why: &["late", "open"],
    },
    Difference {
        case: "c23_available_now",
        fetched: Fetched::AtEvent,
        differs: "AAPL 2 March: high 11 / 10, close 11 / 10, volume 2 / 1, count 2 / 1, avg 10.5 / 10; AAPL 3 March: ours only",
        why: &["dropped", "open"],
    },
    Difference {
        case: "c23_available_now",
        fetched: Fetched::OnArrival,
        differs: "AAPL 2 March: 1 late; AAPL 3 March: ours only",
        why: &["late", "open"],
    },
    Difference {
        case: "c23_trigger_10s",
        fetched: Fetched::Either,
        differs: "AAPL 3 March: ours only",
        why: &["open"],
    },
    Difference {
        case: "c_restart",
        fetched: Fetched::AtEvent,
        differs: "AAPL 2 March: high 14 / 13, close 14 / 13, volume 4 / 3, count 4 / 3, avg 12.25 / 11.666666666666666; AAPL 4 March: ours only",
        why: &["dropped", "open"],
    },
    Difference {
        case: "c_restart",
        fetched: Fetched::OnArrival,
        differs: "AAPL 2 March: 1 late; AAPL 4 March: ours only",
        why: &["late", "open"],
    },
    Difference {
        case: "c_restart_before_no_data",
        fetched: Fetched::AtEvent,
        differs: "AAPL 2 March: high 12 / 11, close 12 / 11, volume 3 / 2, count 3 / 2, avg 11 / 10.5; AAPL 3 March: ours only",
        why: &["dropped", "open"],
    },
    Difference {
        case: "c_restart_before_no_data",
        fetched: Fetched::OnArrival,
        differs: "AAPL 2 March: high 10 / 11, close 10 / 11, volume 1 / 2, count 1 / 2, avg 10 / 10.5, 2 late; AAPL 3 March: ours only",
        why: &["late", "open"],
    },
    Difference {
        case: "c_restart_before_no_data_then_new",
        fetched: Fetched::Either,
        differs: "AAPL 3 March: ours only",
        why: &["open"],
    },
    Difference {
        case: "c_trigger_once",
        fetched: Fetched::AtEvent,
        differs: "AAPL 2 March: high 12 / 11, close 12 / 11, volume 3 / 2, count 3 / 2, avg 11 / 10.5; AAPL 3 March: ours only",
        why: &["dropped", "open"],
    },
    Difference {
        case: "c_trigger_once",
        fetched: Fetched::OnArrival,
        differs: "AAPL 2 March: high 10 / 11, close 10 / 11, volume 1 / 2, count 1 / 2, avg 10 / 10.5, 2 late; AAPL 3 March: ours only",
        why: &["late", "open"],
    },
    Difference {
        case: "c_restart_smaller_delay",
        fetched: Fetched::Either,
        differs: "AAPL 3 March: ours only",
        why: &["open"],
    },
    Difference {
        case: "c_restart_bigger_delay",
        fetched: Fetched::AtEvent,
        differs: "AAPL 2 March: high 11 / 10, close 11 / 10, volume 2 / 1, count 2 / 1, avg 10.5 / 10; AAPL 3 March: ours only",
        why: &["dropped", "open"],
    },
    Difference {
        case: "c_restart_bigger_delay",
        fetched: Fetched::OnArrival,
        differs: "AAPL 2 March: 1 late; AAPL 3 March: ours only",
        why: &["late", "open"],
    },
    Difference {
        case: "c_sum_overflow",
        fetched: Fetched::Either,
        differs: "AAPL 2 March: ours only; Spark's query fails",
        why: &["overflow"],
    },
    Difference {
        case: "c_sum_overflow_ansi_off",
        fetched: Fetched::Either,
        differs: "AAPL 2 March: volume 18434253109835476992 / -12490963874074624; AAPL 3 March: ours only",
        why: &["overflow", "open"],
    },
    Difference {
        case: "c_duplicates",
        fetched: Fetched::Either,
        differs: "AAPL 2 March: volume 5 / 10, count 1 / 2; AAPL 3 March: ours only",
        why: &["twice", "open"],
    },
    Difference {
        case: "c_window_1min",
        fetched: Fetched::AtEvent,
        differs: "AAPL 10:00: high 5 / 1, close 5 / 1, volume 2 / 1, count 2 / 1, avg 3 / 1; AAPL 10:01: ours only; AAPL 11:00: ours only; AAPL 11:01: ours only",
        why: &["dropped", "open"],
    },
    Difference {
        case: "c_window_1min",
        fetched: Fetched::OnArrival,
        differs: "AAPL 10:00: 1 late; AAPL 10:01: ours only; AAPL 11:00: ours only; AAPL 11:01: ours only",
        why: &["late", "open"],
    },
];
