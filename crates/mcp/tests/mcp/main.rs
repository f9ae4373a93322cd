//! The server as its clients see it: raw messages over pipes in memory and over loopback HTTP, with
//! real components behind the tools.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod consent;
mod consent_http;
mod desk;
mod http;
mod http_client;
mod lifecycle;
mod lines;
mod news;
mod permissions;
mod registry;
mod spellings;
mod support;
mod tools;
