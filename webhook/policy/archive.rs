//! OPA bundles: a gzipped tar, of which only regular files are wanted.
//!
//! Read here rather than by a crate, because unpacking to a disk is what makes archives dangerous
//! and nothing here touches one: names are only compared, links are refused.

use std::io::Read;

use flate2::read::MultiGzDecoder;

use super::{Bundle, RuleError, bundle::refused};

const BLOCK: usize = 512;

/// The regular files of a `.tar.gz`, by their path inside it.
///
/// # Errors
/// [`RuleError::Bundle`] for what is no such archive, exceeds [`Bundle::SIZE_MAX`] unpacked, or
/// holds links or paths that lead outside.
pub(super) fn unpack(path: &str, bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, RuleError> {
    // Headers and padding come on top of what the files themselves may have.
    let cap = Bundle::SIZE_MAX + 2 * BLOCK * Bundle::FILES_MAX;
    let mut tar = Vec::new();
    MultiGzDecoder::new(bytes)
        .take(cap as u64 + 1)
        .read_to_end(&mut tar)
        .map_err(|error| refused(path, error))?;
    if tar.len() > cap {
        return Err(refused(path, format!("exceeds {} bytes unpacked", Bundle::SIZE_MAX)));
    }
    let mut files = Vec::new();
    let mut long_name = None;
    let mut rest = tar.as_slice();
    while let Some((header, after)) = rest.split_first_chunk::<BLOCK>() {
        if header.iter().all(|byte| *byte == 0) {
            break;
        }
        let entry = Header::parse(header).ok_or_else(|| refused(path, "is not a tar archive"))?;
        let padded = entry.size.div_ceil(BLOCK).saturating_mul(BLOCK);
        let (Some(body), Some(next)) = (after.get(..entry.size), after.get(padded..)) else {
            return Err(refused(path, "ends in the middle of a file"));
        };
        rest = next;
        let name = long_name.take().unwrap_or(entry.name);
        match entry.kind {
            b'0' | 0 | b'7' => files.push((relative(path, &name)?, body.to_vec())),
            b'L' => long_name = Some(text(body)),
            b'x' => long_name = pax_path(body),
            b'5' | b'g' => {}
            _ => return Err(refused(path, format!("holds {name}, which is no file or folder"))),
        }
    }
    Ok(files)
}

struct Header {
    name: String,
    size: usize,
    kind: u8,
}

impl Header {
    /// Reads the ustar fields at their fixed places; the checksum tells a tar from anything else.
    fn parse(header: &[u8; BLOCK]) -> Option<Self> {
        let sum: usize = header
            .iter()
            .enumerate()
            .map(|(at, byte)| if (148..156).contains(&at) { 32 } else { usize::from(*byte) })
            .sum();
        if octal(header.get(148..156)?)? != sum {
            return None;
        }
        let name = text(header.get(..100)?);
        let prefix = match header.get(257..262)? {
            b"ustar" => text(header.get(345..500)?),
            _ => String::new(),
        };
        let name = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
        Some(Self { name, size: octal(header.get(124..136)?)?, kind: *header.get(156)? })
    }
}

/// The path of a file inside the archive, which must lead nowhere else.
fn relative(path: &str, name: &str) -> Result<String, RuleError> {
    let trimmed = name.trim_start_matches("./").trim_start_matches('/');
    if trimmed.is_empty() || trimmed.split('/').any(|part| part == "..") {
        return Err(refused(path, format!("holds a path that leads outside: {name}")));
    }
    Ok(trimmed.to_owned())
}

fn text(field: &[u8]) -> String {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    String::from_utf8_lossy(field.get(..end).unwrap_or_default()).into_owned()
}

fn octal(field: &[u8]) -> Option<usize> {
    usize::from_str_radix(text(field).trim(), 8).ok()
}

/// The `path` record of a pax header, whose records read `length key=value\n`.
fn pax_path(body: &[u8]) -> Option<String> {
    let body = String::from_utf8_lossy(body);
    let record = body.lines().find_map(|line| line.split_once(' ')?.1.strip_prefix("path="));
    record.map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn archive(entries: &[(&str, u8, &[u8])]) -> Vec<u8> {
        let mut tar = Vec::new();
        for (name, kind, body) in entries {
            let mut header = [0_u8; BLOCK];
            header[..name.len()].copy_from_slice(name.as_bytes());
            header[124..135].copy_from_slice(format!("{:011o}", body.len()).as_bytes());
            header[156] = *kind;
            header[257..262].copy_from_slice(b"ustar");
            header[148..156].fill(b' ');
            let sum: usize = header.iter().map(|byte| usize::from(*byte)).sum();
            header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
            tar.extend(header);
            tar.extend(*body);
            tar.resize(tar.len().div_ceil(BLOCK) * BLOCK, 0);
        }
        tar.extend([0; 2 * BLOCK]);
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(&tar).unwrap();
        gzip.finish().unwrap()
    }

    #[test]
    fn regular_files_are_read_and_nothing_else() {
        let bytes = archive(&[
            ("./rules/", b'5', b""),
            ("/rules/a.rego", b'0', b"package a"),
            ("ignored", b'x', b"18 path=b/c.rego\n"),
            ("short", b'0', b"package c"),
        ]);
        let files = unpack("b.tar.gz", &bytes).unwrap();
        let names: Vec<_> = files.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["rules/a.rego", "b/c.rego"]);
        assert_eq!(files[0].1, b"package a");
    }

    #[test]
    fn p8_nothing_leads_outside() {
        for (name, entry, want) in [
            ("dots", ("a/../../b.rego", b'0'), "leads outside: a/../../b.rego"),
            ("symbolic link", ("a.rego", b'2'), "holds a.rego, which is no file or folder"),
            ("hard link", ("a.rego", b'1'), "holds a.rego, which is no file or folder"),
        ] {
            let error = unpack("b.tar.gz", &archive(&[(entry.0, entry.1, b"")])).unwrap_err();
            assert!(error.to_string().contains(want), "{name}: {error}");
        }
    }

    #[test]
    fn what_is_no_archive_is_refused() {
        let whole = archive(&[("a.rego", b'0', b"package a")]);
        let mut tar = Vec::new();
        MultiGzDecoder::new(whole.as_slice()).read_to_end(&mut tar).unwrap();
        let pack = |tar: &[u8]| {
            let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
            gzip.write_all(tar).unwrap();
            gzip.finish().unwrap()
        };
        let bomb = pack(&vec![0; Bundle::SIZE_MAX + 4 * BLOCK * Bundle::FILES_MAX]);
        for (name, bytes, want) in [
            ("text", b"package acme.reviewed".to_vec(), "invalid gzip header"),
            ("gzipped text", pack(&[b'a'; 600]), "is not a tar archive"),
            ("cut", pack(&tar[..BLOCK + 4]), "ends in the middle of a file"),
            ("bomb", bomb, "bytes unpacked"),
        ] {
            let error = unpack("b.tar.gz", &bytes).unwrap_err();
            assert!(error.to_string().contains(want), "{name}: {error}");
        }
    }
}
