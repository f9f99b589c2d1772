//! Tests against peers that others wrote: what only they can show, that we read what they write and
//! that they read what we write.

mod admission;
mod agent;
mod buildkit;
mod by_hand;
mod carry;
mod controllers;
mod cosign;
mod gpg;
mod keys;
mod layers;
mod lying;
mod manifest;
mod metadata;
mod notation;
mod opa;
mod provenance;
mod published;
mod records;
mod registries;
mod sign;
mod stage;
mod terminal;
mod verdict;
