//! What was signed, in the shape that policies see it.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{
    attest::{Carrier, Meaning, metadata},
    name::escape,
};

/// A payload that means something.
#[derive(Clone, Debug)]
pub struct Payload {
    /// A statement's predicate has moved to `predicate`; metadata has none there.
    pub meaning: Meaning,
    pub predicate_type: Arc<str>,
    pub predicate: Arc<Value>,
}

/// Reads a payload once, for all the signatures over it.
pub fn read(carrier: Carrier<'_>, payload: &[u8]) -> Arc<Result<Payload, String>> {
    let read = Meaning::of(carrier, payload).map(|mut meaning| {
        let (predicate_type, predicate): (Arc<str>, Value) = match &mut meaning {
            Meaning::SimpleSigning(simple) => {
                let optional = std::mem::take(&mut simple.optional);
                ("simple-signing".into(), json!({ "optional": optional }))
            }
            Meaning::ImageId(_) => ("image-id".into(), json!({})),
            Meaning::Statement(statement) => {
                let predicate = std::mem::take(&mut statement.predicate);
                (statement.predicate_type.as_str().into(), predicate)
            }
            Meaning::Metadata { .. } => (metadata::PREDICATE_TYPE.into(), json!({})),
        };
        Payload { meaning, predicate_type, predicate: Arc::new(predicate) }
    });
    Arc::new(read.map_err(|bad| escape(&bad.to_string(), SHOWN)))
}

/// How much of outside text a reason quotes.
const SHOWN: usize = 256;
