//! A lake in memory whose bars are known.

mod complete;
mod damage;
mod edges;
mod histories;
mod lake_of_records;
mod late;
mod reference;
mod requests;
mod simulation;
mod topic;

pub(crate) use lake_of_records::{
    Counting, Lake, Market, Record, Said, at, hour_range, minute_bars, soon,
};
