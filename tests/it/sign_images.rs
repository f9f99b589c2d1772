//! Which images files name: every form, and each mistake with its place.

use std::{collections::BTreeMap, sync::Arc};

use countersign::{
    name::Pattern,
    sign::images::{self, BadInput, Found, MOST_IMAGES, Named, Place},
};

const A: &str = "sha256:58ef73b988b0acad151318f3f58f37a916371c122dbd977440a79f2de079a59e";
const B: &str = "sha256:17224a51821524e7756bff0a4b8a4527fceec461595efaab2a517c493c99635b";

fn file() -> Arc<str> {
    "out/app.json".into()
}

/// `repository[:tag]@first-digit-of-the-digest`, in order.
fn shown(named: &[Named]) -> Vec<String> {
    let shown = named.iter().map(|one| {
        let tag = one.tag.as_ref().map(|tag| format!(":{tag}")).unwrap_or_default();
        let digest = match one.image.digest.to_string() {
            digest if digest == A => "A".to_owned(),
            digest if digest == B => "B".to_owned(),
            digest => digest,
        };
        format!("{}{tag}@{digest}", one.repository())
    });
    shown.collect()
}

fn filled(text: &str) -> String {
    text.replace("@A", &format!("@{A}"))
        .replace("@B", &format!("@{B}"))
        .replace("\"A\"", &format!("\"{A}\""))
        .replace("\"B\"", &format!("\"{B}\""))
}

fn check(name: &str, got: Result<Vec<Named>, BadInput>, want: Result<&[&str], &str>) {
    match (got, want) {
        (Ok(named), Ok(want)) => assert_eq!(shown(&named), want, "{name}"),
        (Err(bad), Err(want)) => {
            assert_eq!(bad.to_string().replace(A, "A").replace(B, "B"), want, "{name}");
        }
        (got, want) => panic!("{name}: got {got:?}, want {want:?}"),
    }
}

