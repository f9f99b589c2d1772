//! Which layers are to be read, and what each must unpack to.

use crate::{
    attest::oci::{Descriptor, Document, diff_ids},
    name::{Digest, escape},
    source::FetchError,
};

use super::unpack::{Packing, Unpacked};

/// One layer and what its configuration says of it.
#[derive(Clone, Debug)]
pub struct Part {
    /// Counted from the lowest, which is 1.
    pub number: usize,
    pub layer: Descriptor,
    pub archive: Archive,
    pub diff_id: Digest,
}

/// The bytes of a layer, and how they are to be unpacked and hashed.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Archive {
    pub digest: Digest,
    pub packing: Packing,
    /// Of the algorithm that the archive is hashed under.
    pub algorithm: &'static str,
}

/// Why layers are not those of a configuration, or why that is not known.
#[derive(Debug)]
pub enum Unplanned {
    Unbound(String),
    TooMuch { limit: u64, what: &'static str },
    Failed(FetchError),
}

impl From<FetchError> for Unplanned {
    fn from(error: FetchError) -> Self {
        Self::Failed(error)
    }
}

/// Pairs the layers of a manifest with the digests in the configuration that belongs to it.
///
/// # Errors
/// They do not fit, are of a kind that is not unpacked here, or are too much to read.
pub fn plan(manifest: Document, config: &[u8]) -> Result<Vec<Part>, Unplanned> {
    let Document::Manifest(manifest) = manifest else {
        return Err(Unplanned::Unbound("it is an index, which has no layers".into()));
    };
    let diff_ids = diff_ids(config).map_err(|_| {
        Unplanned::Unbound("its configuration does not say what its layers unpack to".into())
    })?;
    let (found, named) = (manifest.layers.len(), diff_ids.len());
    if found != named {
        let why = format!("it has {found} layers, and its configuration names {named}");
        return Err(Unplanned::Unbound(why));
    }
    let too_much = |limit, what| Err(Unplanned::TooMuch { limit, what });
    if found > MOST_LAYERS {
        return too_much(MOST_LAYERS as u64, "layers of one image");
    }
    let sizes = || manifest.layers.iter().map(|layer| layer.size);
    if sizes().any(|size| size > LARGEST_LAYER) {
        return too_much(LARGEST_LAYER, "bytes of a layer");
    }
    if sizes().sum::<u64>() > MOST_BYTES {
        return too_much(MOST_BYTES, "bytes of the layers of one image");
    }
    let pairs = manifest.layers.into_iter().zip(diff_ids).enumerate();
    pairs.map(|(at, (layer, diff_id))| Part::new(at + 1, layer, diff_id)).collect()
}

impl Part {
    fn new(number: usize, layer: Descriptor, diff_id: Digest) -> Result<Self, Unplanned> {
        let by_parts = |key: &&String| BY_PARTS.iter().any(|prefix| key.starts_with(prefix));
        if let Some(key) = layer.annotations.keys().find(by_parts) {
            return Err(Unplanned::Unbound(format!(
                "layer {number} of it, {}, is annotated with {}, by which some runtimes pull files \
                 out of it that nobody compares",
                layer.digest,
                escape(key, SHOWN),
            )));
        }
        let packing = Packing::of(&layer.media_type).ok_or_else(|| {
            let kind = escape(&layer.media_type, SHOWN);
            Unplanned::Unbound(format!(
                "layer {number} of it, {}, is of type {kind}, which is not unpacked here",
                layer.digest,
            ))
        })?;
        let archive = Archive { digest: layer.digest, packing, algorithm: diff_id.algorithm() };
        Ok(Self { number, layer, archive, diff_id })
    }

    /// What it unpacks to, where its own digest says so: whoever pulls it checks that.
    pub fn without_reading(&self) -> Option<Unpacked> {
        let Archive { digest, packing, algorithm } = self.archive;
        let told = packing == Packing::Plain && digest.algorithm() == algorithm;
        told.then_some(Unpacked::Archive { diff_id: digest, size: self.layer.size })
    }

    /// How many bytes it may unpack to. Files full of zeros are packed a thousand times smaller, so
    /// a small layer may grow more than a large one.
    pub fn most(&self) -> u64 {
        self.layer.size.saturating_mul(RATIO).clamp(MOST_ANYWAY, LARGEST_UNPACKED)
    }

    /// The size of what it unpacked to, which is what its configuration says.
    ///
    /// # Errors
    /// It is something else.
    pub fn compare(&self, unpacked: &Unpacked) -> Result<u64, Unplanned> {
        let Self { number, diff_id: wanted, layer, .. } = self;
        let digest = layer.digest;
        match unpacked {
            Unpacked::Archive { diff_id, size } if diff_id == wanted => Ok(*size),
            Unpacked::Archive { diff_id, .. } => Err(Unplanned::Unbound(format!(
                "layer {number} of it, {digest}, unpacks to {diff_id}, and its configuration says \
                 {wanted}"
            ))),
            Unpacked::Unreadable(why) => Err(Unplanned::Unbound(format!(
                "layer {number} of it, {digest}, cannot be unpacked: {why}"
            ))),
            Unpacked::TooMuch { limit, what } => Err(Unplanned::TooMuch { limit: *limit, what }),
        }
    }
}

/// Annotations by which runtimes find the files of a layer without unpacking it: `zstd:chunked`,
/// eStargz, and the other snapshotters of containerd. What they point at need not be what the layer
/// unpacks to, and no image ID covers an annotation.
const BY_PARTS: [&str; 3] =
    ["io.github.containers.zstd-chunked.", "io.containers.estargz.", "containerd.io/snapshot/"];

/// Runtimes refuse more than half of that.
const MOST_LAYERS: usize = 256;

/// Most bytes of one layer, as it lies in its registry.
const LARGEST_LAYER: u64 = 4 << 30;

/// Most bytes of all layers of an image.
const MOST_BYTES: u64 = 8 << 30;

/// How many times its size a layer may unpack to.
const RATIO: u64 = 100;

/// What any layer may unpack to, however small it is.
const MOST_ANYWAY: u64 = 1 << 30;

/// What no layer may unpack to more than.
const LARGEST_UNPACKED: u64 = 16 << 30;

/// Nor all layers of an image together.
pub const MOST_UNPACKED: u64 = 32 << 30;

/// How much of a media type is told.
const SHOWN: usize = 120;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attest::oci::Manifest;

