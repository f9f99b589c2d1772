//! What the rules make of it: Rego bundles, the input document, decisions.
