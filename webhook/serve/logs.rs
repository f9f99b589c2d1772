//! Where log lines go: to stderr, as text for people or as JSON for programs.

use std::{fmt, io::IsTerminal as _, str::FromStr};

use tracing_subscriber::{EnvFilter, util::SubscriberInitExt as _};

/// `--log-format`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum LogFormat {
    /// One line of words and `name=value` pairs.
    #[default]
    Text,
    /// One object a line.
    Json,
}

impl FromStr for LogFormat {
    type Err = BadLogFormat;

    fn from_str(text: &str) -> Result<Self, BadLogFormat> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(BadLogFormat(text.to_owned())),
        }
    }
}

impl fmt::Display for LogFormat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Text => "text",
            Self::Json => "json",
        })
    }
}

/// What is no format of a log.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("\"{0}\" is no log format; use text or json")]
pub struct BadLogFormat(String);

/// Starts the log of this process. `RUST_LOG` says what is logged; without it, what concerns an
/// operator. A second call changes nothing.
pub fn start_log(format: LogFormat) {
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    // Only a second subscriber is refused, and the first one is there then.
    let _ = match format {
        LogFormat::Text => lines.with_target(false).finish().try_init(),
        LogFormat::Json => {
            lines.json().flatten_event(true).with_current_span(false).finish().try_init()
        }
    };
}

const DEFAULT_FILTER: &str = "warn,countersign=info";
