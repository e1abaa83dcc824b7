//! `PUT /faults/{provider}`: the fault's text as body switches it on, an empty body off.

use axum::{
    Router,
    extract::{Path, State},
    http::StatusCode,
    routing::put,
};

use super::{Fault, FaultError, Provider};
use crate::feed::Feeds;

pub(crate) fn router(feeds: Feeds) -> Router {
    Router::new()
        .route("/faults/{provider}", put(switch))
        .with_state(feeds)
}

async fn switch(
    State(feeds): State<Feeds>,
    Path(provider): Path<String>,
    text: String,
) -> Result<StatusCode, (StatusCode, String)> {
    let (provider, fault) = read(&provider, text.trim())
        .map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))?;
    feeds.of(provider).set_fault(fault);
    Ok(StatusCode::NO_CONTENT)
}

fn read(provider: &str, text: &str) -> Result<(Provider, Option<Fault>), FaultError> {
    let provider = provider.parse()?;
    let fault = match text {
        "" => None,
        text => Some(Fault::read(provider, text)?),
    };
    Ok((provider, fault))
}
