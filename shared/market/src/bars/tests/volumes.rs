//! Volumes, and sums at the edge of what a column holds.

use super::*;

#[test]
fn trades_add_up_and_a_size_of_zero_is_a_price_without_a_trade() {
    let bar = one_minute(vec![
        trade("2026-03-02T10:00:01Z", 1, "10.5", "2"),
        trade("2026-03-02T10:00:02Z", 2, "12", "0"),
        trade("2026-03-02T10:00:03Z", 3, "11", "0.5"),
    ]);
    assert_eq!((bar.ticks, bar.trades), (3, Some(2)));
    assert_eq!(prices(&bar), ["10.5", "12", "10.5", "11"]);
    assert_eq!(bar.volume, Some(amount("2.5")));
    assert_eq!(bar.quote_volume, Some(amount("26.5")));
    assert_eq!(bar.vwap(), Some(10.6));
    assert_eq!(bar.avg_price(), Some(33.5 / 3.0));
}

#[test]
fn only_price_updates_are_a_volume_of_zero_and_no_average() {
    let bar = one_minute(vec![trade("2026-03-02T10:00:01Z", 1, "10", "0")]);
    assert_eq!((bar.volume, bar.trades), (Some(Amount::ZERO), Some(0)));
    assert_eq!(bar.vwap(), None);
    assert_eq!(bar.avg_price(), Some(10.0));
}

#[test]
fn a_quote_without_a_total_has_no_volume_which_is_not_zero() {
    let bar = one_minute(vec![quote("2026-03-02T10:00:01Z", 1, "10")]);
    assert_eq!((bar.volume, bar.trades), (None, None));
    assert_eq!((bar.quote_volume, bar.session_volume), (None, None));
}

#[test]
fn each_product_of_price_and_size_is_rounded_half_away_from_zero_before_it_is_added() {
    let half = "0.000000000000000005";
    let bar = one_minute(vec![
        trade("2026-03-02T10:00:01Z", 1, half, "0.1"),
        trade("2026-03-02T10:00:02Z", 2, half, "0.1"),
    ]);
    assert_eq!(bar.quote_volume, Some(amount("0.000000000000000002")));
}

/// Minutes of Ho Chi Minh City's morning with the venue's totals.
fn session(totals: &[(&str, &str)]) -> Vec<Bar> {
    let records = totals
        .iter()
        .zip(0..)
        .map(|(&(event, total), offset)| board(event, offset, "100", total));
    let mut bars = folded(records.collect(), Zone::HoChiMinh);
    add_session_volumes(&mut bars);
    bars
}

fn volumes(bars: &[Bar]) -> Vec<Option<String>> {
    let volume = |bar: &Bar| bar.volume.map(|volume| volume.to_string());
    bars.iter().map(volume).collect()
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn of_a_running_total_a_bar_has_what_it_grew_by_and_the_first_of_a_date_has_none() {
    let bars = session(&[
        ("2026-11-19T02:15:01Z", "100"),
        ("2026-11-19T02:15:59Z", "150"),
        ("2026-11-19T02:16:00Z", "170"),
        ("2026-11-19T02:20:00Z", "170"),
        ("2026-11-20T02:15:00Z", "40"),
        ("2026-11-20T02:16:00Z", "90"),
    ]);
    assert_eq!(
        volumes(&bars),
        [None, some("20"), some("0"), None, some("50")]
    );
}

#[test]
fn a_total_that_falls_is_no_volume_and_the_next_grows_from_it() {
    let bars = session(&[
        ("2026-11-19T02:15:00Z", "100"),
        ("2026-11-19T02:16:00Z", "80"),
        ("2026-11-19T02:17:00Z", "95"),
    ]);
    assert_eq!(volumes(&bars), [None, None, some("15")]);
}

#[test]
fn a_day_of_a_running_total_has_the_last_total() {
    let minutes = session(&[
        ("2026-11-19T02:15:00Z", "100"),
        ("2026-11-19T03:10:00Z", "160"),
        ("2026-11-19T07:45:00Z", "900"),
        ("2026-11-20T02:15:00Z", "40"),
    ]);
    let mut hours = hours(&minutes);
    add_session_volumes(&mut hours);
    assert_eq!(volumes(&hours), [None, some("60"), some("740"), None]);
    let days = days(&hours);
    assert_eq!(volumes(&days), [some("900"), some("40")]);
    assert_eq!(days[0].session_volume, Some(Amount::from(900)));
}

#[test]
fn a_minute_with_only_late_records_leaves_the_running_total_as_it_is() {
    let mut bars = folded(
        vec![
            board("2026-11-19T02:15:00Z", 1, "100", "100"),
            after(board("2026-11-19T02:16:00Z", 2, "100", "130"), 2 * HOUR),
            board("2026-11-19T02:17:00Z", 3, "100", "150"),
        ],
        Zone::HoChiMinh,
    );
    add_session_volumes(&mut bars);
    assert_eq!(volumes(&bars), [None, None, some("50")]);
}

#[test]
fn the_last_record_that_has_a_total_gives_the_bar_s() {
    let bar = one_minute(vec![
        board("2026-11-19T02:15:00Z", 1, "100", "100"),
        board("2026-11-19T02:15:01Z", 2, "100", "120"),
        quote("2026-11-19T02:15:02Z", 3, "100"),
    ]);
    assert_eq!(bar.session_volume, Some(Amount::from(120)));
}

#[test]
fn a_sum_beyond_38_digits_is_null_and_the_prices_stay() {
    let largest = "99999999999999999999.999999999999999999";
    let minute = "2026-03-02T10:00:0";
    let at = |second: i64, size| trade(&format!("{minute}{second}Z"), second, largest, size);
    let bar = one_minute(vec![at(1, largest), at(2, "1")]);
    assert_eq!((bar.volume, bar.quote_volume), (None, None));
    assert_eq!(bar.price_sum, None);
    assert_eq!((bar.vwap(), bar.avg_price()), (None, None));
    assert_eq!((bar.ticks, bar.trades), (2, Some(2)));
    assert_eq!(prices(&bar), [largest; 4]);

    // Each minute fits, their sum does not.
    let bars = folded(
        vec![
            trade("2026-03-02T10:00:00Z", 1, largest, "1"),
            trade("2026-03-02T10:01:00Z", 2, largest, "0"),
            trade("2026-03-02T10:02:00Z", 3, "1", largest),
        ],
        Zone::Utc,
    );
    assert!(
        bars.iter()
            .all(|bar| bar.price_sum.is_some() && bar.volume.is_some())
    );
    let hour = &hours(&bars)[0];
    assert_eq!(
        (hour.price_sum, hour.volume, hour.quote_volume),
        (None, None, None)
    );
    assert_eq!(days(&hours(&bars))[0].price_sum, None);
}

#[test]
fn the_largest_sum_is_exact() {
    let bar = one_minute(vec![
        trade("2026-03-02T10:00:00Z", 1, "99999999999999999999", "1"),
        trade("2026-03-02T10:00:01Z", 2, "0.999999999999999999", "0"),
    ]);
    assert_eq!(
        bar.price_sum,
        Some(amount("99999999999999999999.999999999999999999"))
    );
}
