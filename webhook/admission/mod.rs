//! Reviews in, answers out: images of every kind, the gate, patches, denial texts.
