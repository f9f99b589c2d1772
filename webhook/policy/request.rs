//! `input.request`: what the API server asks, as far as rules may know it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;

/// The request of a review.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Request<'a> {
    pub uid: &'a str,
    /// The time of the review, which is the only clock that rules should go by.
    pub time: Timestamp,
    pub operation: &'a str,
    pub namespace: &'a str,
    pub name: &'a str,
    pub kind: Kind<'a>,
    pub resource: Resource<'a>,
    pub sub_resource: &'a str,
    pub user: User<'a>,
    pub dry_run: bool,
    /// Labels of the namespace; null where nobody asked for them.
    pub namespace_labels: Option<&'a BTreeMap<String, String>>,
    /// Given only where a rule reads it ([`super::Reads::object`]); null otherwise.
    #[serde(skip)]
    pub object: Option<&'a RawValue>,
    #[serde(skip)]
    pub old_object: Option<&'a RawValue>,
}

/// What kind of object it is.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Kind<'a> {
    pub group: &'a str,
    pub version: &'a str,
    pub kind: &'a str,
}

/// Under which path the object is served.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Resource<'a> {
    pub group: &'a str,
    pub version: &'a str,
    pub resource: &'a str,
}

/// Who asks.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct User<'a> {
    pub username: &'a str,
    pub groups: &'a [String],
}
