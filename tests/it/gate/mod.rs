//! The gate over real HTTP: what each promise of the design means for a review.

mod exempt;
mod failure;
mod path;
mod platforms;
