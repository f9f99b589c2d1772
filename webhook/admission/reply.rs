//! What goes back to the caller, and what the log and the metrics learn of it.

use std::{fmt, time::Duration};

use bytes::Bytes;

use super::review::Review;

/// Which of the two webhooks is asked.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Phase {
    /// `POST /mutate`: pins images by a patch, and denies what cannot be let in.
    Mutate,
    /// `POST /validate`: the guarantee; asks for digests and never patches.
    Validate,
}

impl Phase {
    /// The word for logs and metrics, and the last part of the path that it is served under.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mutate => "mutate",
            Self::Validate => "validate",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// What became of a review.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Decision {
    /// Nothing stands against it.
    Allowed,
    /// Something does.
    Denied,
    /// A listed exception let at least one image in that was denied otherwise.
    Exception,
    /// Somebody who may broke the glass.
    BreakGlass,
}

impl Decision {
    /// The word that audit annotations, logs and metrics carry.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Denied => "denied",
            Self::Exception => "exception",
            Self::BreakGlass => "break-glass",
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// What takes time within a review.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Stage {
    /// Reading the review.
    Decode,
    /// Digests and evidence, from registries and stores or from the cache.
    Gather,
    /// Signatures and rules.
    Evaluate,
}

impl Stage {
    /// The word that the metrics' label carries.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Decode => "decode",
            Self::Gather => "gather",
            Self::Evaluate => "evaluate",
        }
    }
}

/// What an HTTP server needs to send, and what it should note down.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The HTTP status: 200 for every review that is answered by a review.
    pub status: u16,
    /// The body: JSON with status 200, plain text otherwise.
    pub body: Bytes,
    /// For the log and the metrics.
    pub outcome: Outcome,
}

/// One review as the log tells it: enough to judge it again (P17).
///
/// Text is kept as it came; whoever prints it escapes it.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The review's uid; empty if the body was no review.
    pub uid: String,
    /// `CREATE`, `UPDATE` and so on.
    pub operation: &'static str,
    /// The resource, with its subresource: `pods`, `pods/ephemeralcontainers`, `deployments`.
    pub resource: String,
    /// The namespace of the object.
    pub namespace: String,
    /// The name of the object; empty where the API server has not made it up yet.
    pub name: String,
    /// Who asks.
    pub user: String,
    /// Nothing of this will be stored.
    pub dry_run: bool,
    /// `None` where no review was answered.
    pub decision: Option<Decision>,
    /// The codes of what was violated, sorted, each once.
    pub codes: Vec<String>,
    /// The codes of what `warn` and `audit` policies would have denied.
    pub would_deny: Vec<String>,
    /// The references as they were resolved.
    pub images: Vec<String>,
    /// The policies that judged.
    pub policies: Vec<String>,
    /// The fingerprints that counted.
    pub signers: Vec<String>,
    /// The revision of policy and trust that judged.
    pub revision: String,
    /// Why an exception or a break-glass let it in.
    pub reason: Option<String>,
    /// What took how long.
    pub stages: Vec<(Stage, Duration)>,
}

impl Outcome {
    /// What a review says of itself; the rest is up to whoever judges it.
    pub fn of(review: &Review<'_>) -> Self {
        Self {
            uid: review.uid.to_string(),
            operation: review.operation.as_str(),
            resource: review.full_resource(),
            namespace: review.namespace.to_string(),
            name: review.name.to_string(),
            user: review.user.username.to_string(),
            dry_run: review.dry_run,
            ..Self::default()
        }
    }
}

impl Reply {
    /// The answer to what is no AdmissionReview: the only one that is not a review (P13).
    pub fn not_a_review() -> Self {
        Self {
            status: 400,
            body: Bytes::from_static(
                b"not an AdmissionReview; POST an admission.k8s.io/v1 AdmissionReview\n",
            ),
            outcome: Outcome::default(),
        }
    }
}
