//! Which images a request brings in (P11).
//!
//! What stands in the stored object already is not judged again, so that finalizers and labels can
//! always be changed. Images are compared by kind and name of their container and as a multiset:
//! a second container that repeats name and image of a first is new.

use std::{borrow::Cow, collections::HashMap, fmt};

use serde::Serialize;

use super::{
    object::Object,
    podspec::{Entry, PodSpec},
    review::{Operation, Review},
    violation::Violation,
    workload::{Look, Pass, Workload, look},
};
use crate::name::Code;

/// What a request changes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Change {
    /// No image comes in by it.
    Nothing(Pass),
    /// These come in.
    Images(Images),
}

/// The images that a request brings in; at least one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Images {
    /// In the order of the object: init containers, containers, ephemeral ones, volumes.
    pub uses: Vec<ImageUse>,
    /// The shape of the object that uses them.
    pub workload: Workload,
}

/// One image at one place of the object.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ImageUse {
    /// `spec.containers[0].image`
    pub path: String,
    /// What runs or mounts it.
    pub container: Container,
    /// The reference as it is written there; never empty, and not yet known to be one.
    pub given: String,
}

/// What runs or mounts an image.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Container {
    pub name: String,
    pub kind: ContainerKind,
}

/// Which list of the Pod specification a container or volume is in.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ContainerKind {
    Container,
    InitContainer,
    EphemeralContainer,
    Volume,
}

impl ContainerKind {
    /// As the policy input spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Container => "container",
            Self::InitContainer => "initContainer",
            Self::EphemeralContainer => "ephemeralContainer",
            Self::Volume => "volume",
        }
    }

    /// The list, and the member of its entries that names the image.
    const fn place(self) -> (&'static str, &'static str) {
        match self {
            Self::Container => ("containers", "image"),
            Self::InitContainer => ("initContainers", "image"),
            Self::EphemeralContainer => ("ephemeralContainers", "image"),
            Self::Volume => ("volumes", "image.reference"),
        }
    }
}

impl fmt::Display for ContainerKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Review<'_> {
    /// The images that this request brings in, at most `limit`.
    ///
    /// # Errors
    /// A violation of code `review.invalid` if the object is of no kind that is known here, if no
    /// image is found in it, or an image is missing or no text; `review.too-large` above `limit`.
    pub fn change(&self, limit: usize) -> Result<Change, Box<Violation>> {
        let workload = match look(self)? {
            Look::Into(workload) => workload,
            Look::Pass(pass) => return Ok(Change::Nothing(pass)),
        };
        let new = read(self.object.as_ref(), workload, "object")?;
        let old_object = self.old_object.as_ref().filter(|_| self.operation == Operation::Update);
        let old = read(old_object, workload, "oldObject")?;
        if new.entries().next().is_none() {
            // An object that never had an image cannot be kept from losing its finalizers.
            if old_object.is_some() && old.entries().next().is_none() {
                return Ok(Change::Nothing(Pass::Unchanged));
            }
            let what = format!("no image is found at {} of the object", workload.root());
            return Err(invalid(what, Some(NAME_AN_IMAGE)));
        }
        let uses = changed(&new, &old, workload, limit)?;
        if uses.is_empty() {
            return Ok(Change::Nothing(Pass::Unchanged));
        }
        Ok(Change::Images(Images { uses, workload }))
    }
}

fn read<'o, 'a>(
    object: Option<&'o Object<'a>>,
    workload: Workload,
    which: &str,
) -> Result<Cow<'o, PodSpec<'a>>, Box<Violation>> {
    let Some(object) = object else { return Ok(Cow::Owned(PodSpec::default())) };
    object.pod_spec(workload).map_err(|error| {
        let what = format!("images of the {which} are not readable: {error}");
        invalid(what, None)
    })
}

/// What is in `new` and not in `old`.
fn changed(
    new: &PodSpec<'_>,
    old: &PodSpec<'_>,
    workload: Workload,
    limit: usize,
) -> Result<Vec<ImageUse>, Box<Violation>> {
    let mut known: HashMap<Entry<'_>, usize> = HashMap::new();
    for (_, entry) in old.entries() {
        *known.entry(entry).or_default() += 1;
    }
    let mut uses = Vec::new();
    for (index, entry) in new.entries() {
        match known.get_mut(&entry) {
            Some(left) if *left > 0 => *left -= 1,
            _ if uses.len() == limit => return Err(too_many(limit)),
            _ => uses.push(image_use(index, entry, workload)?),
        }
    }
    Ok(uses)
}

fn image_use(
    index: usize,
    entry: Entry<'_>,
    workload: Workload,
) -> Result<ImageUse, Box<Violation>> {
    let (list, member) = entry.kind.place();
    let path = format!("{}.{list}[{index}].{member}", workload.root());
    let Some(image) = entry.image else {
        let what = format!("no image is found at {path} of the object");
        return Err(invalid(what, Some(NAME_AN_IMAGE)));
    };
    let container = Container { name: entry.name.to_owned(), kind: entry.kind };
    Ok(ImageUse { path, container, given: image.to_owned() })
}

fn too_many(limit: usize) -> Box<Violation> {
    let what = format!("more than {limit} images come in by one request");
    let todo = Some("split it, or raise limits.images");
    Box::new(Violation::of_review(Code::ReviewTooLarge, what, todo))
}

fn invalid(what: String, todo: Option<&str>) -> Box<Violation> {
    Box::new(Violation::of_review(Code::ReviewInvalid, what, todo))
}

const NAME_AN_IMAGE: &str = "name an image in every container and image volume";
