//! The webhook's listeners: TLS, routes, probes, metrics, shutdown.
