//! The embedded Grafeas server.
