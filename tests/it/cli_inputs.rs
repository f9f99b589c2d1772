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

#[test]
fn an_image_on_disk_is_signed_by_its_own_digest() {
    let desk = Desk::new();
    let (host, shop) = (desk.registry.host(), &desk.shop);
    let hex = shop.digest().replace("sha256:", "");
    fs::create_dir_all(desk.path("layout/blobs/sha256")).unwrap();
    desk.write("layout/oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#);
    fs::write(desk.path(&format!("layout/blobs/sha256/{hex}")), &shop.manifest).unwrap();
    let listed = |name: &str| {
        let (digest, size) = (shop.digest(), shop.manifest.len());
        format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{digest}","size":{size},"annotations":{{"org.opencontainers.image.ref.name":"{name}"}}}}]}}"#
        )
    };
    desk.write("layout/index.json", &listed("1.4"));
    let (shop_name, pattern) = (format!("{host}/acme/shop"), format!("{host}/acme/*"));
    let other = format!("{host}/other/*");
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/buildkit");
    let saved = format!("docker-archive:{fixtures}/docker-save.tar");
    for (name, arguments, code, want) in [
        ("by --as", &["oci:layout", "--as", &shop_name][..], 0, format!("{shop_name}@sha256:")),
        ("neither", &["oci:layout"], 2, "needs --as REPOSITORY".into()),
        (
            "a bare tag is no name",
            &["oci:layout", "--repository", &pattern],
            2,
            "oci:layout does not name its repository; say with --as REPOSITORY".into(),
        ),
        (
            "a docker save whose name is not allowed",
            &[&saved, "--repository", &pattern],
            2,
            "registry.test/demo/bk@sha256:ff95e95eb8fc5dece29c8014816a7f442c891a32daba1938161eb20778e7095b is in none".into(),
        ),
        ("--as outside", &["oci:layout", "--as", &shop_name, "--repository", &other], 2, "is in none of the".into()),
        ("nowhere", &["oci:nowhere", "--as", &shop_name], 2, "nowhere".into()),
    ] {
        let ended = sign(&desk, arguments);
        let said = stdout(&ended) + &stderr(&ended);
        assert_eq!(ended.status.code(), Some(code), "{name}: {said}");
        assert!(said.contains(&want), "{name}: {said}");
    }
    desk.write("layout/index.json", &listed(&format!("{host}/acme/shop:1.4")));
    let again = sign(&desk, &["oci:layout", "--repository", &pattern]);
    assert!(stderr(&again).contains("unchanged"), "{}", stderr(&again));
    fs::write(desk.path(&format!("layout/blobs/sha256/{hex}")), vec![b' '; shop.manifest.len()])
        .unwrap();
    let tampered = sign(&desk, &["oci:layout", "--as", &shop_name]);
    assert_eq!(tampered.status.code(), Some(2));
    assert!(stderr(&tampered).contains("damaged or tampered with"), "{}", stderr(&tampered));
}

/// What Docker saved before version 25 holds no manifest, and a push makes one of its own.
#[test]
fn an_archive_without_manifests_says_why_it_cannot_be_signed() {
    let desk = Desk::new();
    let mut tar = tar::Builder::new(fs::File::create(desk.path("saved.tar")).unwrap());
    let manifest = r#"[{"Config":"config.json","RepoTags":["r.example/a:1"],"Layers":[]}]"#;
    for (name, text) in [("config.json", "{}"), ("manifest.json", manifest)] {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, text.as_bytes()).unwrap();
    }
    tar.finish().unwrap();
    let refused = sign(&desk, &["docker-archive:saved.tar", "--as", "r.example/a"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("without its manifest"), "{}", stderr(&refused));
}
