//! The tree keeps its shape: no module names one that stands below it in `lib.rs`, and no file
//! outgrows a reader.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// What reaches out of the process, or tells the time.
const OUTSIDE: [&str; 7] = [
    "fs::",
    "std::net",
    "std::process",
    "tokio::",
    "SystemTime::now",
    "Instant::now",
    "Timestamp::now",
];

/// Above this a file holds more than one concept.
const LONGEST_FILE: usize = 400;

#[test]
fn no_module_refers_upward() {
    let modules = modules();
    assert!(modules.len() > 5, "lib.rs lists its modules: {modules:?}");
    let mut upward = Vec::new();
    for (at, module) in modules.iter().enumerate() {
        for file in rust_files(&root().join("webhook").join(module)) {
            let text = fs::read_to_string(&file).unwrap();
            for above in &modules[at + 1..] {
                if names(&text, above) {
                    upward.push(format!("{} names `{above}`", file.display()));
                }
            }
        }
    }
    assert!(upward.is_empty(), "a layer may use only those above it in lib.rs:\n{upward:#?}");
}

#[test]
fn what_judges_does_no_io_and_knows_no_clock() {
    let mut found = Vec::new();
    for module in ["name", "attest", "verify", "policy"] {
        for file in rust_files(&root().join("webhook").join(module)) {
            let text = fs::read_to_string(&file).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            let of_files = file.ends_with("policy/bundle.rs");
            let forbidden = OUTSIDE.iter().filter(|word| !of_files || **word != "fs::");
            let here = forbidden.filter(|word| code.contains(**word));
            found.extend(here.map(|word| format!("{} uses {word}", file.display())));
        }
    }
    assert!(found.is_empty(), "what these need of the outside they are given:\n{found:#?}");
}

#[test]
fn no_file_is_longer_than_a_reader_can_hold() {
    let long: Vec<String> = ["webhook", "tests", "benches"]
        .iter()
        .flat_map(|folder| rust_files(&root().join(folder)))
        .filter_map(|file| {
            let lines = fs::read_to_string(&file).unwrap().lines().count();
            (lines > LONGEST_FILE).then(|| format!("{}: {lines} lines", file.display()))
        })
        .collect();
    assert!(long.is_empty(), "split these by concept:\n{long:#?}");
}

#[test]
fn an_upward_reference_would_be_seen() {
    for (code, want) in [
        ("use crate::serve::run;", true),
        ("    crate::serve::run()", true),
        ("use crate::{name::Digest, serve::run};", true),
        ("use crate::{\n    name::{Code, Digest},\n    serve::{Server, Stop},\n};", true),
        ("use crate::{\n    name::Digest, // a list\n    serve,\n};", true),
        ("use crate::{name::{serve, Code}};", false),
        ("//! See [`crate::serve`].", false),
        ("use crate::server::run;", false),
        ("use axum::serve;", false),
    ] {
        assert_eq!(names(code, "serve"), want, "{code}");
    }
}

/// Whether code refers to the crate's `module`. Comments may point anywhere.
fn names(text: &str, module: &str) -> bool {
    let code: String =
        text.lines().flat_map(|line| [line.split("//").next().unwrap_or_default(), "\n"]).collect();
    let is_module = |path: &str| {
        path.trim_start().strip_prefix(module).is_some_and(|rest| {
            !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_')
        })
    };
    code.split("crate::").skip(1).any(|rest| match rest.strip_prefix('{') {
        Some(list) => items(list).into_iter().any(is_module),
        None => is_module(rest),
    })
}

/// The items of a list in braces whose opening one is gone; lists within are parts of their item.
fn items(list: &str) -> Vec<&str> {
    let (mut items, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, letter) in list.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => {
                items.push(&list[start..at]);
                return items;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                items.push(&list[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    items
}

/// The modules of `lib.rs` in their order.
fn modules() -> Vec<String> {
    let text = fs::read_to_string(root().join("webhook/lib.rs")).unwrap();
    text.lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .map(str::to_owned)
        .collect()
}

/// All Rust files below a folder.
pub fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries
        .map(|entry| entry.unwrap().path())
        .flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
