//! The gate over real HTTP: what each promise of the design means for a review.

mod cache;
mod config;
mod cost;
mod crowd;
mod embedded;
mod exempt;
mod failure;
mod flood;
pub mod layers;
mod layers_refused;
mod metadata;
mod path;
mod people;
mod platforms;
mod recent;
mod revoked;
mod ways;
mod wired;
