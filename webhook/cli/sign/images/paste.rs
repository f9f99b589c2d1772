//! The command that was typed, to be pasted with a digest in place of a tag.

use std::ffi::OsString;

/// The command line of `arguments`, the program first, with `digest` where it names `tag`. A password
/// in it is left out: it is in the shell's history once already.
pub fn command(arguments: impl Iterator<Item = OsString>, tag: &str, digest: &str) -> String {
    let mut words = vec!["countersign".to_owned()];
    let mut arguments = arguments.skip(1);
    while let Some(argument) = arguments.next() {
        match &*argument.to_string_lossy() {
            "-p" | "--password" => drop(arguments.next()),
            text if text.starts_with("--password=") => {}
            text if text.starts_with("-p") => {}
            text if text == tag => words.push(quoted(digest)),
            text => words.push(quoted(text)),
        }
    }
    words.join(" ")
}

/// As a shell reads it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@=,+%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p14_the_command_is_the_one_that_was_typed_but_for_the_tag_and_a_password() {
        for (name, typed, want) in [
            ("plain", vec!["r/a:1", "--key", "a.key"], "r/a@D --key a.key"),
            ("behind flags", vec!["--attach", "r/a:1"], "--attach r/a@D"),
            ("several", vec!["r/b@E", "r/a:1"], "r/b@E r/a@D"),
            ("to be quoted", vec!["r/a:1", "--param", "it's $X"], r"r/a@D --param 'it'\''s $X'"),
            ("empty", vec!["r/a:1", "--param", ""], "r/a@D --param ''"),
            ("a password", vec!["r/a:1", "-u", "ci", "-p", "x"], "r/a@D -u ci"),
            ("in one word", vec!["-px", "r/a:1"], "r/a@D"),
            ("by its long name", vec!["--password", "x", "r/a:1"], "r/a@D"),
            ("and in one word", vec!["--password=x", "r/a:1"], "r/a@D"),
        ] {
            let line = ["target/debug/countersign", "sign"].into_iter().chain(typed);
            let got = command(line.map(OsString::from), "r/a:1", "r/a@D");
            assert_eq!(got, format!("countersign sign {want}"), "{name}");
        }
    }
}
