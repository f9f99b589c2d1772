//! Tests against peers that others wrote: what only they can show, that we read what they write and
//! that they read what we write.

mod admission;
mod agent;
mod by_hand;
mod carry;
mod gpg;
mod keys;
mod layers;
mod manifest;
mod metadata;
mod opa;
mod published;
mod records;
mod registries;
mod sign;
mod stage;
mod terminal;