    fn layer(media_type: &str, size: u64) -> Descriptor {
        Descriptor { size, ..Descriptor::of(media_type, b"layer") }
    }

    fn config(diff_ids: usize) -> Vec<u8> {
        let ids = vec![Digest::sha256(b"layer").to_string(); diff_ids];
        serde_json::json!({"rootfs": {"type": "layers", "diff_ids": ids}}).to_string().into()
    }

    #[test]
    fn p4_p8_what_does_not_fit_or_is_too_much_is_not_read() {
        const GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
        let one = || vec![layer(GZIP, 9)];
        let annotated = |key: &str| {
            let annotations = [(key.to_owned(), "x".to_owned())].into();
            vec![Descriptor { annotations, ..layer(GZIP, 9) }]
        };
        let other = |text: &str| text.as_bytes().to_vec();
        for (name, layers, config, want) in [
            ("fits", one(), config(1), ""),
            ("no layers", Vec::new(), config(0), ""),
            ("the largest", vec![layer(GZIP, LARGEST_LAYER); 2], config(2), ""),
            ("more layers", vec![layer(GZIP, 9); 2], config(1), "unbound: it has 2 layers, and"),
            (
                "fewer layers",
                one(),
                config(2),
                "unbound: it has 1 layers, and its configuration names 2",
            ),
            ("no configuration", one(), other("{}"), "unbound: its configuration does not say"),
            ("no JSON", one(), other("tar"), "unbound: its configuration does not say"),
            (
                "another kind of rootfs",
                one(),
                other(r#"{"rootfs":{"type":"layers+base","diff_ids":[]}}"#),
                "unbound: its configuration does not say",
            ),
            (
                "two lists",
                one(),
                other(r#"{"rootfs":{"type":"layers","diff_ids":[],"diff_ids":[]}}"#),
                "unbound: its configuration does not say",
            ),
            (
                "not to be distributed",
                vec![layer("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", 9)],
                config(1),
                "is of type application/vnd.oci.image.layer.nondistributable.v1.tar+gzip, which is not",
            ),
            (
                "foreign",
                vec![layer("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", 9)],
                config(1),
                "which is not unpacked here",
            ),
            (
                "encrypted",
                vec![layer(&format!("{GZIP}+encrypted"), 9)],
                config(1),
                "not unpacked here",
            ),
            ("annotated", annotated("org.opencontainers.image.title"), config(1), ""),
            (
                "zstd:chunked",
                annotated("io.github.containers.zstd-chunked.manifest-position"),
                config(1),
                "unbound: layer 1 of it, sha256:",
            ),
            (
                "eStargz",
                annotated("containerd.io/snapshot/stargz/toc.digest"),
                config(1),
                "is annotated with containerd.io/snapshot/stargz/toc.digest, by which",
            ),
            (
                "eStargz of podman's",
                annotated("io.containers.estargz.uncompressed-size"),
                config(1),
                "by which some runtimes pull files out of it",
            ),
            ("many", vec![layer(GZIP, 9); 257], config(257), "256 layers of one image"),
            (
                "large",
                vec![layer(GZIP, LARGEST_LAYER + 1)],
                config(1),
                "4294967296 bytes of a layer",
            ),
            (
                "large together",
                vec![layer(GZIP, 3 << 30); 3],
                config(3),
                "8589934592 bytes of the layers of one image",
            ),
        ] {
            let manifest = Manifest {
                schema_version: 2,
                media_type: None,
                artifact_type: None,
                config: layer("application/vnd.oci.image.config.v1+json", 2),
                layers,
                subject: None,
                annotations: std::collections::BTreeMap::new(),
            };
            let got = match plan(Document::Manifest(Box::new(manifest)), &config) {
                Ok(_) => String::new(),
                Err(Unplanned::Unbound(why)) => format!("unbound: {why}"),
                Err(Unplanned::TooMuch { limit, what }) => format!("{limit} {what}"),
                Err(Unplanned::Failed(error)) => panic!("{name}: {error}"),
            };
            assert!(got.contains(want) && got.is_empty() == want.is_empty(), "{name}: {got}");
        }
    }

    #[test]
    fn p8_what_a_layer_may_unpack_to_grows_with_it() {
        for (size, want) in
            [(0, 1 << 30), (1 << 20, 1 << 30), (1 << 25, 100 << 25), (4 << 30, 16 << 30)]
        {
            let part = Part::new(
                1,
                layer("application/vnd.oci.image.layer.v1.tar+zstd", size),
                Digest::sha256(b""),
            );
            assert_eq!(part.unwrap().most(), want, "{size}");
        }
    }
}
