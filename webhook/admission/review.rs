//! The AdmissionReview that the API server sends, read without copying it.
//!
//! Only what decides is read: the envelope and, of the two objects, what names images. Everything
//! else is skipped, which costs a tenth of what decoding into generic values costs.

use std::{borrow::Cow, fmt::Display};

use serde::Deserialize;

use super::{object::Object, salvage::Salvaged, violation::Violation};
use crate::name::Code;

/// A request to let something into the cluster, in `admission.k8s.io/v1`.
///
/// ```
/// use countersign::admission::Review;
///
/// let body = br#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{
///     "uid":"705ab4f5","kind":{"group":"","version":"v1","kind":"Pod"},
///     "resource":{"group":"","version":"v1","resource":"pods"},"namespace":"shop",
///     "operation":"CREATE","userInfo":{"username":"dev"},
///     "object":{"spec":{"containers":[{"name":"web","image":"nginx"}]}},"oldObject":null}}"#;
/// let review = Review::parse(body).unwrap();
/// assert_eq!(review.uid, "705ab4f5");
/// assert!(review.object.is_some() && review.old_object.is_none());
/// ```
#[derive(Debug)]
pub struct Review<'a> {
    /// Named again in the answer; new for every call of a webhook.
    pub uid: Cow<'a, str>,
    /// What is being done.
    pub operation: Operation,
    /// What `object` is, by group, version and kind.
    pub kind: Kind<'a>,
    /// What was matched: decides where images are looked for, since an object's own `kind` is the
    /// sender's word.
    pub resource: Resource<'a>,
    /// `ephemeralcontainers`, `scale` and so on; empty for the object itself.
    pub sub_resource: Cow<'a, str>,
    /// Where it goes.
    pub namespace: Cow<'a, str>,
    /// Empty where the API server has not made it up yet.
    pub name: Cow<'a, str>,
    /// Who asks.
    pub user: User<'a>,
    /// Nothing of this will be stored.
    pub dry_run: bool,
    /// What will be stored; `None` on DELETE.
    pub object: Option<Object<'a>>,
    /// What is stored; `None` on CREATE.
    pub old_object: Option<Object<'a>>,
}

/// What is being done to the object.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "UPPERCASE")]
pub enum Operation {
    Create,
    Update,
    Delete,
    Connect,
}

impl Operation {
    /// As Kubernetes writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
            Self::Connect => "CONNECT",
        }
    }
}

/// Group, version and kind.
#[derive(Debug, Deserialize)]
pub struct Kind<'a> {
    #[serde(borrow, default)]
    pub group: Cow<'a, str>,
    #[serde(borrow)]
    pub version: Cow<'a, str>,
    #[serde(borrow)]
    pub kind: Cow<'a, str>,
}

/// Group, version and resource.
#[derive(Debug, Deserialize)]
pub struct Resource<'a> {
    #[serde(borrow, default)]
    pub group: Cow<'a, str>,
    #[serde(borrow)]
    pub version: Cow<'a, str>,
    #[serde(borrow)]
    pub resource: Cow<'a, str>,
}

/// Who asks, as the API server authenticated them.
#[derive(Debug, Default, Deserialize)]
pub struct User<'a> {
    #[serde(borrow, default)]
    pub username: Cow<'a, str>,
    #[serde(borrow, default)]
    pub groups: Vec<Text<'a>>,
}

/// A string of the body, borrowed where it holds no escapes.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq)]
#[serde(transparent)]
pub struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);

/// Why a body cannot be judged.
#[derive(Debug, Eq, PartialEq)]
pub enum Unreadable {
    /// It is no AdmissionReview, or one without a uid to answer to: HTTP 400.
    Foreign,
    /// It is one, but not one that can be judged: denied by a review of that uid.
    Invalid { uid: String, violation: Box<Violation> },
}

impl<'a> Review<'a> {
    /// Reads a review from a request's body, its objects whole.
    ///
    /// Members that are not known are skipped; known ones must stand once and be of their type.
    ///
    /// # Errors
    /// [`Unreadable::Invalid`] for a body whose uid can be read, [`Unreadable::Foreign`] otherwise.
    pub fn parse(body: &'a [u8]) -> Result<Self, Unreadable> {
        let text = str::from_utf8(body).map_err(|error| malformed(body, &error))?;
        let envelope = serde_json::from_str(text).map_err(|error| malformed(body, &error))?;
        Self::of(envelope, Object::Whole)
    }

