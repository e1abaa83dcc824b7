/// The number of a layout: how records become lines and keys. A history has one, and says it in its `_layout.json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// `{topic}/symbol={symbol}/date={date}`, by the value's own time of any kind. Read, and no longer begun.
    One,
    /// `lake_topic={topic}/lake_symbol=_{symbol}/lake_date={date}`, by when the value was fetched.
    Two,
}

impl Version {
    /// What a new history gets.
    pub const CURRENT: Self = Self::Two;

    /// Its number.
    pub fn number(self) -> u32 {
        match self {
            Self::One => 1,
            Self::Two => 2,
        }
    }

    /// The version of a number.
    pub fn of_number(number: u32) -> Option<Self> {
        [Self::One, Self::Two]
            .into_iter()
            .find(|version| version.number() == number)
    }
}
