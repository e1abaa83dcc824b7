//! The days on which HOSE, HNX and UPCOM are closed: a table for 2024 to 2027, a rule for other years.
//!
//! Tet and Hung Kings' Day follow the moon, and the government moves working days to Saturdays late, so
//! the days come from the exchanges' notices each year. No such list was at hand for all three years;
//! the table holds what four sources come to, recorded side by side in `fixtures/vietnam.csv`:
//!
//! - vnstock-js, `data/holidays.json` at c2fedf6ce56f97030fa5c55b659b68dc16a3cc80 (Apache-2.0),
//! - `vn-market-calendar` 0.2.0 (MIT), whose days of 2026 are estimates in part,
//! - the days without a row in the eleven files of HOSE's daily prices of `moPPingg/TechPulse`, at
//!   e657edddb7285547c36957ed32ff9840ebb61925 (MIT), until 13 February 2026,
//! - HOSE's notice for 2026, as cafef.vn reported it on 9 December 2025.
//!
//! The prices decide, then the notice, then the two calendars, which agree on what is left. Where they
//! differ:
//!
//! | Date | vnstock-js | vn-market-calendar | Prices | Notice | Here |
//! |---|---|---|---|---|---|
//! | 2024-04-29 | open | closed | closed | - | closed: moved to Saturday 4 May |
//! | 2025-02-03 | open | closed | open | - | open: the first day after Tet; one file of prices has it |
//! | 2025-05-02 | open | open | closed | - | closed: moved to Saturday 26 April |
//! | 2026-01-02 | open | closed | closed | open | closed: moved after the notice |
//! | 2026-03-27 | closed | open | - | open | open: a slip for 27 April |
//! | 2026-04-27 | open | closed | - | closed | closed: Hung Kings' Day was a Sunday |
//! | 2026-08-31 | open | open | - | closed | closed: moved to Saturday 22 August |
//! | 2026-09-01 | open | open | - | closed | closed: the second day of National Day |
//!
//! **24 November 2026** is Vietnam Culture Day, a paid holiday that the Politburo chose in January 2026
//! (resolution 80-NQ/TW), after the exchanges' notice. `holidays` 0.109 of 17 November 2026 (MIT) has it as a
//! public holiday from 2026 on, and from 2024 to 2026 the exchanges kept every public holiday, so it is closed
//! here. As of 28 November 2026 neither an exchange's notice nor a recorded price of that day was seen.
//!
//! **2027** is provisional: as of 28 November 2026 no exchange's notice for it was found. The table has the days
//! that the Labour Code (articles 111 and 112) gives, as `holidays` 0.109 computes them:
//!
//! | Holiday | Weekdays closed | Why |
//! |---|---|---|
//! | New Year | 1 January | |
//! | Tet | 4, 5, 8, 9 and 10 February | the new moon is on Saturday 6 February; so it was in 2024 |
//! | Hung Kings' Day | 16 April | the 10th day of the third lunar month, also by `lunar-vn` 1.4.0 |
//! | Reunification and Labour Day | 30 April, 3 May | 1 May is a Saturday |
//! | National Day | 2 and 3 September | a Thursday and, of its neighbours, the Friday, as in 2021 |
//! | Vietnam Culture Day | 24 November | |
//!
//! `vn-market-calendar` 0.2.0 agrees but for Tet, where it has 5 and 8 to 12 February, and Culture Day. Days that
//! the government moves are not in the table before it has done so.
//!
//! An unsettled day counts as the table says, and [`TradingTime::holidays_known`](super::TradingTime) is false on
//! it, on each day whose trading date lies before it, and throughout a provisional year.

use std::ops::RangeInclusive;

use jiff::civil::{Date, date};

/// The years whose days the exchanges have announced.
pub(super) const KNOWN_YEARS: RangeInclusive<i16> = 2024..=2026;

/// The years of the table: the last is provisional.
const TABLE_YEARS: RangeInclusive<i16> = 2024..=2027;

/// The days of the known years on which it is not known whether the exchanges were closed.
pub(super) const UNSETTLED: [Date; 1] = [date(2026, 11, 24)];

/// Whether the exchanges are closed on a weekday. Outside the table's years, only on the days that keep
/// their date: New Year, Reunification Day, Labour Day and National Day.
pub(super) fn is_holiday(date: Date) -> bool {
    if TABLE_YEARS.contains(&date.year()) {
        HOLIDAYS.contains(&date)
    } else {
        matches!(
            (date.month(), date.day()),
            (1, 1) | (4, 30) | (5, 1) | (9, 2)
        )
    }
}

/// Weekdays without trading.
const HOLIDAYS: [Date; 50] = [
    date(2024, 1, 1),
    date(2024, 2, 8),
    date(2024, 2, 9),
    date(2024, 2, 12),
    date(2024, 2, 13),
    date(2024, 2, 14),
    date(2024, 4, 18),
    date(2024, 4, 29),
    date(2024, 4, 30),
    date(2024, 5, 1),
    date(2024, 9, 2),
    date(2024, 9, 3),
    date(2025, 1, 1),
    date(2025, 1, 27),
    date(2025, 1, 28),
    date(2025, 1, 29),
    date(2025, 1, 30),
    date(2025, 1, 31),
    date(2025, 4, 7),
    date(2025, 4, 30),
    date(2025, 5, 1),
    date(2025, 5, 2),
    date(2025, 9, 1),
    date(2025, 9, 2),
    date(2026, 1, 1),
    date(2026, 1, 2),
    date(2026, 2, 16),
    date(2026, 2, 17),
    date(2026, 2, 18),
    date(2026, 2, 19),
    date(2026, 2, 20),
    date(2026, 4, 27),
    date(2026, 4, 30),
    date(2026, 5, 1),
    date(2026, 8, 31),
    date(2026, 9, 1),
    date(2026, 9, 2),
    date(2026, 11, 24),
    date(2027, 1, 1),
    date(2027, 2, 4),
    date(2027, 2, 5),
    date(2027, 2, 8),
    date(2027, 2, 9),
    date(2027, 2, 10),
    date(2027, 4, 16),
    date(2027, 4, 30),
    date(2027, 5, 3),
    date(2027, 9, 2),
    date(2027, 9, 3),
    date(2027, 11, 24),
];
