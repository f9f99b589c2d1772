//! `/livez`, `/readyz` and `/metrics`, for the kubelet and for Prometheus.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use axum::{Router, routing::get};
use http::{StatusCode, header};

use super::metrics::Metrics;

/// The routes. Ready from the start, since it starts with certificate and policies in force, and
/// whatever registries and stores do; not ready any more once it is to stop.
pub(super) fn router(metrics: Arc<Metrics>, draining: Arc<AtomicBool>) -> Router {
    let ready = move || async move {
        if draining.load(Ordering::Relaxed) {
            (StatusCode::SERVICE_UNAVAILABLE, "stopping\n")
        } else {
            (StatusCode::OK, "ready\n")
        }
    };
    let text = move || async move {
        let headers = [(header::CONTENT_TYPE, OPEN_METRICS)];
        match metrics.text() {
            Ok(text) => (StatusCode::OK, headers, text),
            Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, headers, String::new()),
        }
    };
    Router::new()
        .route("/livez", get(|| async { "alive\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(text))
}

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
