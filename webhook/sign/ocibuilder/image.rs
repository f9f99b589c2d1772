//! An image as ocibuilder's occurrences describe it.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    Step,
    history::layer_info,
    parts::{AnnotatedBase, ImageParts},
};
use crate::{
    attest::oci::Platform,
    name::{NoteName, PinnedImage, ProjectName},
    sign::{
        Record, RecordKind, RecordNote,
        present::{filled, present},
    },
};

/// An image, and the one that it was built on where that is known.
#[derive(Debug)]
pub struct BuiltImage {
    own: ImageParts,
    base: Option<ImageParts>,
}

/// An image that another says it was built on, and was not.
#[derive(Debug, thiserror::Error)]
#[error("the layers and steps of {image} do not begin with those of {base}")]
pub struct NotItsBase {
    image: PinnedImage,
    base: PinnedImage,
}

impl BuiltImage {
    /// An image of which no base is known.
    pub fn new(own: ImageParts) -> Self {
        Self { own, base: None }
    }

    /// What it says it was built on.
    pub fn annotated_base(&self) -> &AnnotatedBase {
        &self.own.base
    }

    /// The platform that it is for.
    pub fn platform(&self) -> Platform {
        self.own.platform()
    }

    /// Tells what it was built on, so that only the steps since count.
    ///
    /// # Errors
    /// It does not stand on `base`, whatever it says; then none is recorded.
    pub fn build_on(&mut self, base: ImageParts) -> Result<(), NotItsBase> {
        if self.own.steps_of(&base).is_none() {
            self.own.base = AnnotatedBase::Incomplete;
            return Err(NotItsBase { image: self.own.image.clone(), base: base.image });
        }
        self.base = Some(base);
        Ok(())
    }

    /// The image by its ID, as ocibuilder names it.
    pub fn by_id(&self) -> PinnedImage {
        PinnedImage { repository: self.own.image.repository.clone(), digest: self.own.image_id }
    }

    /// The IMAGE occurrence: what was done since the base image, the last step first. Without one
    /// that is all that was done; where it is not known how much is the base's, there is no distance.
    pub fn derived(&self, note: NoteName) -> Record {
        let below = match (&self.base, &self.own.base) {
            (Some(base), _) => self.own.steps_of(base),
            (None, AnnotatedBase::None) => Some(0),
            (None, _) => None,
        };
        let history = &self.own.config.history;
        let since = history.iter().skip(below.unwrap_or_default()).rev();
        let steps: Vec<Value> = since.map(|one| layer_info(&one.created_by)).collect();
        let named = match &self.own.base {
            AnnotatedBase::Image(base) => Some(format!("https://{base}")),
            AnnotatedBase::None | AnnotatedBase::Incomplete => None,
        };
        let derived = present([
            ("fingerprint", Some(self.own.fingerprint())),
            ("distance", below.map(|below| self.own.steps().saturating_sub(below).into())),
            ("layerInfo", Some(json!(steps)).filter(|_| !steps.is_empty())),
            ("baseResourceUrl", named.map(Value::from)),
        ]);
        let basis = self.base.as_ref().unwrap_or(&self.own);
        Record {
            kind: RecordKind::Image,
            note: RecordNote::Named(note),
            note_details: json!({
                "resourceUrl": format!("https://{}", basis.image),
                "fingerprint": basis.fingerprint(),
            }),
            details: json!({"derivedImage": derived}),
        }
    }

    /// The BUILD occurrence of `about`, which is the image by one of its digests.
    pub fn build(
        &self,
        about: &PinnedImage,
        project: &ProjectName,
        step: &Step,
        times: BuildTimes,
        note: NoteName,
    ) -> Record {
        let name = step.tag.as_ref().map(|tag| json!([format!("{}:{tag}", about.repository)]));
        let artifact = present([
            ("checksum", Some(about.digest.to_string().into())),
            ("id", Some(about.to_string().into())),
            ("names", name),
        ]);
        let source = present([("artifactStorageSourceUri", step.source().map(Value::from))]);
        let time = self.own.config.created.as_ref();
        let time = time.filter(|time| time.parse::<Timestamp>().is_ok());
        let created = || time.cloned().map(Value::from);
        let told = |time: Option<Timestamp>| time.map(|time| Value::from(time.to_string()));
        let provenance = present([
            // ocibuilder makes one up for each run; the same image has the same here, so that
            // nothing is written twice.
            ("id", Some(self.own.image_id.to_string().into())),
            ("projectId", project.as_str().strip_prefix("projects/").map(Value::from)),
            ("builtArtifacts", Some(json!([artifact]))),
            ("createTime", created()),
            ("startTime", told(times.started)),
            ("endTime", told(times.finished).or_else(created)),
            ("creator", step.creator().map(Value::from)),
            ("sourceProvenance", filled(source)),
            ("builderVersion", Some(VERSION.into())),
        ]);
        Record {
            kind: RecordKind::Build,
            note: RecordNote::Named(note),
            note_details: json!({"builderVersion": VERSION}),
            details: json!({"provenance": provenance}),
        }
    }
}

/// When a build ran, as whoever signs tells; the image tells when it was made, and no more.
#[derive(Clone, Copy, Debug, Default)]
pub struct BuildTimes {
    pub started: Option<Timestamp>,
    pub finished: Option<Timestamp>,
}

/// What wrote the record.
const VERSION: &str = concat!("countersign ", env!("CARGO_PKG_VERSION"));
