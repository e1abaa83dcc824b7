use lake::{
    settings::{self as of_lake, PREFIX_RANGE, Prefix, prefixes_overlap},
    store::S3Settings,
};
use market::bars::Rules;
use runtime::{Environment, SettingError};
use settings::{Absent, Form, Setting};
use silver::How;

/// Every setting of this function, beside those of the lake ([`lake::settings`]) and those that all functions have.
pub const SETTINGS: &[Setting] = &[SILVER_PREFIX, LATENESS_SECONDS, AHEAD_SECONDS, PROVISIONAL];

const SILVER_PREFIX: Setting = Setting::new(
    "SILVER_PREFIX",
    Absent::Is("silver"),
    Form::Text {
        range: PREFIX_RANGE,
        expects: "a key prefix beside that of bronze, such as 'silver'",
    },
    "the key prefix of all bars, in the bucket of bronze",
);

const LATENESS_SECONDS: Setting = Setting::new(
    "LATENESS_SECONDS",
    Absent::Is("3600"),
    Form::Number(0, 2_592_000),
    "how long after its event a record may have been fetched and still count in its bar",
);

const AHEAD_SECONDS: Setting = Setting::new(
    "AHEAD_SECONDS",
    Absent::Is("60"),
    Form::Number(0, 86_400),
    "how long before its event a record may have been fetched: how far a provider's clock may be ahead",
);

const PROVISIONAL: Setting = Setting::new(
    "PROVISIONAL",
    Absent::Is("true"),
    Form::OneOf(&["true", "false"]),
    "whether bars are written before they are complete",
);

/// What the function is configured with.
pub struct Settings {
    /// The store.
    pub store: S3Settings,
    /// Where bars are made of what.
    pub place: Place,
    /// How.
    pub how: How,
}

/// Where bars are made of what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The prefix of the bronze objects.
    pub bronze: String,
    /// The name of the topics' history, if it has one.
    pub epoch: Option<String>,
    /// The prefix of the bars.
    pub silver: String,
}

impl Settings {
    /// Reads [`SETTINGS`] and [`lake::settings`].
    ///
    /// # Errors
    /// [`SettingError`] for the first that is missing or wrong.
    pub fn read(environment: &Environment) -> Result<Self, SettingError> {
        let lookup = |name: &str| environment.secret(name);
        let store = of_lake::store(&lookup)?;
        let (bronze, epoch) = of_lake::history(&lookup)?;
        let Prefix(silver) = environment.read(&SILVER_PREFIX)?;
        if prefixes_overlap(&silver, &bronze) {
            let problem = format!("where bronze is, '{bronze}'");
            return Err(SILVER_PREFIX.refuse(&silver, problem));
        }
        Ok(Self {
            store,
            place: Place {
                bronze,
                epoch,
                silver,
            },
            how: How {
                rules: Rules {
                    lateness: microseconds(environment, &LATENESS_SECONDS)?,
                    ahead: microseconds(environment, &AHEAD_SECONDS)?,
                },
                provisional: environment.read(&PROVISIONAL)?,
                ..How::default()
            },
        })
    }
}

fn microseconds(environment: &Environment, setting: &Setting) -> Result<i64, SettingError> {
    let seconds: u32 = environment.read(setting)?;
    Ok(i64::from(seconds) * 1_000_000)
}

#[cfg(test)]
mod tests {
    use market::bars::{HOUR, MINUTE};

    use super::*;

    const LAKE: [(&str, &str); 3] = [
        ("BRONZE_BUCKET", "lake"),
        ("BRONZE_PREFIX", "lake/bronze"),
        ("BRONZE_EPOCH", "1"),
    ];

    fn read(more: &[(&str, &str)]) -> Result<Settings, String> {
        let all = LAKE.iter().chain(more).copied();
        Settings::read(&all.collect()).map_err(|error| error.to_string())
    }

    #[test]
    fn bars_are_provisional_and_an_hour_late_beside_bronze_unless_set_otherwise() {
        let settings = read(&[]).unwrap();
        assert_eq!(settings.how, How::default());
        let place = Place {
            bronze: "lake/bronze".to_owned(),
            epoch: Some("1".to_owned()),
            silver: "silver".to_owned(),
        };
        assert_eq!(settings.place, place);
        let settings = read(&[
            ("SILVER_PREFIX", "lake/bars"),
            ("LATENESS_SECONDS", "7200"),
            ("AHEAD_SECONDS", "120"),
            ("PROVISIONAL", "false"),
        ]);
        let settings = settings.unwrap();
        assert_eq!(settings.place.silver, "lake/bars");
        let rules = Rules {
            lateness: 2 * HOUR,
            ahead: 2 * MINUTE,
        };
        assert_eq!(settings.how.rules, rules);
        assert!(!settings.how.provisional);
    }

    #[test]
    fn bars_do_not_lie_among_bronze() {
        for prefix in ["lake/bronze", "lake/bronze/bars", "lake"] {
            assert_eq!(
                read(&[("SILVER_PREFIX", prefix)]).err().unwrap(),
                format!(
                    "the setting SILVER_PREFIX is '{prefix}' (where bronze is, 'lake/bronze'): set it to a key prefix \
                     beside that of bronze, such as 'silver'"
                )
            );
        }
        assert!(read(&[("SILVER_PREFIX", "lake/bronze-bars")]).is_ok());
    }
}
