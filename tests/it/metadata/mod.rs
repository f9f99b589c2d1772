//! Metadata beside an image, from the shell to the rule; and what Manifesto left.

mod commands;
mod delete;
mod desk;
mod hostile;
mod legacy;
mod login;
mod rules;
