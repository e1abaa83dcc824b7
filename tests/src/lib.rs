//! What the end-to-end tests share: the suite that every object store adapter has to pass, the proxy that
//! loses a store's requests and replies, an emulator, and the plane that the pipeline's promises are tried on.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a test may panic"
)]

pub mod contents;
pub mod ministack;
pub mod plane;
pub mod proxy;
pub mod store;
