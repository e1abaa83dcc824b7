//! Rate limits over sliding windows: a call is refused when its weight no longer fits into one of them.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, PoisonError},
    time::Duration,
};

#[cfg(test)]
mod tests;

/// So much weight within any span of that length.
pub(super) struct Limit {
    pub(super) weight: u32,
    pub(super) span: Duration,
}

/// A call that does not fit.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OverLimit {
    /// The weight in the longest window, without the refused call.
    pub(super) used: u32,
    /// How long until the call would fit.
    pub(super) retry_after: Duration,
}

/// What each client has used lately.
pub(super) struct Meter<Client> {
    limits: &'static [Limit],
    calls: Mutex<HashMap<Client, Vec<Call>>>,
}

struct Call {
    at: Duration,
    weight: u32,
}

impl<Client: Clone + Eq + Hash> Meter<Client> {
    pub(super) fn new(limits: &'static [Limit]) -> Self {
        Self {
            limits,
            calls: Mutex::default(),
        }
    }

    /// Counts a call at `now` and gives the client's weight in the longest window. A refused call counts nothing.
    pub(super) fn spend(
        &self,
        client: &Client,
        now: Duration,
        weight: u32,
    ) -> Result<u32, OverLimit> {
        let mut clients = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let calls = clients.entry(client.clone()).or_default();
        let longest = self
            .limits
            .iter()
            .map(|limit| limit.span)
            .max()
            .unwrap_or_default();
        calls.retain(|call| now.saturating_sub(call.at) < longest);
        let used: u32 = calls.iter().map(|call| call.weight).sum();
        let waits = self
            .limits
            .iter()
            .filter_map(|limit| wait(calls, limit, now, weight));
        if let Some(retry_after) = waits.max() {
            return Err(OverLimit { used, retry_after });
        }
        calls.push(Call { at: now, weight });
        Ok(used + weight)
    }
}

/// How long until enough old weight has left the window; `None` where the call fits now.
fn wait(calls: &[Call], limit: &Limit, now: Duration, weight: u32) -> Option<Duration> {
    let recent = || {
        calls
            .iter()
            .filter(|call| now.saturating_sub(call.at) < limit.span)
    };
    let used: u32 = recent().map(|call| call.weight).sum();
    let mut excess = (used + weight)
        .checked_sub(limit.weight)
        .filter(|excess| *excess > 0)?;
    for call in recent() {
        excess = excess.saturating_sub(call.weight);
        if excess == 0 {
            return Some((call.at + limit.span).saturating_sub(now));
        }
    }
    Some(limit.span)
}
