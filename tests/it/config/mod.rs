//! The configuration: its shape, its contents, its report, its reload.

mod contents;
mod folder;
mod from;
mod load;
mod mistakes;
mod policies;
mod reload;
mod shape;
