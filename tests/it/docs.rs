//! The documentation keeps up with the code.

use std::fs;

use countersign::name::Code;

#[test]
fn every_code_has_its_paragraph() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/codes.md");
    let text = fs::read_to_string(path).unwrap();
    let told: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`')).collect();
    for code in Code::ALL {
        assert!(told.contains(&code.as_str()), "docs/codes.md does not tell {code}");
    }
    assert_eq!(told.len(), Code::ALL.len(), "docs/codes.md tells a code that is none");
}
