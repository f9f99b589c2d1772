//! The kinds of objects that carry a Pod's specification, and where in them it stands.

use super::{
    review::{Operation, Review},
    violation::Violation,
};
use crate::name::Code;

/// How an object holds its Pod specification.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Workload {
    /// `spec`: a Pod, what is enforced in the end.
    Pod,
    /// `template.spec`: a PodTemplate.
    PodTemplate,
    /// `spec.template.spec`: what makes Pods from a template.
    Template,
    /// `spec.jobTemplate.spec.template.spec`: what makes Jobs from a template.
    CronJob,
}

impl Workload {
    /// Where the Pod specification stands.
    pub const fn root(self) -> &'static str {
        match self {
            Self::Pod => "spec",
            Self::PodTemplate => "template.spec",
            Self::Template => "spec.template.spec",
            Self::CronJob => "spec.jobTemplate.spec.template.spec",
        }
    }

    /// Whether Pods are made from this later, and judged then.
    pub const fn is_template(self) -> bool {
        !matches!(self, Self::Pod)
    }
}

/// Why a request needs no look at images.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Pass {
    /// Something goes away.
    Delete,
    /// Nothing is stored.
    Connect,
    /// The subresource cannot carry an image.
    SubResource,
    /// Every image is one that is there already (P11).
    Unchanged,
}

/// Where to look for images, or why not to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Look {
    Into(Workload),
    Pass(Pass),
}

/// Tells by operation, resource and subresource what a review is about.
///
/// # Errors
/// `review.invalid` for a resource or subresource that is not known here: it might carry images
/// where nobody looks.
pub(super) fn look(review: &Review<'_>) -> Result<Look, Box<Violation>> {
    match review.operation {
        Operation::Delete => return Ok(Look::Pass(Pass::Delete)),
        Operation::Connect => return Ok(Look::Pass(Pass::Connect)),
        Operation::Create | Operation::Update => {}
    }
    let resource = &review.resource;
    let workload = WORKLOADS
        .iter()
        .find(|(group, name, _)| *group == resource.group && *name == resource.resource)
        .filter(|_| resource.version == "v1")
        .map(|(_, _, workload)| *workload)
        .ok_or_else(|| unknown(review))?;
    match review.sub_resource.as_ref() {
        "" => Ok(Look::Into(workload)),
        "ephemeralcontainers" if workload == Workload::Pod => Ok(Look::Into(workload)),
        other if WITHOUT_IMAGES.contains(&other) => Ok(Look::Pass(Pass::SubResource)),
        _ => Err(unknown(review)),
    }
}

fn unknown(review: &Review<'_>) -> Box<Violation> {
    let what = format!(
        "where images stand in {} of {}/{} is not known",
        review.full_resource(),
        review.resource.group,
        review.resource.version
    );
    Box::new(Violation::of_review(Code::ReviewInvalid, what, Some(NARROW_RULES)))
}

const NARROW_RULES: &str = "take it out of the rules of the webhook configuration";

/// Group, resource, shape. All are `v1`; `matchPolicy: Equivalent` converts other versions.
const WORKLOADS: [(&str, &str, Workload); 9] = [
    ("", "pods", Workload::Pod),
    ("", "podtemplates", Workload::PodTemplate),
    ("", "replicationcontrollers", Workload::Template),
    ("apps", "deployments", Workload::Template),
    ("apps", "replicasets", Workload::Template),
    ("apps", "statefulsets", Workload::Template),
    ("apps", "daemonsets", Workload::Template),
    ("batch", "jobs", Workload::Template),
    ("batch", "cronjobs", Workload::CronJob),
];

/// Subresources of these kinds through which no image can come in.
const WITHOUT_IMAGES: [&str; 11] = [
    "status",
    "scale",
    "resize",
    "binding",
    "eviction",
    "exec",
    "attach",
    "portforward",
    "proxy",
    "log",
    "token",
];
