//! What CI publishes: statements, signatures, uploads.
