//! Who said it: authorities, keyrings, signatures.
