//! Unpacking a layer to learn what it hashes to, and nothing of it kept.

use std::io::{self, BufRead, Read};

use flate2::bufread::MultiGzDecoder;

use crate::name::{Digest, Hashing, escape};

use super::zstd::{Frames, LARGEST_WINDOW, LargeWindow};

/// How the archive of a layer is packed.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Packing {
    Plain,
    Gzip,
    Zstd,
}

/// What a layer turned out to be. A fact about its bytes: whoever has them finds the same.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Unpacked {
    /// The archive's digest, and how many bytes it has.
    Archive { diff_id: Digest, size: u64 },
    /// It is not packed as it says.
    Unreadable(Box<str>),
    /// It takes more of something than is given.
    TooMuch { limit: u64, what: &'static str },
}

impl Packing {
    /// By the media type of a layer; `None` for those that are not unpacked here, of layers that
    /// must not be distributed and of encrypted ones among others.
    pub fn of(media_type: &str) -> Option<Self> {
        match media_type {
            "application/vnd.oci.image.layer.v1.tar"
            | "application/vnd.docker.image.rootfs.diff.tar" => Some(Self::Plain),
            "application/vnd.oci.image.layer.v1.tar+gzip"
            | "application/vnd.docker.image.rootfs.diff.tar.gzip" => Some(Self::Gzip),
            "application/vnd.oci.image.layer.v1.tar+zstd"
            | "application/vnd.docker.image.rootfs.diff.tar.zstd" => Some(Self::Zstd),
            _ => None,
        }
    }

    /// Unpacks `layer`, at most `most` bytes of it, and hashes what comes out under the algorithm of
    /// `like`. Reads the whole of what is packed right, and holds a window of it.
    pub fn unpack(self, layer: impl BufRead, like: &Digest, most: u64) -> Unpacked {
        let hashed = match self {
            Self::Plain => hash(layer, like, most),
            Self::Gzip => hash(MultiGzDecoder::new(layer), like, most),
            Self::Zstd => hash(Frames::new(layer), like, most),
        };
        hashed.unwrap_or_else(|error| {
            let own = error.get_ref().and_then(|inner| inner.downcast_ref::<LargeWindow>());
            if own.is_some() {
                let what = "bytes of a window of zstd in a layer";
                return Unpacked::TooMuch { limit: LARGEST_WINDOW, what };
            }
            Unpacked::Unreadable(escape(&error.to_string(), SHOWN).into())
        })
    }
}

fn hash(mut archive: impl Read, like: &Digest, most: u64) -> io::Result<Unpacked> {
    let (mut hashing, mut size) = (Hashing::like(like), 0);
    let mut buffer = vec![0; BUFFER];
    loop {
        let count = match archive.read(&mut buffer) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if count == 0 {
            return Ok(Unpacked::Archive { diff_id: hashing.finish(), size });
        }
        size += count as u64;
        if size > most {
            return Ok(Unpacked::TooMuch { limit: most, what: "bytes of a layer, unpacked" });
        }
        hashing.update(buffer.get(..count).unwrap_or_default());
    }
}

const BUFFER: usize = 64 * 1024;

/// How much of a decoder's complaint is told.
const SHOWN: usize = 200;

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::GzEncoder};
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::*;

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn p4_a_layer_is_what_it_unpacks_to() {
        let archive: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
        let (head, tail) = archive.split_at(500_000);
        let zstd = |content: &[u8]| compress_to_vec(content, CompressionLevel::Fastest);
        let whole = gzip(&archive);
        let mut flipped = whole.clone();
        let middle = flipped.len() / 2;
        flipped[middle] ^= 1;
        for (name, packing, layer, want) in [
            ("plain", Packing::Plain, archive.clone(), Ok(())),
            ("gzip", Packing::Gzip, whole.clone(), Ok(())),
            ("gzip of two members", Packing::Gzip, [gzip(head), gzip(tail)].concat(), Ok(())),
            ("zstd", Packing::Zstd, zstd(&archive), Ok(())),
            ("zstd of two frames", Packing::Zstd, [zstd(head), zstd(tail)].concat(), Ok(())),
            ("gzip, cut", Packing::Gzip, whole[..whole.len() - 9].to_vec(), Err(())),
            ("gzip, cut in its sum", Packing::Gzip, whole[..whole.len() - 1].to_vec(), Err(())),
            ("gzip, garbage after", Packing::Gzip, [&whole[..], b"garbage"].concat(), Err(())),
            ("gzip, a bit", Packing::Gzip, flipped, Err(())),
            ("no gzip", Packing::Gzip, archive.clone(), Err(())),
            ("no zstd", Packing::Zstd, whole, Err(())),
            ("nothing in gzip", Packing::Gzip, Vec::new(), Err(())),
        ] {
            let got = packing.unpack(layer.as_slice(), &Digest::sha256(b""), u64::MAX);
            let diff_id = Digest::sha256(&archive);
            let whole = Unpacked::Archive { diff_id, size: archive.len() as u64 };
            match want {
                Ok(()) => assert_eq!(got, whole, "{name}"),
                Err(()) => assert!(matches!(got, Unpacked::Unreadable(_)), "{name}: {got:?}"),
            }
        }
        let got = Packing::Plain.unpack(&b"x"[..], &Digest::sha512(b""), 1);
        assert_eq!(got, Unpacked::Archive { diff_id: Digest::sha512(b"x"), size: 1 });
    }

    #[test]
    fn p8_bombs_are_put_out() {
        let zeros = vec![0; 1 << 20];
        for (name, packing, layer) in [
            ("plain", Packing::Plain, zeros.clone()),
            ("gzip", Packing::Gzip, gzip(&zeros)),
            ("gzip of many members", Packing::Gzip, gzip(&zeros[..1 << 10]).repeat(1 << 10)),
            ("zstd", Packing::Zstd, compress_to_vec(zeros.as_slice(), CompressionLevel::Fastest)),
        ] {
            let limit = (1 << 20) - 1;
            let got = packing.unpack(layer.as_slice(), &Digest::sha256(b""), limit);
            let want = Unpacked::TooMuch { limit, what: "bytes of a layer, unpacked" };
            assert_eq!(got, want, "{name}");
            let got = packing.unpack(layer.as_slice(), &Digest::sha256(b""), limit + 1);
            assert!(matches!(got, Unpacked::Archive { .. }), "{name}: {got:?}");
        }
    }
}
