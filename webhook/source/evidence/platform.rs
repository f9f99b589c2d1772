//! Which entries of an index a node may come to run.
//!
//! Runtimes are generous when they compare platforms: containerd reads `x86_64` as `amd64`, in any
//! case, and an empty system as its own. An entry that it would run and that is not judged is a way
//! past every rule, so names are made regular as it does, and an entry is left out only where both
//! sides are well known and differ.

use crate::attest::oci::Platform;

/// Whether a node of the platform `node` may run an image for `image`: the same system and
/// architecture or one that runtimes fall back to, and no newer variant than the node names.
pub(super) fn hosts(node: &Platform, image: &Platform) -> bool {
    let (node, image) = (Regular::new(node), Regular::new(image));
    let falls_back = match node.architecture.as_str() {
        "amd64" => image.architecture == "386",
        "arm64" => image.architecture == "arm",
        _ => false,
    };
    let newer = match (node.variant, image.variant) {
        (Some(node), Some(image)) => !falls_back && image > node,
        _ => false,
    };
    !differ(SYSTEMS, &node.system, &image.system)
        && (falls_back || !differ(ARCHITECTURES, &node.architecture, &image.architecture))
        && !newer
}

/// Whether two names are both `known` and not the same.
fn differ(known: &[&str], one: &str, other: &str) -> bool {
    one != other && known.contains(&one) && known.contains(&other)
}

/// A platform in the words of containerd's `platforms.Normalize`.
struct Regular {
    system: String,
    architecture: String,
    /// Its number; none where nothing is said, or nothing that orders.
    variant: Option<u8>,
}

impl Regular {
    fn new(platform: &Platform) -> Self {
        let lower = |text: &str| text.trim().to_ascii_lowercase();
        let variant = platform.variant.as_deref().map(lower).unwrap_or_default();
        let number = variant.strip_prefix('v').unwrap_or(&variant);
        let number = number.strip_suffix(".0").unwrap_or(number).parse().ok();
        let system = lower(&platform.os);
        let (architecture, variant) = match lower(&platform.architecture).as_str() {
            "x86_64" | "x86-64" => ("amd64".to_owned(), number),
            "i386" => ("386".to_owned(), None),
            "aarch64" => ("arm64".to_owned(), number),
            "armhf" => ("arm".to_owned(), Some(7)),
            "armel" => ("arm".to_owned(), Some(6)),
            other => (other.to_owned(), number),
        };
        let system = if system == "macos" { "darwin".to_owned() } else { system };
        Self { system, architecture, variant }
    }
}

/// Operating systems as Go names them, which is how platforms are written.
const SYSTEMS: &[&str] = &[
    "aix",
    "android",
    "darwin",
    "dragonfly",
    "freebsd",
    "illumos",
    "ios",
    "js",
    "linux",
    "netbsd",
    "openbsd",
    "plan9",
    "solaris",
    "wasip1",
    "windows",
];

/// Architectures likewise.
const ARCHITECTURES: &[&str] = &[
    "386", "amd64", "arm", "arm64", "loong64", "mips", "mips64", "mips64le", "mipsle", "ppc64",
    "ppc64le", "riscv64", "s390x", "wasm",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn platform(text: &str) -> Platform {
        let mut parts = text.split('/').map(str::to_owned);
        let (os, architecture) = (parts.next().unwrap(), parts.next().unwrap());
        Platform { os, architecture, variant: parts.next(), ..Platform::default() }
    }

    #[test]
    fn p1_nodes_run_what_their_runtime_takes_for_theirs() {
        for (node, image, want) in [
            ("linux/amd64", "linux/amd64", true),
            ("linux/amd64", "linux/386", true),
            ("linux/amd64", "linux/i386", true),
            ("linux/amd64", "linux/arm64", false),
            ("linux/amd64", "linux/s390x", false),
            ("linux/amd64", "windows/amd64", false),
            ("linux/amd64", "linux/x86_64", true),
            ("linux/amd64", "linux/x86-64", true),
            ("linux/amd64", "Linux/AMD64", true),
            ("linux/amd64", "/amd64", true),
            ("linux/amd64", "linux/", true),
            ("linux/amd64", "linux/amd65", true),
            ("linux/amd64", "linus/amd64", true),
            ("linux/amd64", "wasi/wasm", false),
            ("linux/amd64", "macos/amd64", false),
            ("linux/amd64", "linux/aarch64", false),
            ("linux/amd64/v2", "linux/amd64/v3", false),
            ("linux/amd64/v2", "linux/amd64/3", false),
            ("linux/amd64/v2", "linux/amd64/fast", true),
            ("linux/arm64", "linux/arm64/v8", true),
            ("linux/arm64/v8", "linux/arm64", true),
            ("linux/arm64", "linux/aarch64", true),
            ("linux/arm64", "linux/arm/v7", true),
            ("linux/arm64", "linux/armhf", true),
            ("linux/arm64/v8", "linux/arm64/v8.0", true),
            ("linux/arm64/v8", "linux/arm64/v9", false),
            ("linux/arm64/v8", "linux/arm/v9", true),
            ("linux/arm/v6", "linux/arm/v7", false),
            ("linux/arm/v6", "linux/armhf", false),
            ("linux/arm/v6", "linux/armel", true),
            ("linux/arm/v7", "linux/arm/v6", true),
            ("linux/arm/v7", "linux/arm/7", true),
            ("linux/arm", "linux/arm/v7", true),
            ("linux/aarch64", "linux/arm64", true),
            ("linux/amd46", "linux/amd64", true),
        ] {
            assert_eq!(hosts(&platform(node), &platform(image)), want, "{image} on {node}");
        }
    }
}
