use serde::Serialize;
use serde_json::json;

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Migrated {
    /// The database, as `HOST:PORT/NAME`.
    pub database: String,
    /// The version that its tables have now.
    pub version: i32,
    /// The versions that this took; none if they were there.
    pub applied: Vec<i32>,
    /// The days that got a partition.
    pub days_made: Vec<String>,
    /// The days that were dropped.
    pub days_dropped: Vec<String>,
    /// How many days there are now.
    pub days: usize,
}

impl Migrated {
    /// As the options want it printed.
    pub fn text(&self, as_json: bool) -> String {
        if as_json {
            return format!("{}\n", json!(self));
        }
        let Self {
            database, version, ..
        } = self;
        let applied: Vec<String> = self
            .applied
            .iter()
            .map(|version| format!("V{version}"))
            .collect();
        let applied = match applied.is_empty() {
            true => "no migration was missing".to_owned(),
            false => format!("applied {}", applied.join(", ")),
        };
        format!(
            "{database}: tables of version {version}, {applied}\n\
             days: {} made{}, {} dropped{}, {} in all\n",
            self.days_made.len(),
            range(&self.days_made),
            self.days_dropped.len(),
            range(&self.days_dropped),
            self.days,
        )
    }
}

fn range(days: &[String]) -> String {
    match days {
        [] => String::new(),
        [day] => format!(" ({day})"),
        [first, .., last] => format!(" ({first} to {last})"),
    }
}
