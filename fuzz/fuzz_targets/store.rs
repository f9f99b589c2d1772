//! Requests to the store: the first line is method and target, the rest the body.
#![no_main]

use std::sync::LazyLock;

use axum::{body::Body, http::Request};
use countersign::store::{Access, Database, router};
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt as _;

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_all().build().unwrap());
static DATA: LazyLock<Database> = LazyLock::new(|| Database::in_memory().unwrap());

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (line, body) = data.split_at(end);
    let line = str::from_utf8(line).unwrap_or_default();
    let Some((method, target)) = line.split_once(' ') else { return };
    let request = Request::builder().method(method).uri(target).header("content-type", "application/json");
    let Ok(request) = request.body(Body::from(body.to_vec())) else { return };
    let answer = RUNTIME.block_on(router(&DATA, Access::Connected).oneshot(request)).unwrap();
    assert_ne!(answer.status(), 500, "{line}");
});
