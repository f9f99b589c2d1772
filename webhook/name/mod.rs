//! What things are called: digests, image references, Grafeas names, fingerprints, reason codes.
