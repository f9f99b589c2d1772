//! The webhook's listeners: TLS, routes, probes, metrics, shutdown.
//!
//! Knows nothing of policies: it hands each review's body to whatever answers reviews, and sees to
//! it that size, time, memory and connections are bounded and that every answer is a denial where
//! it can be one.

mod body;
mod connections;
mod expiry;
mod logs;
mod metrics;
mod options;
mod places;
mod probes;
mod record;
mod reload;
mod reviews;
mod server;
mod shutdown;
mod timeout;
mod tls;

pub use logs::{BadLogFormat, LogFormat, start_log};
pub use metrics::Metrics;
pub use options::{DRAIN, Longest, ServeOptions};
pub use server::{ServeError, Server};
pub use shutdown::Stop;
pub use tls::{Tls, TlsError, TlsFiles};