#[test]
fn outputs_in_every_form_and_their_mistakes() {
    let app = "r.example/app@A";
    for (name, text, want) in [
        ("one object", r#"{"image": "r.example/app", "digest": "A"}"#, Ok(&[app][..])),
        (
            "with a tag",
            r#"{"image":"r.example/app:1.4","digest":"A"}"#,
            Ok(&["r.example/app:1.4@A"]),
        ),
        ("digest in the name", r#"{"image":"r.example/app@A"}"#, Ok(&[app])),
        ("both, the same", r#"{"image":"r.example/app@A","digest":"A"}"#, Ok(&[app])),
        ("other members", r#"{"image":"r.example/app","digest":"A","size":[1,{}]}"#, Ok(&[app])),
        (
            "one after another",
            r#"{"image":"r.example/app","digest":"A"}{"image":"r.example/b","digest":"B"}"#,
            Ok(&[app, "r.example/b@B"]),
        ),
        (
            "JSON lines",
            "{\"image\":\"r.example/app\",\"digest\":\"A\"}\r\n{\"image\":\"r.example/b\",\"digest\":\"B\"}\n\n",
            Ok(&[app, "r.example/b@B"]),
        ),
        (
            "an array",
            r#" [{"image":"r.example/app","digest":"A"}, {"image":"r.example/b","digest":"B"}] "#,
            Ok(&[app, "r.example/b@B"]),
        ),
        ("escapes", r#"{"image":"r.example\u002fapp","digest":"A"}"#, Ok(&[app])),
        (
            "cut in the middle",
            "{\"image\":\"r.example/app\",\"digest\":\"A\"}\n{\"image\":\"r.ex",
            Err(
                "out/app.json:2:14: the file ends in the middle of a value; was the step that wrote it cut off?",
            ),
        ),
        (
            "empty",
            " \n",
            Err(
                "out/app.json: names no image; remove the file, or let the step that makes it name what it built",
            ),
        ),
        (
            "an empty array",
            "[]",
            Err(
                "out/app.json: names no image; remove the file, or let the step that makes it name what it built",
            ),
        ),
        (
            "no digest",
            "[{\"image\":\"r.example/app@A\"},\n {\"image\":\"r.example/app:1.4\"}]",
            Err(
                "out/app.json:2:2: \"r.example/app:1.4\" has no digest; name the image as IMAGE@DIGEST",
            ),
        ),
        (
            "two digests",
            r#"{"image":"r.example/app@A","digest":"B"}"#,
            Err("out/app.json:1:1: the name says A, the digest beside it says B"),
        ),
        ("no image", "\n{\"digest\":\"A\"}", Err("out/app.json:2:84: missing field `image`")),
        (
            "a member twice",
            r#"{"image":"r.example/app","image":"r.example/b","digest":"A"}"#,
            Err("out/app.json:1:32: duplicate field `image`"),
        ),
        (
            "a number",
            "7",
            Err(
                "out/app.json:1:1: invalid type: integer `7`, expected an object with `image` and `digest`",
            ),
        ),
        ("no JSON", "r.example/app", Err("out/app.json:1:1: is no JSON: expected value")),
        (
            "capitals",
            r#"{"image":"r.example/App","digest":"A"}"#,
            Err("out/app.json:1:1: repository \"App\" has capitals; write it in lower case"),
        ),
    ] {
        check(name, images::outputs(&file(), filled(text).as_bytes()), want);
    }
    let bad = images::outputs(&file(), b"{\"image\":\n \"\xff\"}").unwrap_err();
    assert_eq!(bad.to_string(), "out/app.json:2:3: is not UTF-8 here; write the file as UTF-8");
    let bad = images::outputs(&"a\u{1b}[2Jb".into(), b"x").unwrap_err().to_string();
    assert!(!bad.contains('\u{1b}'), "{bad}");
}

#[test]
fn lists_and_streams() {
    for (name, text, want) in [
        ("kaniko's file", "r.example/app:1@A\n", Ok(&["r.example/app:1@A"][..])),
        (
            "two, a gap, a carriage return",
            "r.example/app@A\r\n\r\n  r.example/b@B",
            Ok(&["r.example/app@A", "r.example/b@B"]),
        ),
        ("JSON", r#"[{"image":"r.example/app","digest":"A"}]"#, Ok(&["r.example/app@A"])),
        (
            "a tag",
            "r.example/app@A\nr.example/b:2",
            Err("stdin:2:1: \"r.example/b:2\" has no digest; name the image as IMAGE@DIGEST"),
        ),
        (
            "nothing",
            "\n",
            Err(
                "stdin: names no image; remove the file, or let the step that makes it name what it built",
            ),
        ),
    ] {
        check(name, images::listed(&"stdin".into(), filled(text).as_bytes()), want);
    }
}

fn results(files: &[(&str, &str)]) -> Result<images::Results, BadInput> {
    let files: BTreeMap<String, (Arc<str>, Vec<u8>)> = files
        .iter()
        .filter(|(name, _)| images::is_hint(name))
        .map(|(name, text)| {
            (
                (*name).to_owned(),
                ((*name).into(), filled(text).replace("=A", A).replace("=B", B).into_bytes()),
            )
        })
        .collect();
    images::results(&files)
}

/// The names and shapes of tektoncd/chains docs/slsa-provenance.md.
#[test]
fn tekton_results_as_chains_reads_them() {
    for (name, files, want, skipped) in [
        (
            "a pair",
            &[("IMAGE_URL", "r.example/app\n"), ("IMAGE_DIGEST", "=A\n")][..],
            Ok(&["r.example/app@A"][..]),
            "",
        ),
        (
            "pairs with prefixes",
            &[
                ("first-image-IMAGE_URL", "r.example/app:1"),
                ("first-image-IMAGE_DIGEST", "=A"),
                ("second_IMAGE_URL", "r.example/b"),
                ("second_IMAGE_DIGEST", "=B"),
            ],
            Ok(&["r.example/app:1@A", "r.example/b@B"]),
            "",
        ),
        (
            "IMAGES, by commas and lines",
            &[("IMAGES", "r.example/app@A, r.example/b@B,\nr.example/c@A\n")],
            Ok(&["r.example/app@A", "r.example/b@B", "r.example/c@A"]),
            "",
        ),
        (
            "an object",
            &[("first-ARTIFACT_OUTPUTS", r#"{"uri":"r.example/app","digest":"A"}"#)],
            Ok(&["r.example/app@A"]),
            "",
        ),
        (
            "built, not built",
            &[
                (
                    "a-ARTIFACT_OUTPUTS",
                    r#"{"uri":"r.example/app","digest":"A","isBuildArtifact":"true"}"#,
                ),
                (
                    "b-ARTIFACT_OUTPUTS",
                    r#"{"uri":"r.example/b","digest":"B","isBuildArtifact":"false"}"#,
                ),
            ],
            Ok(&["r.example/app@A"]),
            "b-ARTIFACT_OUTPUTS: is marked as not built here",
        ),
        (
            "artifacts that are no images",
            &[
                ("jar_ARTIFACT_URI", "pkg:maven/org/x@1"),
                ("jar_ARTIFACT_DIGEST", "=A"),
                ("oci_ARTIFACT_URI", "oci://r.example/app"),
                ("oci_ARTIFACT_DIGEST", "=A"),
            ],
            Ok(&["r.example/app@A"]),
            "\"pkg:maven/org/x@1\" is no image",
        ),
        ("others", &[("commit", "abc"), ("MY_IMAGES", "nonsense"), ("size", "\u{0}")], Ok(&[]), ""),
        ("declared, not written", &[("IMAGE_URL", ""), ("IMAGE_DIGEST", "\n")], Ok(&[]), ""),
        (
            "half a pair",
            &[("app-IMAGE_URL", "r.example/app"), ("app-IMAGE_DIGEST", " ")],
            Err(
                "app-IMAGE_URL: there is no result \"app-IMAGE_DIGEST\" to go with it; a task that built an image writes both",
            ),
            "",
        ),
        (
            "the other half",
            &[("IMAGE_DIGEST", "=A")],
            Err(
                "IMAGE_DIGEST: there is no result \"IMAGE_URL\" to go with it; a task that built an image writes both",
            ),
            "",
        ),
        (
            "IMAGES with a tag",
            &[("IMAGES", "r.example/app@A,r.example/b:1")],
            Err("IMAGES:1:87: \"r.example/b:1\" has no digest; name the image as IMAGE@DIGEST"),
            "",
        ),
        (
            "a cut object",
            &[("ARTIFACT_OUTPUTS", r#"{"uri":"r.example/app","#)],
            Err(
                "ARTIFACT_OUTPUTS:1:23: the file ends in the middle of a value; was the step that wrote it cut off?",
            ),
            "",
        ),
    ] {
        let got = results(files);
        if let Ok(results) = &got {
            let said: Vec<_> = results.found.skipped.iter().map(ToString::to_string).collect();
            assert!(said.join("\n").contains(skipped), "{name}: {said:?}");
            assert_eq!(said.is_empty(), skipped.is_empty(), "{name}: {said:?}");
        }
        check(name, got.map(|results| results.found.images), want);
    }
    let of =
        results(&[("CHAINS-GIT_URL", "https://git.example/a\n"), ("CHAINS-GIT_COMMIT", "abc\n")])
            .unwrap();
    assert_eq!(of.source.as_deref(), Some("https://git.example/a"));
    assert_eq!(of.revision.as_deref(), Some("abc"));
}

#[test]
fn metadata_of_buildx() {
    let genuine = include_str!("../../fixtures/buildkit/metadata-file.json");
    let bake = r#"{"buildx.build.warnings": [], "db": {"containerimage.digest": "A", "image.name": "r.example/db:1,r.example/db:latest"},
        "test": {"buildx.build.ref": "default/default/x"}, "web": {"containerimage.digest": "B", "image.name": "docker.io/acme/web"}}"#;
    for (name, text, want, skipped) in [
        ("genuine", genuine, Ok(&["registry.test/demo/bk:v1@A"][..]), ""),
        (
            "several names",
            r#"{"containerimage.digest":"A","image.name":"r.example/app:1,r.example/app:latest, x.example/app:1"}"#,
            Ok(&["r.example/app:1@A", "r.example/app:latest@A", "x.example/app:1@A"]),
            "",
        ),
        (
            "bake",
            bake,
            Ok(&["r.example/db:1@A", "r.example/db:latest@A", "docker.io/acme/web@B"]),
            "out/app.json, \"test\": has no containerimage.digest",
        ),
        (
            "no name",
            r#"{"containerimage.digest":"A"}"#,
            Err(
                "out/app.json: has no image.name; build with --tag, and --push or an output with a name",
            ),
            "",
        ),
        ("no image", r#"{"image.name":"r.example/a"}"#, Ok(&[]), "no containerimage.digest"),
        (
            "nothing",
            r#"{"buildx.build.ref":"x"}"#,
            Err(
                "out/app.json: has no containerimage.digest: no image came of it, so none is signed",
            ),
            "",
        ),
        ("two values", "{}\n{}", Err("out/app.json:2:1: a second value; buildx writes one"), ""),
        (
            "cut",
            r#"{"containerimage.digest":"#,
            Err(
                "out/app.json:1:25: the file ends in the middle of a value; was the step that wrote it cut off?",
            ),
            "",
        ),
    ] {
        let got = images::metadata(&file(), filled(text).as_bytes());
        if let Ok(Found { skipped: said, .. }) = &got {
            let said: Vec<_> = said.iter().map(ToString::to_string).collect();
            assert!(said.join("\n").contains(skipped), "{name}: {said:?}");
        }
        check(name, got.map(|found| found.images), want);
    }
}

fn named(image: &str, digest: &str, file: &str) -> Named {
    Named::new(image, Some(digest), Place::of(&file.into())).unwrap()
}

#[test]
fn p14_files_name_only_what_is_allowed_and_agree() {
    let allowed: [Pattern; 1] = ["r.example/acme/**".parse().unwrap()];
    let twice = [
        named("r.example/acme/b", B, "one"),
        named("r.example/acme/app:1", A, "one"),
        named("r.example/acme/app", A, "two"),
        named("r.example/acme/app", B, "two"),
    ];
    let images: Vec<_> =
        images::choose(&twice, &allowed).unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(
        images,
        [
            format!("r.example/acme/app@{B}"),
            format!("r.example/acme/app@{A}"),
            format!("r.example/acme/b@{B}")
        ]
    );
    for (name, list, want) in [
        (
            "outside",
            vec![named("r.example/acme-evil/app", A, "out/x")],
            format!("out/x: r.example/acme-evil/app@{A} is in none of the repositories that may be signed (r.example/acme/**); if it should be, add --repository 'r.example/acme-evil/app'"),
        ),
        (
            "contradiction",
            vec![named("r.example/acme/app:1", A, "out/x"), named("r.example/acme/app:1", B, "out/y")],
            format!("out/x says that r.example/acme/app:1 is {A}, out/y says that it is {B}; remove the one that is not of this build"),
        ),
        (
            "too many",
            vec![named("r.example/acme/app", A, "out/x"); MOST_IMAGES + 1],
            "out/x: this is image 10001 of the run, at most 10000 are signed at once; sign the rest in another run".into(),
        ),
    ] {
        assert_eq!(images::choose(&list, &allowed).unwrap_err().to_string(), want, "{name}");
    }
    assert_eq!(
        images::choose(&vec![named("r.example/acme/app", A, "x"); MOST_IMAGES], &allowed)
            .unwrap()
            .len(),
        1
    );
}

/// Places are found by search, not by counting from the start for each.
#[test]
fn ten_thousand_entries_are_read_at_once() {
    let line = format!(r#"{{"image":"r.example/acme/app","digest":"{A}"}},"#);
    let array = format!("[{}{}]", line.repeat(9_999), line.trim_end_matches(','));
    assert_eq!(images::outputs(&file(), array.as_bytes()).unwrap().len(), 10_000);
}
