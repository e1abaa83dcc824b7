//! Which slots of a grid lie in a market's sessions.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use market::{
    Calendar, Session,
    bars::{Subject, Zone},
};

use super::slots::{Grid, Slots};

/// The sessions of one market.
#[derive(Debug)]
pub(crate) struct Sessions {
    /// The slots that begin in a session.
    pub(crate) open: Slots,
    /// The slots of days whose holidays the calendar does not know.
    pub(crate) unsure: Slots,
}

/// The sessions of the markets that were asked for, each made once.
pub(crate) struct Markets {
    grid: Grid,
    extended: bool,
    known: Mutex<HashMap<Calendar, Arc<Sessions>>>,
}

impl Markets {
    /// Those of a grid; `extended` counts trading before and after the main session in.
    pub(crate) fn new(grid: Grid, extended: bool) -> Self {
        Self {
            grid,
            extended,
            known: Mutex::default(),
        }
    }

    pub(crate) fn of(&self, calendar: Calendar) -> Arc<Sessions> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let sessions = known.entry(calendar);
        let make = || Arc::new(sessions_of(calendar, &self.grid, self.extended));
        Arc::clone(sessions.or_insert_with(make))
    }
}

fn sessions_of(calendar: Calendar, grid: &Grid, extended: bool) -> Sessions {
    let mut sessions = Sessions {
        open: Slots::none(grid.count),
        unsure: Slots::none(grid.count),
    };
    for slot in 0..grid.count {
        let at = calendar.at(grid.timestamp(slot));
        let is_open = match at.session {
            Session::Regular | Session::AroundTheClock => true,
            Session::Pre | Session::Post => extended,
            Session::Lunch | Session::Closed => false,
        };
        if is_open {
            sessions.open.mark(slot);
        }
        if !at.holidays_known {
            sessions.unsure.mark(slot);
        }
    }
    sessions
}

/// Whose hours an instrument is traded in, by what its records say of it.
pub(crate) fn calendar(subject: Option<&Subject>) -> Calendar {
    let zone = subject.map_or(Zone::Utc, |subject| subject.zone);
    let mic = subject.and_then(|subject| subject.mic.as_deref());
    match (zone, mic) {
        (Zone::Utc, _) => Calendar::Continuous,
        (Zone::NewYork, _) => Calendar::UnitedStates,
        (Zone::HoChiMinh, Some("HSTC")) => Calendar::Hnx,
        (Zone::HoChiMinh, Some("XHNX")) => Calendar::Upcom,
        (Zone::HoChiMinh, _) => Calendar::Hose,
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn a_share_is_expected_in_its_session_and_a_coin_always() {
        let time = |text: &str| text.parse::<Timestamp>().unwrap();
        let (from, to) = (time("2026-11-27T00:00Z"), time("2026-11-29T00:00Z"));
        let grid = Grid::new(from, to, 1).unwrap();
        let open = |calendar, extended| {
            let sessions = Markets::new(grid, extended).of(calendar);
            (0..grid.count)
                .filter(|slot| sessions.open.has(*slot))
                .count()
        };
        // The day after Thanksgiving closes at 13:00, and the 28th is a Saturday.
        assert_eq!(open(Calendar::UnitedStates, false), 210);
        assert_eq!(open(Calendar::UnitedStates, true), 780);
        assert_eq!(open(Calendar::Hose, false), 150 + 105);
        assert_eq!(open(Calendar::Continuous, false), 2_880);
    }
}
