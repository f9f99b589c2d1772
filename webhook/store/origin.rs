//! Requests that a web page made somebody's browser send.
//!
//! A store without tokens takes the word of whoever can connect. On a developer's machine that is
//! every page that is open in a browser there: it may post plain text to any address unasked, and a
//! name that it owns may come to mean 127.0.0.1. Neither gets past these two checks. A browser asks
//! first before it sends JSON or a token, and nobody here answers that question.

use axum::http::{HeaderMap, Method, header, uri::Authority};

use super::answer::Refusal;
use crate::name::escape;

/// Refuses a message that does not say that it is JSON.
pub fn must_be_json(method: &Method, headers: &HeaderMap) -> Result<(), Refusal> {
    let said = headers.get(header::CONTENT_TYPE).and_then(|said| said.to_str().ok());
    let essence = said.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if method != Method::POST || essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(Refusal::Invalid("messages are taken as Content-Type: application/json only".to_owned()))
}

/// Refuses a request that was sent to a name, unless the name is this machine's own.
pub fn must_name_this_machine(headers: &HeaderMap) -> Result<(), Refusal> {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let own = host.parse::<Authority>().is_ok_and(|authority| {
        let name = authority.host();
        let address = name.trim_start_matches('[').trim_end_matches(']');
        name.eq_ignore_ascii_case("localhost") || address.parse::<std::net::IpAddr>().is_ok()
    });
    if own {
        return Ok(());
    }
    Err(Refusal::Denied(format!(
        "without --tokens this store is asked as localhost or by its address, not as {:?}",
        escape(host, SHOWN)
    )))
}

/// How much of a host is told.
const SHOWN: usize = 100;
