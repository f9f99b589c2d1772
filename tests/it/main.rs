//! One integration binary: the layers, the gate over real HTTP, the commands.

mod layers;
mod live;
mod peer;
