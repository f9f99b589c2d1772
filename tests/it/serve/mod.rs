//! The listeners over real TLS, by a client that can do what no library does.

mod client;
mod probes;
mod reviews;
mod server;
mod stop;
mod tls;

pub use client::Client;
pub use client::Response;
pub use server::Serving;
pub use server::allow;
