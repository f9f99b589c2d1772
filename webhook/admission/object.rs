//! The objects of a review: kept whole, or read for what decides while the review is.
//!
//! An object is most of a review, and to find its end takes as long as to read it. Where no rule
//! asks for the whole, it is gone through once.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    podspec::{PodSpec, Specified},
    review::Text,
    workload::Workload,
};

/// What is or will be stored.
#[derive(Debug)]
pub enum Object<'a> {
    /// As it came.
    Whole(&'a RawValue),
    /// What of it decides.
    Skimmed(Box<Skimmed<'a>>),
}

/// What decides of an object, whatever its kind.
#[derive(Debug, Deserialize)]
pub struct Skimmed<'a> {
    #[serde(borrow, default)]
    metadata: Option<Metadata<'a>>,
    #[serde(borrow, default)]
    spec: Option<PodSpec<'a>>,
    #[serde(borrow, default)]
    template: Option<Specified<'a>>,
}

impl<'a> Skimmed<'a> {
    fn pod_spec(&self, workload: Workload) -> Option<&PodSpec<'a>> {
        match workload {
            Workload::Pod => self.spec.as_ref(),
            Workload::PodTemplate => self.template.as_ref()?.spec.as_ref(),
            Workload::Template => self.spec.as_ref()?.template(),
            Workload::CronJob => self.spec.as_ref()?.job_template()?.template(),
        }
    }
}

impl<'a> Object<'a> {
    /// The Pod specification in an object of this shape; empty if it has none.
    pub(super) fn pod_spec(
        &self,
        workload: Workload,
    ) -> Result<Cow<'_, PodSpec<'a>>, serde_json::Error> {
        let found = match self {
            Self::Whole(whole) => {
                let skimmed: Skimmed<'a> = serde_json::from_str(whole.get())?;
                skimmed.pod_spec(workload).cloned().map(Cow::Owned)
            }
            Self::Skimmed(skimmed) => skimmed.pod_spec(workload).map(Cow::Borrowed),
        };
        Ok(found.unwrap_or_else(|| Cow::Owned(PodSpec::default())))
    }

    /// The annotation that breaks the glass: `None` if the object cannot be read, `Some(None)` if
    /// it has none.
    #[expect(clippy::option_option, reason = "what is not readable must not pass for absent")]
    pub(super) fn break_glass(&self) -> Option<Option<String>> {
        let whole: Annotated<'_>;
        let metadata = match self {
            Self::Whole(object) => {
                whole = serde_json::from_str(object.get()).ok()?;
                &whole.metadata
            }
            Self::Skimmed(skimmed) => &skimmed.metadata,
        };
        let annotations = metadata.as_ref().and_then(|metadata| metadata.annotations.as_ref());
        let reason = annotations.and_then(|known| known.break_glass.as_ref());
        Some(reason.map(|reason| reason.0.clone().into_owned()))
    }
}

#[derive(Deserialize)]
struct Annotated<'a> {
    #[serde(borrow, default)]
    metadata: Option<Metadata<'a>>,
}

#[derive(Debug, Deserialize)]
struct Metadata<'a> {
    #[serde(borrow, default)]
    annotations: Option<Annotations<'a>>,
}

#[derive(Debug, Deserialize)]
struct Annotations<'a> {
    #[serde(borrow, default, rename = "countersign.dev/break-glass")]
    break_glass: Option<Text<'a>>,
}
