//! The few members of a Pod specification that name images, in each of the shapes that hold one.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{images::ContainerKind, review::Text, workload::Workload};

/// Everything in a Pod specification that names an image, or should.
#[derive(Debug, Default, Deserialize)]
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
}

/// One place for an image; without one where the object leaves it out.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Entry<'a> {
    pub kind: ContainerKind,
    pub name: &'a str,
    pub image: Option<&'a str>,
}

impl<'a> PodSpec<'a> {
    /// Reads the specification out of an object of this shape; empty if the object has none.
    pub fn read(object: &'a RawValue, workload: Workload) -> Result<Self, serde_json::Error> {
        let text = object.get();
        let spec = match workload {
            Workload::Pod => serde_json::from_str::<Spec<Self>>(text)?.spec,
            Workload::PodTemplate => {
                serde_json::from_str::<Template<Spec<Self>>>(text)?.pod_template()
            }
            Workload::Template => serde_json::from_str::<Spec<Template<Spec<Self>>>>(text)?
                .spec
                .and_then(Template::pod_template),
            Workload::CronJob => {
                serde_json::from_str::<Spec<JobTemplate<Spec<Template<Spec<Self>>>>>>(text)?
                    .spec
                    .and_then(|spec| spec.job_template?.spec)
                    .and_then(Template::pod_template)
            }
        };
        Ok(spec.unwrap_or_default())
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

#[derive(Debug, Deserialize)]
struct Container<'a> {
    #[serde(borrow, default)]
    name: Option<Text<'a>>,
    #[serde(borrow, default)]
    image: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
struct Volume<'a> {
    #[serde(borrow, default)]
    name: Option<Text<'a>>,
    #[serde(borrow, default)]
    image: Option<ImageSource<'a>>,
}

#[derive(Debug, Deserialize)]
struct ImageSource<'a> {
    #[serde(borrow, default)]
    reference: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Spec<T> {
    #[serde(default = "none")]
    spec: Option<T>,
}

#[derive(Deserialize)]
struct Template<T> {
    #[serde(default = "none")]
    template: Option<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JobTemplate<T> {
    #[serde(default = "none")]
    job_template: Option<T>,
}

impl<T> Template<Spec<T>> {
    fn pod_template(self) -> Option<T> {
        self.template?.spec
    }
}

/// What serde's own default would ask of `T`.
const fn none<T>() -> Option<T> {
    None
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
