//! `cargo demo`: the five-minute tour.

fn main() {}
