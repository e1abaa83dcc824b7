//! What is in a lake, counted from its listing and its objects alone.
//!
//! [`inspect()`] reads every object once and keeps nothing of it but counts; [`find()`] shows one record by its
//! coordinates; [`run`] is the command `quotelake inspect`.

mod contents;
mod count;
mod find;
mod options;
mod text;

pub use contents::{Aside, Contents, Counts};
pub use count::{Selection, inspect};
pub use find::{Found, Place, find};
pub use options::{Coordinates, Options};

use lake::store::StoreError;
use runtime::Environment;

use crate::lake_location::{LakeLocationError, OpenLake};

/// What the command prints, and whether all is as it should be: no object damaged, and the record there.
pub struct Printed {
    /// The text or the JSON.
    pub text: String,
    /// Whether all is as it should be.
    pub is_sound: bool,
}

/// Runs `quotelake inspect`.
///
/// # Errors
/// [`LakeLocationError`] if there is no lake or it can't be read.
pub async fn run(
    options: &Options,
    environment: &Environment,
) -> Result<Printed, LakeLocationError> {
    let lake = options.location.open(environment).await?;
    let printed = match &options.record {
        Some(at) => print_record(&lake, at, options).await,
        None => print_contents(&lake, options).await,
    };
    Ok(printed?)
}

async fn print_record(
    lake: &OpenLake,
    at: &Coordinates,
    options: &Options,
) -> Result<Printed, StoreError> {
    let found = find(lake.s3(), lake.layout(), at).await?;
    let text = if options.json {
        text::record_json(at, &found)
    } else {
        text::record(at, &found)
    };
    Ok(Printed {
        text,
        is_sound: !found.places.is_empty() && found.damaged.count == 0,
    })
}

async fn print_contents(lake: &OpenLake, options: &Options) -> Result<Printed, StoreError> {
    let selection = Selection {
        topic: options.topic.clone(),
        symbol: options.symbol.clone(),
        keys_only: options.keys_only,
    };
    let contents = inspect(lake.s3(), lake.layout(), &selection).await?;
    let text = if options.json {
        text::contents_json(lake.location(), &contents)
    } else {
        text::contents(lake.location(), &contents)
    };
    Ok(Printed {
        text,
        is_sound: contents.damaged.count == 0,
    })
}

#[cfg(test)]
mod tests;
