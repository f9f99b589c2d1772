//! `input.images[].metadata`: by type, what each signer said last.

use std::{cmp::Reverse, collections::BTreeMap};

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    attest::{CompactJson, metadata::MetadataValue},
    verify::{Signer, Verified},
};

/// One value and whose it is.
///
/// Whether it has expired is the rule's to say: the newest of a signer stands here even then, since
/// what it replaced must not come back.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Held<'a> {
    value: &'a CompactJson,
    media_type: &'a str,
    authority: &'a str,
    signer: &'a Signer,
    signed_at: Option<Timestamp>,
    created: Timestamp,
    expires: Option<Timestamp>,
}

/// The verified metadata among `verified`: by type, one value for each signer of each authority,
/// its newest by the time that it says, and the newest of all first.
pub fn by_type<'a>(
    verified: impl IntoIterator<Item = &'a Verified>,
) -> BTreeMap<&'a str, Vec<Held<'a>>> {
    let mut found: Vec<(&Verified, &MetadataValue)> =
        verified.into_iter().filter_map(|one| Some((one, one.metadata()?))).collect();
    // What says that it is of the same time is ordered by what it says, so that the order in which
    // it was found never matters.
    found.sort_by_key(|(one, said)| {
        (Reverse(said.metadata.created), Reverse(one.signed_at()), said.metadata.digest)
    });
    let mut types: BTreeMap<&str, Vec<Held<'_>>> = BTreeMap::new();
    for (one, MetadataValue { metadata, value }) in found {
        let held = types.entry(metadata.kind.as_str()).or_default();
        let superseded = held.iter().any(|newer| {
            newer.authority == one.authority() && newer.signer.identity() == one.signer().identity()
        });
        if !superseded {
            held.push(Held {
                value,
                media_type: metadata.media_type.as_str(),
                authority: one.authority(),
                signer: one.signer(),
                signed_at: one.signed_at(),
                created: metadata.created,
                expires: metadata.expires,
            });
        }
    }
    types
}
