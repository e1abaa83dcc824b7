//! The URL of a function. Source: SAM's property page of `FunctionUrlConfig`.

use super::{FunctionUrl, TemplateError, UrlAuth, section::Section};

/// Settings that change how a URL answers and that the plane does not follow.
const UNSUPPORTED: [&str; 1] = ["Cors"];

/// Reads `FunctionUrlConfig` of a function's properties.
pub(super) fn read(properties: &Section<'_, '_>) -> Result<Option<FunctionUrl>, TemplateError> {
    let Some(config) = properties.section("FunctionUrlConfig")? else {
        return Ok(None);
    };
    config.refuse(&UNSUPPORTED)?;
    let invoke_mode = config.text("InvokeMode")?;
    if let Some(mode) = invoke_mode.filter(|mode| mode != "BUFFERED") {
        let range = "BUFFERED, because the local plane streams no responses".to_owned();
        return Err(config.out_of_range("InvokeMode", &mode, range));
    }
    let auth = config
        .text("AuthType")?
        .ok_or_else(|| config.missing("AuthType"))?;
    let auth = match auth.as_str() {
        "NONE" => UrlAuth::Anyone,
        "AWS_IAM" => UrlAuth::Iam,
        other => {
            return Err(config.out_of_range("AuthType", other, "NONE or AWS_IAM".to_owned()));
        }
    };
    Ok(Some(FunctionUrl { auth }))
}
