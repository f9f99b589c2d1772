//! `verify` where layers must be compared: a command waits for what it began.

use std::time::Duration;

use bytes::Bytes;
use countersign_kit::{Fault, Key, On, attestation_pgp, image, sha256, tar};

use crate::{
    cli::{Desk, stderr, stdout},
    configuration::{IMAGE_ID, attesting, stores},
    gate::layers::{GZIP, gzip},
};

#[test]
fn a_command_waits_until_the_layers_are_compared() {
    let (desk, key) = (Desk::new(), Key::generate("oci"));
    let (host, store) = (desk.registry.host(), desk.grafeas.url());
    let note = "projects/build/notes/oci-attest";
    desk.grafeas.put_project("projects/build");
    desk.grafeas.put_note(note);
    desk.write("oci.asc", &key.certificate_armored());
    desk.write(
        "gate.yaml",
        &format!(
            "deadline: 1s\n{}{}",
            stores(&store),
            attesting(&host, "oci", &format!("note: {note}, {IMAGE_ID}"))
        ),
    );
    let archive = tar("app", b"app");
    let layers = vec![(GZIP.to_owned(), Bytes::from(gzip(&archive)))];
    let shop = image("shop").layers(layers).diff_ids(vec![sha256(&archive)]).build();
    let named = format!("{host}/acme/shop@{}", desk.registry.put("acme/shop", &shop));
    let signature = key.signing().text().armored().detached(shop.image_id().as_bytes());
    let uri = format!("https://{host}/acme/shop@{}", shop.image_id());
    let signature = String::from_utf8(signature).unwrap();
    desk.grafeas.put("projects/build", attestation_pgp(&uri, note, &signature, &key.fingerprint()));
    let layer = sha256(&shop.blobs[1]);
    desk.registry.fault(On::path(&layer), Fault::Delay(Duration::from_secs(3)));
    let judged = desk.run(&["verify", &named, "--config", "gate.yaml"]);
    assert!(judged.status.success(), "{}{}", stdout(&judged), stderr(&judged));
    assert!(stderr(&judged).contains("layers are still being read"), "{}", stderr(&judged));
    let reads = desk.registry.requests().into_iter().filter(|one| one.path.contains(&layer));
    assert_eq!(reads.count(), 1);
}
