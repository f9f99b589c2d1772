//! Images on disk: genuine ones by `BuildKit`, and crafted ones.

mod genuine;
mod hostile;
mod same;
mod signed;
pub mod vector;
