//! To a layout on disk and back.

use std::{collections::BTreeMap, fs, path::Path};

use countersign::source::{Destination, LayoutPlace, Origin, Tally};
use countersign_kit::{Fault, Kind, On, Referrers, Registry, sha256};
use serde_json::Value;
use tempfile::TempDir;

use super::{Shop, carry, client, digest, from, place, to};

async fn folder(path: &Path, name: &str) -> Destination {
    Destination::folder(&place(path, name), Some(name.to_owned())).await.unwrap()
}

/// Every file of a folder with its bytes.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut left = vec![folder.to_owned()];
    while let Some(path) = left.pop() {
        for entry in fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().display().to_string();
                // A draft may go while it is looked at.
                files.insert(name, fs::read(path).unwrap_or_default());
            }
        }
    }
    files
}

#[tokio::test]
async fn what_goes_through_a_layout_comes_out_the_same() {
    for (name, there) in [("api", Referrers::All { filter: true }), ("tags", Referrers::Off)] {
        let (a, b) = (Registry::start(), Registry::options().referrers(there).start());
        let shop = Shop::new();
        shop.put(&a, "acme/shop");
        let client = client([&a, &b]);
        let stick = TempDir::new().unwrap();
        let origin = from(&client, &a, "acme/shop:1.4");
        carry(&origin, &folder(stick.path(), "shop").await).await.unwrap();
        let written = files(stick.path());
        for (path, bytes) in written.iter().filter(|(path, _)| path.starts_with("blobs/")) {
            assert_eq!(*path, format!("blobs/{}", sha256(bytes).replace(':', "/")), "{name}");
        }
        let again = carry(&origin, &folder(stick.path(), "shop").await).await.unwrap();
        assert_eq!((again.named, again.blobs.sent), (false, 0), "{name}: {again:?}");
        assert_eq!(files(stick.path()), written, "{name}: unchanged");

        let origin = Origin::on_disk(&place(stick.path(), "shop")).await.unwrap();
        carry(&origin, &to(&client, &b, "shop", "1.4")).await.unwrap();
        for (what, content) in shop.all() {
            let kept = b.manifest("shop", &content.digest()).map(|(_, bytes)| bytes);
            assert_eq!(kept.as_ref(), Some(&content.manifest), "{name}: {what}");
        }
        assert_eq!(b.manifest("shop", &shop.cosign_tag()).unwrap().1, shop.cosign.manifest);
        let repository = format!("{}/shop", b.host()).parse().unwrap();
        for (subject, count) in [(&shop.whole, 1), (&shop.amd64, 2), (&shop.sbom, 1)] {
            let found = client.referrers(&repository, digest(subject), super::soon()).await;
            assert_eq!(found.unwrap().len(), count, "{name}: {}", subject.digest());
        }

        let copy = TempDir::new().unwrap();
        carry(&origin, &folder(copy.path(), "shop").await).await.unwrap();
        let blobs = |files: BTreeMap<String, Vec<u8>>| {
            files.into_iter().filter(|(path, _)| path.starts_with("blobs/")).collect::<Vec<_>>()
        };
        assert_eq!(blobs(files(copy.path())), blobs(written), "{name}: layout to layout");
    }
}

#[tokio::test]
async fn an_archive_is_carried_in() {
    let (a, b) = (Registry::start(), Registry::start());
    let shop = Shop::new();
    shop.put(&a, "shop");
    let client = client([&a, &b]);
    let stick = TempDir::new().unwrap();
    carry(&from(&client, &a, "shop:1.4"), &folder(&stick.path().join("l"), "x").await)
        .await
        .unwrap();
    let file = stick.path().join("l.tar");
    let mut tar = tar::Builder::new(fs::File::create(&file).unwrap());
    tar.append_dir_all(".", stick.path().join("l")).unwrap();
    tar.finish().unwrap();
    let origin = Origin::on_disk(&archive(&file)).await.unwrap();
    let copied = carry(&origin, &to(&client, &b, "shop", "1.4")).await.unwrap();
    assert_eq!(copied.manifests.len(), shop.all().len());
}

fn archive(file: &Path) -> LayoutPlace {
    format!("oci-archive:{}", file.display()).parse().unwrap()
}