    /// The same, but of its objects only what decides, if they can be read: those of kinds that
    /// nobody looks into may be of any shape.
    ///
    /// # Errors
    /// As [`Review::parse`].
    pub fn skim(body: &'a [u8]) -> Result<Self, Unreadable> {
        // Looked through at once, which is faster than string by string.
        let skimmed = str::from_utf8(body).ok().and_then(|text| serde_json::from_str(text).ok());
        match skimmed {
            Some(envelope) => Self::of(envelope, |object| Object::Skimmed(Box::new(object))),
            None => Self::parse(body),
        }
    }

    fn of<O>(envelope: Envelope<'a, O>, object: fn(O) -> Object<'a>) -> Result<Self, Unreadable> {
        if envelope.kind.as_ref().is_some_and(|kind| kind.0 != KIND) {
            return Err(Unreadable::Foreign);
        }
        let request = envelope.request.ok_or(Unreadable::Foreign)?;
        if request.uid.is_empty() || request.uid.len() > LONGEST_UID {
            return Err(Unreadable::Foreign);
        }
        let version = envelope.api_version.map_or(Cow::Borrowed(""), |version| version.0);
        let what = match envelope.kind {
            Some(_) if version == API_VERSION => None,
            Some(_) => Some(format!("the review is of \"{version}\", not of {API_VERSION}")),
            None => Some(format!("the review says no kind, which is {KIND}")),
        };
        if let Some(what) = what {
            return Err(invalid(request.uid.into_owned(), what, Some(ASK_FOR_V1)));
        }
        Ok(Self {
            uid: request.uid,
            operation: request.operation,
            kind: request.kind,
            resource: request.resource,
            sub_resource: request.sub_resource,
            namespace: request.namespace,
            name: request.name,
            user: request.user_info,
            dry_run: request.dry_run,
            object: request.object.map(object),
            old_object: request.old_object.map(object),
        })
    }

    /// The resource, with its subresource: `pods/ephemeralcontainers`.
    pub fn full_resource(&self) -> String {
        match self.sub_resource.as_ref() {
            "" => self.resource.resource.to_string(),
            sub_resource => format!("{}/{sub_resource}", self.resource.resource),
        }
    }

    /// The uid of a review of which only the beginning is at hand, or that is broken.
    pub fn uid_of(body: &[u8]) -> Option<String> {
        Salvaged::from(body).review_uid()
    }
}

/// A body that serde gave up on: answered as a review if its uid can be read all the same.
fn malformed(body: &[u8], error: &dyn Display) -> Unreadable {
    match Review::uid_of(body) {
        Some(uid) => invalid(uid, format!("the review is not readable: {error}"), None),
        None => Unreadable::Foreign,
    }
}

fn invalid(uid: String, what: String, todo: Option<&str>) -> Unreadable {
    let violation = Box::new(Violation::of_review(Code::ReviewInvalid, what, todo));
    Unreadable::Invalid { uid, violation }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "O: Deserialize<'de>"))]
struct Envelope<'a, O> {
    #[serde(borrow, default)]
    api_version: Option<Text<'a>>,
    #[serde(borrow, default)]
    kind: Option<Text<'a>>,
    #[serde(borrow, default = "none")]
    request: Option<Request<'a, O>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "O: Deserialize<'de>"))]
struct Request<'a, O> {
    #[serde(borrow)]
    uid: Cow<'a, str>,
    operation: Operation,
    #[serde(borrow)]
    kind: Kind<'a>,
    #[serde(borrow)]
    resource: Resource<'a>,
    #[serde(borrow, default)]
    sub_resource: Cow<'a, str>,
    #[serde(borrow, default)]
    namespace: Cow<'a, str>,
    #[serde(borrow, default)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    user_info: User<'a>,
    #[serde(default)]
    dry_run: bool,
    #[serde(default = "none")]
    object: Option<O>,
    #[serde(default = "none")]
    old_object: Option<O>,
}

/// What serde's own default would ask of `T`.
const fn none<T>() -> Option<T> {
    None
}

/// The `kind` of every review and of every answer.
pub const KIND: &str = "AdmissionReview";

/// The `apiVersion` of every review and of every answer.
pub const API_VERSION: &str = "admission.k8s.io/v1";

/// A uid has 36 characters; what is much longer is none.
pub const LONGEST_UID: usize = 256;

const ASK_FOR_V1: &str = "set admissionReviewVersions to [v1] in the webhook configuration";
