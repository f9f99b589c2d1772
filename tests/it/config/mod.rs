//! The configuration: its shape, its contents, its report, its reload.

mod contents;
pub mod folder;
mod from;
mod from_scopes;
mod keep;
mod load;
mod mistakes;
mod policies;
mod reload;
mod roots;
mod shape;
