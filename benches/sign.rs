//! A thousand images signed, attached and filed, beside a thousand calls of `gpg --detach-sign`, which
//! only sign: `cargo bench --bench sign`. Without gpg its half is left out.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "what is measured was made here, and is told"
)]

use std::{
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use countersign::{
    attest::grafeas::Version,
    name::{Digest, PinnedImage, ProjectName},
    sign::{Claim, Destinations, Entry, Publisher, Signer, Stop, StoreDestination, generate_key},
    source::{GrafeasStore, HostOptions, Registries, RegistriesOptions, StoreOptions},
};
use countersign_kit::{Grafeas, Registry, image};
use futures_util::StreamExt as _;
use jiff::Timestamp;
use serde_json::json;

const IMAGES: usize = 1000;
const NOTE: &str = "projects/build/notes/built";

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (registry, grafeas) = (Registry::start(), Grafeas::start());
    grafeas.put_note(NOTE);
    let entries: Vec<Entry> = (0..IMAGES).map(|at| entry(&registry, at)).collect();
    for round in ["signed, attached and filed", "the same again: unchanged"] {
        let took = runtime.block_on(publish(&registry, &grafeas, &entries));
        println!("countersign: {IMAGES} images {round}: {took:.2?}");
    }
    println!(
        "countersign: {} connections to the registry, {} to the store",
        registry.connections(),
        grafeas.connections(),
    );
    if let Some((took, peak)) = alone(&registry, &grafeas, &entries) {
        println!("the command alone, the same images by --outputs: {took:.2?}, at most {peak} KiB");
    }
    match gpg() {
        Some(took) => println!("gpg --detach-sign, {IMAGES} times, nothing published: {took:.2?}"),
        None => println!("gpg is not there"),
    }
}

fn entry(registry: &Registry, at: usize) -> Entry {
    let digest: Digest =
        registry.put("acme/shop", &image(&at.to_string()).build()).parse().unwrap();
    let repository = format!("{}/acme/shop", registry.host()).parse().unwrap();
    let claims = vec![Arc::new(Claim::SimpleSigning)];
    Entry { claims, ..Entry::of(PinnedImage { repository, digest }) }
}

async fn publish(registry: &Registry, grafeas: &Grafeas, entries: &[Entry]) -> Duration {
    let now = Timestamp::now();
    let hosts = vec![HostOptions::typed(&registry.host(), false, None)];
    let registries = Registries::new(RegistriesOptions { allow: None, hosts }).unwrap();
    let project: ProjectName = "projects/build".parse().unwrap();
    let url = grafeas.url().parse().unwrap();
    let options = StoreOptions::new("grafeas", url, Version::V1Beta1, project.clone());
    let store = StoreDestination {
        store: Arc::new(GrafeasStore::new(options).unwrap()),
        note: NOTE.parse().unwrap(),
        project,
    };
    let destinations = Destinations {
        registries: Arc::new(registries),
        attach: true,
        store: Some(store),
        folder: None,
    };
    let signer = Signer::load(key(now), None, now).unwrap();
    let started = Instant::now();
    let publisher = Publisher::new(vec![signer], Vec::new(), entries, destinations).await.unwrap();
    let stop = Stop::default();
    let failed = publisher
        .run(entries, &stop)
        .flat_map(|receipts| futures_util::stream::iter(receipts.unwrap()))
        .filter(|receipt| std::future::ready(receipt.error.is_some()))
        .count()
        .await;
    assert_eq!(failed, 0);
    started.elapsed()
}

/// The command as CI runs it, in a process of its own, and the most memory that it had.
fn alone(registry: &Registry, grafeas: &Grafeas, entries: &[Entry]) -> Option<(Duration, u64)> {
    let folder = tempfile::tempdir().unwrap();
    let outputs = folder.path().join("outputs");
    std::fs::create_dir(&outputs).unwrap();
    let line = |Entry { image, .. }: &Entry| json!({"image": image.repository.to_string(), "digest": image.digest.to_string()});
    let lines: Vec<serde_json::Value> = entries.iter().map(line).collect();
    std::fs::write(outputs.join("images.json"), json!(lines).to_string()).unwrap();
    // Another key than before, so that there is something to sign.
    let own = generate_key("alone", None, None, Timestamp::now()).unwrap();
    std::fs::write(folder.path().join("ci.key"), own.secret).unwrap();
    let started = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(["sign", "--outputs", "outputs", "--key", "ci.key", "--attach"])
        .args(["--repository", &format!("{}/**", registry.host())])
        .args(["--store", &grafeas.url(), "--note", NOTE])
        .current_dir(folder.path())
        .env("DOCKER_CONFIG", folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = None;
    loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let read = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        peak = peak.max(read);
        match child.try_wait().unwrap() {
            Some(ended) => {
                assert!(ended.success(), "{ended}");
                return Some((started.elapsed(), peak?));
            }
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    }
}

/// One key for both rounds.
fn key(now: Timestamp) -> &'static [u8] {
    static KEY: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    KEY.get_or_init(|| generate_key("ci", None, None, now).unwrap().secret)
}

fn gpg() -> Option<Duration> {
    let home = tempfile::Builder::new().prefix("gpg").tempdir_in("/tmp").unwrap();
    let payload = home.path().join("payload");
    std::fs::write(&payload, vec![b'x'; 300]).unwrap();
    let gpg = |arguments: &[&str]| {
        Command::new("gpg")
            .args(["--batch", "--quiet", "--no-tty", "--pinentry-mode", "loopback"])
            .args(["--passphrase", "", "--homedir"])
            .arg(home.path())
            .args(arguments)
            .arg(&payload)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    let made = Command::new("gpg")
        .args([
            "--batch",
            "--quiet",
            "--pinentry-mode",
            "loopback",
            "--passphrase",
            "",
            "--homedir",
        ])
        .arg(home.path())
        .args(["--quick-generate-key", "ci", "ed25519", "sign", "1y"])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    let started = Instant::now();
    let signed = made && (0..IMAGES).all(|_| gpg(&["--output", "-", "--detach-sign"]));
    let took = started.elapsed();
    let _ended =
        Command::new("gpgconf").arg("--homedir").arg(home.path()).args(["--kill", "all"]).output();
    signed.then_some(took)
}
