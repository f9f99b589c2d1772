//! What must hold of any bytes, one function for each kind of input. The fuzz targets call them
//! with bytes that reach ever more of the code, `cargo test` with all fixtures.

mod evidence;
mod names;
mod settings;

pub use evidence::{
    carried, certificate, document, dsse, grafeas, keyring, manifesto, metadata, openpgp,
    simple_signing, statement,
};
pub use names::{image_reference, pattern, review};
pub use settings::{bundle, configuration, layout, rego, reports};

/// Something that must hold of any bytes; it panics where it does not.
pub type Property = fn(&[u8]);

/// The functions with their names.
pub const TARGETS: [(&str, Property); 19] = [
    ("bundle", bundle),
    ("carried", carried),
    ("certificate", certificate),
    ("configuration", configuration),
    ("document", document),
    ("dsse", dsse),
    ("grafeas", grafeas),
    ("image_reference", image_reference),
    ("keyring", keyring),
    ("layout", layout),
    ("manifesto", manifesto),
    ("metadata", metadata),
    ("openpgp", openpgp),
    ("pattern", pattern),
    ("rego", rego),
    ("reports", reports),
    ("review", review),
    ("simple_signing", simple_signing),
    ("statement", statement),
];
