//! One integration binary: the layers, the gate over real HTTP, the commands.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::items_after_statements,
    clippy::duration_suboptimal_units,
    clippy::semicolon_if_nothing_returned,
    reason = "a test that cannot go on has failed, and reads in the order of its story"
)]

mod admission_answer;
mod admission_exempt;
mod admission_images;
mod admission_reviews;
mod carry;
mod cli;
mod cli_config;
mod cli_inputs;
mod cli_layers;
mod cli_ocibuilder;
mod cli_policy;
mod cli_publish;
mod cli_records;
mod cli_refusals;
mod cli_scans;
mod cli_secrets;
mod cli_serve;
mod cli_sign;
mod cli_store;
mod cli_terminal;
mod cli_tls;
mod cli_verify;
mod config;
mod configuration;
mod docs;
mod docs_ci;
mod forms;
mod fuzz;
mod gate;
mod grafeas_client;
mod grafeas_codec;
mod grafeas_lies;
mod grafeas_secrets;
mod grafeas_server;
mod grafeas_store;
mod kit;
mod layers;
mod layout;
mod live;
mod manifest;
mod matrix;
mod metadata;
mod name_pattern;
mod name_reference;
mod name_values;
mod peer;
mod policy_input;
mod policy_library;
mod policy_limits;
mod policy_load;
mod policy_negation;
mod policy_opa;
mod policy_reads;
mod registry;
mod scene;
mod schema;
mod serve;
mod sign_build;
mod sign_build_ci;
mod sign_images;
mod sign_key;
mod sign_pem;
mod sign_publish;
mod sign_vulnerability;
mod store_access;
mod store_api;
mod verify_codes;
mod verify_genuine;
mod verify_hostile;
mod verify_keys;
mod verify_scope;
mod verify_support;
mod verify_weight;
mod verify_x509;
