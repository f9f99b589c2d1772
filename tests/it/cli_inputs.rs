//! `countersign sign` on the files that build steps leave: what is signed, what is refused.

use std::{fs, os::unix::fs::symlink};

use crate::cli::{Desk, stderr, stdout};

fn sign(desk: &Desk, arguments: &[&str]) -> std::process::Output {
    let always = ["sign", "--key", "builder.key", "--attach"];
    desk.run(&[&always[..], arguments].concat())
}

#[test]
fn what_steps_named_is_signed_once() {
    let desk = Desk::new();
    let (host, digest) = (desk.registry.host(), desk.shop.digest());
    let bound = format!("{host}/acme/**");
    for folder in ["outputs", "results/..2026", "results"] {
        fs::create_dir_all(desk.path(folder)).unwrap();
    }
    let line = format!("{{\"image\":\"{host}/acme/shop:1.4\",\"digest\":\"{digest}\"}}\n");
    desk.write("outputs/a.json", &line.repeat(2));
    desk.write("outputs/b.json", &format!("[{line}]"));
    // As Kubernetes mounts a volume: links within the folder.
    desk.write("results/..2026/IMAGE_URL", &format!("{host}/acme/shop\n"));
    symlink("..2026", desk.path("results/..data")).unwrap();
    symlink("..data/IMAGE_URL", desk.path("results/IMAGE_URL")).unwrap();
    desk.write("results/IMAGE_DIGEST", &digest);
    desk.write(
        "metadata.json",
        &format!(
            "{{\"containerimage.digest\":\"{digest}\",\"image.name\":\"{host}/acme/shop:1.4\"}}"
        ),
    );
    let all = ["--outputs", "outputs", "--results", "results", "--metadata-file", "metadata.json"];
    let bounded = ["--repository", &bound];
    let signed = sign(&desk, &[&all[..], &bounded, &[&desk.by_digest()]].concat());
    assert!(signed.status.success(), "{}", stderr(&signed));
    assert_eq!(stdout(&signed).lines().count(), 1, "{}", stdout(&signed));
    for one in all.chunks(2) {
        let again = sign(&desk, &[one, &bounded].concat());
        assert!(again.status.success(), "{one:?}: {}", stderr(&again));
        assert!(stderr(&again).contains("unchanged"), "{one:?}: {}", stderr(&again));
    }
}

#[test]
fn p14_one_mistake_and_nothing_is_signed() {
    let desk = Desk::new();
    let (host, digest) = (desk.registry.host(), desk.shop.digest());
    let other = format!("sha256:{}", "0".repeat(64));
    let good = format!("{{\"image\":\"{host}/acme/shop:1.4\",\"digest\":\"{digest}\"}}");
    fs::create_dir_all(desk.path("elsewhere")).unwrap();
    desk.write("elsewhere/secret", &good);
    for (name, fill, want) in [
        (
            "cut",
            Box::new(|desk: &Desk| desk.write("o/a", &good[..40])) as Box<dyn Fn(&Desk)>,
            "o/a:1:40: the file ends in the middle",
        ),
        ("empty", Box::new(|desk: &Desk| desk.write("o/a", "")), "o/a: names no image"),
        (
            "latin-1",
            Box::new(|desk: &Desk| fs::write(desk.path("o/a"), b"\n \xe9").unwrap()),
            "o/a:2:2: is not UTF-8",
        ),
        ("nothing there", Box::new(|_: &Desk| ()), "no image is named"),
        (
            "outside",
            Box::new(|desk: &Desk| desk.write("o/a", &good.replace("/acme/", "/acme-evil/"))),
            "is in none of the repositories that may be signed",
        ),
        (
            "contradiction",
            Box::new(|desk: &Desk| {
                desk.write("o/a", &good);
                desk.write("o/b", &good.replace(&digest, &other));
            }),
            "o/b:1:1 says that it is sha256:0000",
        ),
        (
            "a link out",
            Box::new(|desk: &Desk| symlink("../elsewhere/secret", desk.path("o/a")).unwrap()),
            "o/a is a link out of its folder",
        ),
        (
            "a dangling link",
            Box::new(|desk: &Desk| symlink("nowhere", desk.path("o/a")).unwrap()),
            "cannot read o/a: No such file",
        ),
        (
            "a folder in it",
            Box::new(|desk: &Desk| fs::create_dir(desk.path("o/a")).unwrap()),
            "o/a is a folder",
        ),
        (
            "too large",
            Box::new(|desk: &Desk| desk.write("o/a", &" ".repeat(8 * 1024 * 1024 + 1))),
            "o/a: has more than 8388608 bytes",
        ),
        (
            "10,001 entries",
            Box::new(|desk: &Desk| desk.write("o/a", &good.repeat(10_001))),
            "this is image 10001 of the run, at most 10000",
        ),
    ] {
        fs::create_dir_all(desk.path("o")).unwrap();
        fill(&desk);
        let refused = sign(&desk, &["--outputs", "o", "--repository", &format!("{host}/acme/*")]);
        assert_eq!(refused.status.code(), Some(2), "{name}: {}", stderr(&refused));
        assert!(stderr(&refused).contains(want), "{name}: {}", stderr(&refused));
        fs::remove_dir_all(desk.path("o")).unwrap();
    }
    let unbounded = sign(&desk, &["--outputs", "elsewhere"]);
    assert_eq!(unbounded.status.code(), Some(2));
    assert!(stderr(&unbounded).contains("--repository <PATTERN>"), "{}", stderr(&unbounded));
    let writes = desk.registry.requests().iter().filter(|request| request.method != "GET").count();
    assert_eq!(writes, 0, "nothing was published");
}
