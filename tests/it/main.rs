//! One integration binary: the layers, the gate over real HTTP, the commands.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod layers;
mod live;
mod peer;
