//! `verify` where layers must be compared: a command waits for what it began.

use std::time::Duration;

use bytes::Bytes;
use countersign_kit::{Fault, Key, On, attestation_pgp, image, sha256, tar};

use crate::{
    cli::{Desk, stderr, stdout},
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
            "deadline: 1s\n\
             registries: {{allow: [\"{host}/**\"], hosts: [{{host: \"{host}\", plainHttp: true}}]}}\n\
             stores: [{{name: grafeas, url: \"{store}\", api: v1beta1, project: projects/build}}]\n\
             authorities: [{{name: oci, keys: [{{openpgp: oci.asc}}], note: {note}, attests: [image-id], identity: digest, layersCheckedBy: gate}}]\n\
             policies: [{{name: attested, match: {{}}, rules: [{{use: attested, parameters: {{authorities: [oci]}}}}], mode: enforce}}]\n\
             unmatched: deny\n"
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
