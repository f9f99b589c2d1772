//! The listeners over real TLS, by a client that can do what no library does.

mod client;
mod full;
mod hostile;
mod probes;
mod reviews;
mod server;
mod stop;
mod tls;

pub use client::{Client, Response};
pub use server::{Serving, allow};
