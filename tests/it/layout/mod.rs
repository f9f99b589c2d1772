//! Images on disk: genuine ones by `BuildKit`, and crafted ones.

mod genuine;
mod hostile;
pub mod same;
mod signed;
pub mod vector;
