use kafka_event::answer::{FAILURE_RESPONSE, FailureResponse};
use lake::{Granularity, Layout, settings as of_lake, store::S3Settings};
use runtime::{Environment, SettingError};
use settings::{Absent, Form, Setting};

/// Every setting of this function, beside those of the lake ([`lake::settings`]), [`FAILURE_RESPONSE`] and those that all
/// functions have.
pub const SETTINGS: &[Setting] = &[GRANULARITY, SEGMENT_SECONDS, SEGMENT_OFFSETS, COMPRESSION];

const GRANULARITY: Setting = Setting::new(
    "BRONZE_GRANULARITY",
    Absent::Is("segment"),
    Form::OneOf(&["segment", "record"]),
    "whether records share objects",
);

const SEGMENT_SECONDS: Setting = Setting::new(
    "BRONZE_SEGMENT_SECONDS",
    Absent::Is("3600"),
    Form::Text {
        range: "1 to 86400, divides a day",
        expects: "a number of seconds that divides a day, such as 3600",
    },
    "how long a time shares an object",
);

const SEGMENT_OFFSETS: Setting = Setting::new(
    "BRONZE_SEGMENT_OFFSETS",
    Absent::Is("30000"),
    Form::Text {
        range: "1 or more",
        expects: "a number of offsets such as 30000",
    },
    "how many offsets share an object",
);

const COMPRESSION: Setting = Setting::new(
    "BRONZE_COMPRESSION",
    Absent::Is("none"),
    Form::OneOf(&["none", "zstd"]),
    "what objects are packed with",
);

/// What the function is configured with.
pub struct Settings {
    /// The store.
    pub store: S3Settings,
    /// Where objects go and what they look like.
    pub layout: Layout,
    /// How to tell the trigger of records that are not durable.
    pub failure_response: FailureResponse,
}

impl Settings {
    /// Reads [`SETTINGS`] and [`lake::settings`].
    ///
    /// # Errors
    /// [`SettingError`] for the first that is missing or wrong.
    pub fn read(environment: &Environment) -> Result<Self, SettingError> {
        Ok(Self {
            store: of_lake::store(&|name| environment.secret(name))?,
            layout: layout(environment)?,
            failure_response: environment.read(&FAILURE_RESPONSE)?,
        })
    }
}

/// The layout that a writer with this environment has.
///
/// # Errors
/// [`SettingError`] for the first setting that is missing or wrong.
pub fn layout(environment: &Environment) -> Result<Layout, SettingError> {
    let (prefix, epoch) = of_lake::history(&|name| environment.secret(name))?;
    Ok(Layout::new(
        &prefix,
        epoch.as_deref(),
        granularity(environment)?,
        environment.read(&COMPRESSION)?,
    ))
}

fn granularity(environment: &Environment) -> Result<Granularity, SettingError> {
    if environment.read::<String>(&GRANULARITY)? == "record" {
        return Ok(Granularity::RECORD);
    }
    let seconds: Seconds = environment.read(&SEGMENT_SECONDS)?;
    let offsets: Offsets = environment.read(&SEGMENT_OFFSETS)?;
    // Both were checked when they were read.
    Ok(Granularity::new(seconds.0 * 1_000, offsets.0).unwrap_or(Granularity::SEGMENT))
}

struct Seconds(i64);

impl std::str::FromStr for Seconds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let seconds: i64 = text.parse().map_err(|_| "not a number".to_owned())?;
        let bucket_ms = seconds.saturating_mul(1_000);
        match Granularity::new(bucket_ms, 1) {
            Ok(_) => Ok(Self(seconds)),
            Err(error) => Err(error.to_string()),
        }
    }
}

struct Offsets(i64);

impl std::str::FromStr for Offsets {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let offsets = text.parse().map_err(|_| "not a number".to_owned())?;
        match Granularity::new(1, offsets) {
            Ok(_) => Ok(Self(offsets)),
            Err(error) => Err(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use lake::Compression;

    use super::*;

    fn refusal(pairs: &[(&str, &str)]) -> String {
        let environment: Environment = pairs.iter().copied().collect();
        Settings::read(&environment).err().unwrap().to_string()
    }

    #[test]
    fn a_wrong_setting_is_refused_by_name() {
        assert_eq!(
            refusal(&[]),
            "the setting BRONZE_BUCKET is missing: set it to the name of an S3 bucket"
        );
        assert_eq!(
            refusal(&[("BRONZE_BUCKET", "My Bucket")]),
            "the setting BRONZE_BUCKET is 'My Bucket' (not 3 to 63 lower-case letters, digits, dots and hyphens): set it to the name of an S3 bucket"
        );
        assert_eq!(
            refusal(&[("BRONZE_BUCKET", "lake"), ("BRONZE_PREFIX", "a//b")]),
            "the setting BRONZE_PREFIX is 'a//b' (not letters, digits, '-', '_' and '=' between single slashes): set it to a key prefix such as 'bronze'"
        );
    }

    #[test]
    fn the_layout_is_an_hour_and_30_000_offsets_unless_set_otherwise() {
        let of = |pairs: &[(&str, &str)]| {
            let all = pairs.iter().copied().chain([("BRONZE_PREFIX", "b")]);
            layout(&all.collect()).map(|layout| (layout.granularity(), layout.compression()))
        };
        assert_eq!(of(&[]), Ok((Granularity::SEGMENT, Compression::None)));
        assert_eq!(
            of(&[
                ("BRONZE_GRANULARITY", "record"),
                ("BRONZE_COMPRESSION", "zstd")
            ]),
            Ok((Granularity::RECORD, Compression::Zstd))
        );
        assert_eq!(
            of(&[
                ("BRONZE_SEGMENT_SECONDS", "60"),
                ("BRONZE_SEGMENT_OFFSETS", "10")
            ]),
            Ok((Granularity::new(60_000, 10).unwrap(), Compression::None))
        );
        for wrong in [
            ("BRONZE_GRANULARITY", "hour"),
            ("BRONZE_SEGMENT_SECONDS", "7"),
            ("BRONZE_SEGMENT_SECONDS", "9223372036854775807"),
            ("BRONZE_SEGMENT_OFFSETS", "0"),
            ("BRONZE_SEGMENT_OFFSETS", "many"),
            ("BRONZE_COMPRESSION", "gzip"),
            ("BRONZE_EPOCH", "2026/11"),
            ("BRONZE_EPOCH", "new history"),
        ] {
            let error = of(&[wrong]).unwrap_err().to_string();
            let expected = format!("the setting {} is '{}' (", wrong.0, wrong.1);
            assert!(error.starts_with(&expected), "{error}");
        }
    }
}
