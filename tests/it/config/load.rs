//! The contract's files load as written, and the report says what they come to.

use countersign::config::{Config, Purpose};
use countersign_kit::Key;
use jiff::Timestamp;
use std::time::Duration;

use super::folder::{Folder, MINIMAL, REVIEWED, SERVE, key};

#[test]
fn the_contract_loads_as_written() {
    let folder = Folder::new();
    for name in ["serve.yaml", "minimal.yaml"] {
        let config = folder.load(name).unwrap_or_else(|errors| panic!("{name}: {errors:#?}"));
        let serve = config.serve.unwrap();
        assert_eq!(serve.admission, "0.0.0.0:8443".parse().unwrap(), "{name}");
        assert_eq!(serve.probes, "0.0.0.0:8081".parse().unwrap(), "{name}");
        assert_eq!(serve.deadline.get(), Duration::from_secs(8), "{name}");
        assert_eq!((serve.body, serve.connections), (8 << 20, 1000), "{name}");
        assert_eq!(config.gate.deadline(), Duration::from_secs(8), "{name}");
        assert_eq!(config.revision.len(), 12, "{name}");
    }
}

#[test]
fn what_the_server_is_told_is_what_the_file_says() {
    let folder = Folder::new();
    let text = SERVE
        .replace("admission: 0.0.0.0:8443", "admission: 127.0.0.1:1")
        .replace("probes: 0.0.0.0:8081", "probes: 127.0.0.2:2")
        .replace("deadline: 8s", "deadline: 3s")
        .replace(
            "body: 8MiB, images: 500, connections: 1000",
            "body: 2KiB, images: 3, connections: 4",
        );
    folder.write("serve.yaml", text);
    let config = folder.load("serve.yaml").unwrap_or_else(|errors| panic!("{errors:#?}"));
    let serve = config.serve.unwrap();
    assert_eq!(serve.admission, "127.0.0.1:1".parse().unwrap());
    assert_eq!(serve.probes, "127.0.0.2:2".parse().unwrap());
    assert_eq!(serve.deadline.get(), Duration::from_secs(3));
    assert_eq!((serve.body, serve.connections), (2 << 10, 4));
    assert_eq!(config.gate.most_images(), 3);
    assert_eq!(serve.tls.certificate, folder.at("tls/tls.crt"));
    assert_eq!(serve.tls.key, folder.at("tls/tls.key"));
    assert_eq!(serve.tls.client_ca, Some(folder.at("tls/client-ca.crt")));
}

#[test]
fn other_commands_read_neither_listen_nor_tls() {
    let folder = Folder::new();
    std::fs::remove_file(folder.at("tls.key")).unwrap();
    folder.write("minimal.yaml", MINIMAL.replace("tls: ", "listen: {probes: x}\ntls: "));
    let config = Config::load(&folder.at("minimal.yaml"), Purpose::Inspect).unwrap();
    assert!(config.serve.is_none());
    let errors = folder.load("minimal.yaml").err().unwrap();
    assert_eq!(errors.len(), 2, "{errors:#?}");
    folder.write("minimal.yaml", MINIMAL.replace("tls: ", "# "));
    let errors = folder.load("minimal.yaml").err().unwrap();
    assert_eq!(
        errors,
        ["minimal.yaml: `tls` is missing; the API server calls webhooks over TLS only"]
    );
}

#[test]
fn p17_the_revision_is_that_of_everything_read() {
    let (one, other) = (Folder::new(), Folder::new());
    let first = revision(&one);
    for (file, changed) in [
        ("serve.yaml", format!("{SERVE}# a comment\n")),
        ("keys/builder.asc", key("other").certificate_armored()),
        ("policies/reviewed.rego", format!("{REVIEWED}# a comment\n")),
    ] {
        let text = std::fs::read_to_string(one.at(file)).unwrap();
        one.write(file, changed);
        assert_ne!(revision(&one), first, "{file}");
        one.write(file, text);
        assert_eq!(revision(&one), first, "{file}");
    }
    one.write("creds/password", "rotated");
    assert_eq!(revision(&one), first, "passwords are no policy");
    assert_ne!(revision(&other), first, "other keys");
}

fn revision(folder: &Folder) -> String {
    folder.load("serve.yaml").unwrap_or_else(|errors| panic!("{errors:#?}")).revision
}

#[test]
fn the_report_names_keys_rules_and_what_to_look_at() {
    let folder = Folder::new();
    let day = Duration::from_hours(24);
    let soon = Key::options("old <old@acme.example>").age(day).expires_after(day * 20).generate();
    folder.write("keys/legacy.asc", soon.certificate_armored());
    let serve = SERVE
        .replace("    note: projects/image-build/notes/oci-attest\n", "")
        .replace("until: 2026-12-31T00:00:00Z      #", "until: 2020-12-31T00:00:00Z      #");
    folder.write("serve.yaml", serve);
    let config = folder.load("serve.yaml").unwrap_or_else(|errors| panic!("{errors:#?}"));
    let report = config.report(Timestamp::now());
    let text = report.to_string();
    let builder = folder.builder.fingerprint().to_uppercase();
    for want in [
        &format!("authority builder\n  {builder}  builder <builder@acme.example>  until 20"),
        "policy production (enforce)\n  attested  Attested\n  acme.reviewed  Built from reviewed",
        "policy everywhere (warn)\n  registries",
        &format!("revision {}", config.revision),
    ] {
        assert!(text.contains(want), "{want} in\n{text}");
    }
    let warnings = report.warnings.iter().map(|one| format!("line {}: {}", one.line, one.text));
    let warnings: Vec<_> = warnings.collect();
    for want in [
        ": expires at ",
        "line 61: authority \"legacy\" has no note, so nothing from a store counts for it",
        "`until: 2020-12-31T00:00:00Z` is past, so this counts no longer",
    ] {
        let found =
            warnings.iter().filter(|warning| warning.contains(want.trim_start_matches('"')));
        assert_eq!(found.count(), 1, "{want} in {warnings:#?}");
    }
    let calm = Folder::new().load("minimal.yaml").unwrap().report(Timestamp::now());
    assert!(calm.warnings.is_empty(), "{:?}", calm.warnings);
}

#[test]
fn p10_sign_offs_are_counted_against_signers_not_authorities() {
    let folder = Folder::new();
    for (at_least, want) in [
        ("3", None),
        ("4", Some("serve.yaml:76: `atLeast: 4` of 3 signers; it must be from 1 to 3")),
    ] {
        // The builder's one key, and two of QA.
        let text = SERVE
            .replace("use: attested", "use: approved")
            .replace("atLeast: 2", &format!("atLeast: {at_least}"));
        folder.write("serve.yaml", text);
        let errors = folder.load("serve.yaml").err();
        assert_eq!(errors, want.map(|want| vec![want.to_owned()]), "{at_least}");
    }
}