/// P14: what lies in the folder beside an archive is packed, so nobody else may have laid it there.
#[cfg(unix)]
#[tokio::test]
async fn p14_an_archive_is_gathered_in_a_folder_of_our_own() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let stick = TempDir::new().unwrap();
    let file = stick.path().join("shop.tar");
    let part = stick.path().join("shop.tar.part");
    let begin = || async { Destination::archive(&archive(&file), Some("shop".into())).await };
    let mode = || fs::metadata(&part).unwrap().permissions().mode() & 0o777;
    begin().await.unwrap();
    assert_eq!(mode(), 0o700);
    begin().await.expect("one of our own is taken up again");
    fs::set_permissions(&part, fs::Permissions::from_mode(0o777)).unwrap();
    let error = begin().await.err().expect("others may write there").to_string();
    assert!(error.contains("shop.tar.part is there and not yours alone to write"), "{error}");
    fs::set_permissions(&part, fs::Permissions::from_mode(0o700)).unwrap();
    fs::rename(&part, stick.path().join("elsewhere")).unwrap();
    symlink(stick.path().join("elsewhere"), &part).unwrap();
    let error = begin().await.err().expect("a link").to_string();
    assert!(error.contains("not yours alone to write"), "{error}");
}

#[tokio::test]
async fn an_archive_is_written_whole_or_not_at_all() {
    let (a, b) = (Registry::start(), Registry::start());
    let shop = Shop::new();
    shop.put(&a, "shop");
    let client = client([&a, &b]);
    let stick = TempDir::new().unwrap();
    let file = stick.path().join("shop.tar");
    let part = stick.path().join("shop.tar.part");
    let begun = || async { Destination::archive(&archive(&file), Some("shop".into())).await };
    let origin = from(&client, &a, "shop:1.4");

    a.fault(On::kind(Kind::Blob).after(2), Fault::status(404));
    carry(&origin, &begun().await.unwrap()).await.unwrap_err();
    assert!(!file.exists() && part.exists());
    a.heal();
    // One that had arrived, and one of another image that somebody gave up on.
    let blobs = part.join("blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    let layer = &shop.amd64.blobs[1];
    fs::write(blobs.join(&sha256(layer)[7..]), layer).unwrap();
    fs::write(blobs.join("ab".repeat(32)), "stray").unwrap();
    let copied = carry(&origin, &begun().await.unwrap()).await.unwrap();
    assert!(copied.blobs.present > 0, "it went on: {copied:?}");
    assert!(file.exists() && !part.exists());
    let bytes = fs::read(&file).unwrap();
    let has = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(has(&shop.whole.digest()[7..]) && !has("stray"));
    let Err(error) = begun().await else { panic!("written over") };
    assert!(error.to_string().contains("is there already"), "{error}");

    fs::remove_file(&file).unwrap();
    carry(&origin, &begun().await.unwrap()).await.unwrap();
    assert!(fs::read(&file).unwrap() == bytes, "the same again");

    let origin = Origin::on_disk(&archive(&file)).await.unwrap();
    let copied = carry(&origin, &to(&client, &b, "shop", "1.4")).await.unwrap();
    assert_eq!(copied.manifests.len(), shop.all().len());
    super::copy::assert_all_there("out of it", &shop, &b, "shop").await;
}

#[tokio::test]
async fn a_stick_with_a_flipped_bit_is_mended_and_never_believed() {
    let (a, b) = (Registry::start(), Registry::start());
    let shop = Shop::new();
    shop.put(&a, "shop");
    let client = client([&a, &b]);
    let stick = TempDir::new().unwrap();
    let origin = from(&client, &a, "shop:1.4");
    carry(&origin, &folder(stick.path(), "shop").await).await.unwrap();
    let layer = sha256(&shop.amd64.blobs[1]);
    let path = stick.path().join("blobs").join(layer.replace(':', "/"));
    let mut bytes = fs::read(&path).unwrap();
    bytes[700] ^= 1;
    fs::write(&path, bytes).unwrap();

    let damaged = Origin::on_disk(&place(stick.path(), "shop")).await.unwrap();
    let error = carry(&damaged, &to(&client, &b, "shop", "1.4")).await.unwrap_err().to_string();
    assert!(error.contains("damaged or tampered with"), "{error}");
    assert!(b.blob("shop", &layer).is_none());
    assert_eq!(b.tags("shop"), Vec::<String>::new());

    let mended = carry(&origin, &folder(stick.path(), "shop").await).await.unwrap();
    let size = shop.amd64.blobs[1].len() as u64;
    let Tally { sent, bytes, .. } = mended.blobs;
    assert_eq!((sent, bytes), (1, size));
    assert_eq!(fs::read(&path).unwrap(), shop.amd64.blobs[1]);
}

#[tokio::test]
async fn a_layout_keeps_what_it_had_and_a_name_names_one_image() {
    let a = Registry::start();
    let shop = Shop::new();
    shop.put(&a, "shop");
    let other = countersign_kit::image("other").build();
    a.put_image("other", "1", &other);
    let client = client([&a]);
    let stick = TempDir::new().unwrap();
    for (image, name) in [("shop:1.4", "x"), ("other:1", "y"), ("other:1", "x")] {
        carry(&from(&client, &a, image), &folder(stick.path(), name).await).await.unwrap();
    }
    let index: Value =
        serde_json::from_slice(&fs::read(stick.path().join("index.json")).unwrap()).unwrap();
    let entries = index["manifests"].as_array().unwrap();
    let named = |name: &str| {
        let named = entries
            .iter()
            .filter(|entry| entry["annotations"]["org.opencontainers.image.ref.name"] == name);
        named.map(|entry| entry["digest"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(named("x"), [other.digest()]);
    assert_eq!(named("y"), [other.digest()]);
    let bill = entries.iter().find(|entry| entry["digest"] == shop.sbom.digest());
    assert_eq!(bill.unwrap()["artifactType"], super::SBOM, "evidence of before stays");
}

#[tokio::test]
async fn a_broken_copy_leaves_a_layout_that_lists_nothing_new() {
    let a = Registry::start();
    let shop = Shop::new();
    shop.put(&a, "shop");
    a.fault(On::kind(Kind::Blob).after(2), Fault::status(404));
    let client = client([&a]);
    let stick = TempDir::new().unwrap();
    carry(&from(&client, &a, "shop:1.4"), &folder(stick.path(), "shop").await).await.unwrap_err();
    let index = fs::read(stick.path().join("index.json")).unwrap();
    let index: Value = serde_json::from_slice(&index).unwrap();
    assert_eq!(index["manifests"], serde_json::json!([]));
    // Blobs that were under way beside the one that failed tidy up after themselves.
    let drafts = || files(stick.path()).into_keys().filter(|path| path.ends_with(".part")).count();
    for _ in 0..200 {
        if drafts() == 0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("{} drafts are left", drafts());
}

#[tokio::test]
async fn what_a_killed_copy_left_goes_with_the_next_one() {
    let a = Registry::start();
    let shop = Shop::new();
    shop.put(&a, "shop");
    let client = client([&a]);
    let stick = TempDir::new().unwrap();
    let origin = from(&client, &a, "shop:1.4");
    carry(&origin, &folder(stick.path(), "shop").await).await.unwrap();
    let whole = files(stick.path());
    let (hex, writer) = ("ab".repeat(32), "cd".repeat(16));
    let mut locks = Vec::new();
    let mut stays = Vec::new();
    for (name, bytes, locked, goes) in [
        (format!("{hex}.{writer}.part"), "half", false, true),
        (format!("{hex}.{}.part", "ef".repeat(16)), "half", true, false),
        (format!("{hex}.{}.part", "01".repeat(16)), "", false, false),
        (format!("{hex}.part"), "somebody's own", false, false),
        (format!("thesis.{writer}.part"), "somebody's own", false, false),
    ] {
        let path = stick.path().join("blobs/sha256").join(&name);
        fs::write(&path, bytes).unwrap();
        if locked {
            let file = fs::File::open(&path).unwrap();
            file.lock().unwrap();
            locks.push(file);
        }
        if !goes {
            stays.push(format!("blobs/sha256/{name}"));
        }
    }
    folder(stick.path(), "shop").await;
    let mut left: Vec<_> =
        files(stick.path()).into_keys().filter(|path| !whole.contains_key(path)).collect();
    left.sort();
    stays.sort();
    assert_eq!(left, stays);
    drop(locks);
    folder(stick.path(), "shop").await;
    assert_eq!(files(stick.path()).len(), whole.len() + stays.len() - 1, "given up since");
}

#[tokio::test]
async fn a_folder_of_other_things_is_left_alone() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("thesis.tex"), "mine").unwrap();
    let Err(error) = Destination::folder(&place(folder.path(), "x"), None).await else {
        panic!("taken for a layout")
    };
    assert!(error.to_string().contains("other things"), "{error}");
    assert_eq!(files(folder.path()).len(), 1);
}
