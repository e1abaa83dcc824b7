//! The settings of the AWS SDK that the functions read too.

use crate::{Absent, Form, Setting};

/// Every setting of the SDK that matters to all functions.
pub const SETTINGS: &[Setting] = &[REGION, ENDPOINT_URL];

/// The region.
pub const REGION: Setting = Setting::new(
    "AWS_REGION",
    Absent::Means("Lambda sets it"),
    Form::Text {
        range: "a region",
        expects: "a region such as eu-west-1",
    },
    "where the account's services are asked, and whose tokens are signed where neither ARN nor broker tells it",
);

/// Where the account's services are, if not at AWS.
pub const ENDPOINT_URL: Setting = Setting::new(
    "AWS_ENDPOINT_URL",
    Absent::Means("AWS"),
    Form::Url,
    "another place for every AWS service: an emulator",
);
