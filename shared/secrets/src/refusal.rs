use std::error::Error;

use aws_sdk_secretsmanager::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};
use cause::{Cause, innermost, one_line};

/// What a service of AWS answered in place of what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The status of the answer, if there was one.
    pub status: Option<u16>,
    /// The service's code for it, such as `AccessDeniedException`; empty without one.
    pub code: String,
    /// Code and message, else the innermost cause; one line.
    pub cause: Cause,
}

impl Refusal {
    /// What `error` tells.
    pub fn of<E: ProvideErrorMetadata + Error + Send + Sync + 'static>(
        error: SdkError<E, HttpResponse>,
    ) -> Self {
        let code = error.code().unwrap_or_default().to_owned();
        let words = match (code.as_str(), error.message().unwrap_or_default()) {
            ("", "") => innermost(&error),
            (code, "") => code.to_owned(),
            ("", message) => message.to_owned(),
            (code, message) => format!("{code}: {message}"),
        };
        Self {
            status: error.raw_response().map(|answer| answer.status().as_u16()),
            code,
            // Without the raw answer.
            cause: match error.into_source() {
                Ok(source) => Cause::in_words(words, source),
                Err(_) => one_line(&words).into(),
            },
        }
    }
}
