use crate::Absent;

/// What a right value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A whole number from the first to the second.
    Number(u32, u32),
    /// A URL, like the default.
    Url,
    /// Any other form, which the type of the value checks.
    Text {
        /// The form for the documentation.
        range: &'static str,
        /// A right value as a noun phrase, for errors.
        expects: &'static str,
    },
}

/// The reference of a secret.
pub const REFERENCE: Form = Form::Text {
    range: "`secretsmanager:NAME-OR-ARN[#member]`, `ssm:NAME-OR-ARN`, `file:PATH[#member]`",
    expects: "the reference of a secret",
};

impl Form {
    /// The form in Markdown, for the documentation.
    pub fn range(self) -> String {
        match self {
            Self::OneOf(words) => words
                .iter()
                .map(|word| format!("`{word}`"))
                .collect::<Vec<_>>()
                .join(", "),
            Self::Number(least, most) => format!("{least} to {most}"),
            Self::Url => "URL".to_owned(),
            Self::Text { range, .. } => range.to_owned(),
        }
    }

    /// A right value as a noun phrase, for errors.
    pub(crate) fn expects(self, absent: Absent) -> String {
        match self {
            Self::OneOf([first @ .., last]) if !first.is_empty() => {
                format!("'{}' or '{last}'", first.join("', '"))
            }
            Self::OneOf(words) => format!("'{}'", words.concat()),
            Self::Number(least, most) => format!("a whole number from {least} to {most}"),
            Self::Url => match absent {
                Absent::Is(default) => format!("a URL such as {default}"),
                _ => "a URL".to_owned(),
            },
            Self::Text { expects, .. } => expects.to_owned(),
        }
    }

    /// Why a value has not this form, as far as the form alone says so.
    pub(crate) fn check(self, value: &str) -> Result<(), &'static str> {
        match self {
            Self::OneOf(words) if !words.contains(&value) => Err("there is no such value"),
            Self::Number(least, most) => match value.parse() {
                Ok(number) if (least..=most).contains(&number) => Ok(()),
                Ok(_) => Err("out of range"),
                // Also a number beyond all ranges.
                Err(_) if is_number(value) => Err("out of range"),
                Err(_) => Err("not a number"),
            },
            _ => Ok(()),
        }
    }
}

fn is_number(value: &str) -> bool {
    let digits = value.strip_prefix(['-', '+']).unwrap_or(value);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}
