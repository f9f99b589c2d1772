//! P13: what others wrote does nothing to the terminal that it is printed on.

use std::fs;

use countersign_kit::artifact;

use crate::cli::{Desk, stderr, stdout};

/// A title for the window, and text from right to left.
const HOSTILE: &str = "x\u{1b}]0;owned\u{7}\u{202e}y";
const SHOWN: &str = r"x\u{1b}]0;owned\u{7}\u{202e}y";

#[test]
fn p13_warnings_and_causes_are_told_escaped() {
    let desk = Desk::new();
    let image = desk.by_digest();
    let referrer = artifact("application/vnd.acme").subject(&desk.shop).annotation("note", HOSTILE);
    desk.registry.attach("acme/shop", &referrer.build());
    desk.write(
        "quotes.rego",
        "# METADATA\n# title: Quotes\n# custom: {code: acme.quotes}\npackage acme.quotes\n\
         warn contains {\"code\": \"acme.quoted\", \"image\": image.path, \"msg\": msg} if {\n\
         \tsome image in input.images\n\tmsg := image.records.referrers[_].annotations.note\n}\n\
         deny contains {\"code\": \"acme.none\", \"msg\": \"\"} if input.images == []\n",
    );
    let config = fs::read_to_string(desk.path("countersign.yaml")).unwrap();
    let quotes = "rules: [{path: quotes.rego, package: acme.quotes}], mode: enforce";
    let start = config.find("rules: [{use").unwrap();
    let end = config.find("mode: enforce").unwrap() + "mode: enforce".len();
    desk.write("quotes.yaml", &config.replace(&config[start..end], quotes));

    // The member of a file, as JSON writes it.
    let member = HOSTILE.replace('\u{1b}', "\\u001b").replace('\u{7}', "\\u0007");
    fs::create_dir(desk.path("signed")).unwrap();
    desk.write("signed/a.json", &format!("{{\"{member}\": 1}}"));
    for (name, arguments, want) in [
        (
            "a rule's warning",
            vec!["verify", &image, "--config", "quotes.yaml"],
            format!("warning: attested: spec.containers[0].image \"{image}\""),
        ),
        (
            "a folder from elsewhere",
            vec!["publish", "signed", "--attach"],
            "because: unknown field".to_owned(),
        ),
    ] {
        let said = desk.run(&arguments);
        let text = stderr(&said);
        assert!(text.contains(&want), "{name}: {text}{}", stdout(&said));
        assert!(text.contains(SHOWN), "{name}: {text}");
        let acts = |c: &char| matches!(c, '\u{1b}' | '\u{7}' | '\u{202e}');
        assert!(!text.chars().any(|c| acts(&c)), "{name}: {text:?}");
    }
}
