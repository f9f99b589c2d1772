//! All fixtures, whole and cut, through everything that the fuzz targets do.

use std::{
    fs,
    panic::catch_unwind,
    path::{Path, PathBuf},
};

#[path = "../../fuzz/src/lib.rs"]
mod properties;

#[test]
fn p8_fixtures_break_nothing_wherever_they_are_read() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files: Vec<PathBuf> = ["fixtures", "policies", "fuzz/seeds"]
        .iter()
        .flat_map(|at| under(&root.join(at)))
        .collect();
    assert!(files.len() > 200, "{}", files.len());
    for file in files {
        let bytes = fs::read(&file).unwrap();
        for (name, target) in properties::TARGETS {
            for part in [&bytes[..], &bytes[..bytes.len() / 2]] {
                let outcome = catch_unwind(|| target(part));
                assert!(outcome.is_ok(), "{name}: {}, {} bytes", file.display(), part.len());
            }
        }
    }
}

/// All files in a folder and its folders.
fn under(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let found = entries.flat_map(|path| if path.is_dir() { under(&path) } else { vec![path] });
    found.collect()
}
