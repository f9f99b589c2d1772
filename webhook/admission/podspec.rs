//! The few members of a specification that name images, or hold a template that does.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, SeqAccess, Visitor},
};

use super::{images::ContainerKind, review::Text};

/// Everything in a specification that names an image, or should; a Pod's own, if nothing else is
/// said.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PodSpec<'a> {
    #[serde(borrow, default, deserialize_with = "list")]
    containers: Vec<Container<'a>>,
    #[serde(borrow, default, deserialize_with = "list")]
    init_containers: Vec<Container<'a>>,
    #[serde(borrow, default, deserialize_with = "list")]
    ephemeral_containers: Vec<Container<'a>>,
    #[serde(borrow, default, deserialize_with = "list")]
    volumes: Vec<Volume<'a>>,
    /// Where this is the specification of what makes Pods from a template.
    #[serde(borrow, default)]
    template: Option<Box<Specified<'a>>>,
    /// Where this is the specification of what makes Jobs from a template.
    #[serde(borrow, default)]
    job_template: Option<Box<Specified<'a>>>,
}

/// A template, or anything else with a `spec`.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Specified<'a> {
    #[serde(borrow, default)]
    pub spec: Option<PodSpec<'a>>,
}

/// One place for an image; without one where the object leaves it out.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Entry<'a> {
    pub kind: ContainerKind,
    pub name: &'a str,
    pub image: Option<&'a str>,
}

impl PodSpec<'_> {
    /// The specification in the template that this one of another kind holds.
    pub fn template(&self) -> Option<&Self> {
        self.template.as_ref()?.spec.as_ref()
    }

    /// The same of a template for Jobs.
    pub fn job_template(&self) -> Option<&Self> {
        self.job_template.as_ref()?.spec.as_ref()
    }

    /// Each place for an image, with its index in its list.
    pub fn entries(&self) -> impl Iterator<Item = (usize, Entry<'_>)> {
        let containers = [
            (ContainerKind::InitContainer, &self.init_containers),
            (ContainerKind::Container, &self.containers),
            (ContainerKind::EphemeralContainer, &self.ephemeral_containers),
        ];
        let containers = containers.into_iter().flat_map(|(kind, list)| {
            list.iter().enumerate().map(move |(index, container)| {
                (
                    index,
                    Entry {
                        kind,
                        name: text(container.name.as_ref()),
                        image: image(container.image.as_ref()),
                    },
                )
            })
        });
        let volumes = self.volumes.iter().enumerate().filter_map(|(index, volume)| {
            let source = volume.image.as_ref()?;
            let (kind, name) = (ContainerKind::Volume, text(volume.name.as_ref()));
            Some((index, Entry { kind, name, image: image(source.reference.as_ref()) }))
        });
        containers.chain(volumes)
    }
}

fn text<'a>(text: Option<&'a Text<'_>>) -> &'a str {
    text.map_or("", |text| text.0.as_ref())
}

/// Kubernetes leaves empty strings out, so that an empty one is the same as none.
fn image<'a>(image: Option<&'a Text<'_>>) -> Option<&'a str> {
    image.map(|image| image.0.as_ref()).filter(|image| !image.is_empty())
}

#[derive(Clone, Debug, Deserialize)]
struct Container<'a> {
    #[serde(borrow, default)]
    name: Option<Text<'a>>,
    #[serde(borrow, default)]
    image: Option<Text<'a>>,
}

#[derive(Clone, Debug, Deserialize)]
struct Volume<'a> {
    #[serde(borrow, default)]
    name: Option<Text<'a>>,
    #[serde(borrow, default)]
    image: Option<ImageSource<'a>>,
}

#[derive(Clone, Debug, Deserialize)]
struct ImageSource<'a> {
    #[serde(borrow, default)]
    reference: Option<Text<'a>>,
}

/// A list, or null for an empty one; no longer than any that Kubernetes could store.
fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    deserializer.deserialize_any(List(PhantomData))
}

struct List<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for List<T> {
    type Value = Vec<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list")
    }

    fn visit_unit<E>(self) -> Result<Vec<T>, E> {
        Ok(Vec::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = list.next_element()? {
            if entries.len() == LONGEST_LIST {
                return Err(A::Error::custom(format_args!("a list of more than {LONGEST_LIST}")));
            }
            entries.push(entry);
        }
        Ok(entries)
    }
}

/// Most containers or volumes of one kind.
const LONGEST_LIST: usize = 10_000;
