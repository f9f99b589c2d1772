//! Statements that lie in an index: found, tied to their platform, covered by who signed the index.

use countersign::admission::Phase;
use countersign_kit::{
    Content, Fault, Index, Key, On, artifact, image, index, sha256, signed_statement, statement,
};
use serde_json::{Value, json};

use crate::{
    layout::vector,
    scene::{ATTESTED, Scene},
};

const V1: &str = "https://slsa.dev/provenance/v1";
const EMBEDDED: &str = r#", attests: [simple-signing, "embedded:https://slsa.dev/provenance/v1", "embedded:https://slsa.dev/provenance/v0.2"]"#;

fn built(parameters: &str) -> String {
    format!(
        "  - {{name: built, match: {{}}, mode: enforce, rules: [{{use: built, parameters: {{authorities: [builder]{parameters}}}}}]}}"
    )
}

/// A scene with an image in it, under one tag.
fn scene(members: &str, policies: &str, content: &Content) -> (Scene, String) {
    let scene = Scene::with_builder(members, policies);
    scene.registry.put_image("acme/shop", "1.4", content);
    let pinned = scene.image(&format!("acme/shop@{}", content.digest()));
    (scene, pinned)
}

#[tokio::test(flavor = "multi_thread")]
async fn genuine_statements_of_every_layout_are_judged() {
    for (file, kind, builder, platforms) in [
        ("artifact-slsa1.tar", V1, "", 1),
        ("image-manifest-slsa02.tar", "https://slsa.dev/provenance/v0.2", "", 1),
        ("multi-artifact-slsa1.tar", V1, "", 2),
        ("git-builder-slsa1.tar", V1, "https://ci.example.test/builder", 1),
        (
            "vcs-builder-slsa02.tar",
            "https://slsa.dev/provenance/v0.2",
            "https://ci.example.test/builder",
            1,
        ),
    ] {
        let content = vector::content(file);
        let asked = built(r#", builders: ["https://ci.example.test/builder"]"#);
        let (scene, pinned) = scene(EMBEDDED, &asked, &content);
        let said = scene.ask(Phase::Validate, &[&pinned]).await;
        assert_eq!(said.audit("codes"), "built.missing", "{file}, unsigned: {}", said.message);

        let scene = Scene::with_builder(EMBEDDED, &asked);
        scene.registry.put_image("acme/shop", "1.4", &content);
        let pinned = scene.image(&format!("acme/shop@{}", content.digest()));
        scene.attest(&content);
        let want = if builder.is_empty() { "built.otherwise" } else { "" };
        let said = scene.ask(Phase::Validate, &[&pinned]).await;
        assert_eq!(said.audit("codes"), want, "{file}: {}", said.message);

        let input = scene.input(&pinned).await;
        let images = input["images"].as_array().unwrap();
        assert_eq!(images.len(), platforms, "{file}");
        for image in images {
            assert_eq!(image["lookups"]["index"], "found", "{file}");
            let [statement] = image["statements"].as_array().unwrap().as_slice() else {
                panic!("{file}: {}", image["statements"]);
            };
            assert_eq!(statement["predicateType"], kind, "{file}");
            assert_eq!(statement["authority"], "builder", "{file}");
            assert_eq!(statement["source"], "index", "{file}");
            let subject = json!({"repository": null, "digest": image["platform"]["digest"], "level": "manifest"});
            assert_eq!(statement["subject"], subject, "{file}");
            assert!(image["rejected"].as_array().unwrap().is_empty(), "{file}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn built_reads_where_a_genuine_build_began() {
    let content = vector::content("git-builder-slsa1.tar");
    for (name, parameters, want) in [
        ("repository", r#"repositories: ["git://127.0.0.1:19418/app.git"]"#, ""),
        ("another", r#"repositories: ["git://127.0.0.1:19418/other"]"#, "built.otherwise"),
        ("revision", "revisions: [2970f65772decd083fd5de6c5a7a960d413979be]", ""),
        ("recorded", "revisionRecorded: true", ""),
        ("pinned", "materialsPinned: true", ""),
        ("frontend", r#"buildParameters: {"request/frontend": dockerfile.v0}"#, ""),
        ("secret", r#"buildParameters: {"request/secrets": []}"#, "built.otherwise"),
        // `#main` may be a tag as well as a branch.
        ("branch", "branches: [main]", "built.otherwise"),
    ] {
        let (scene, pinned) = scene(EMBEDDED, &built(&format!(", {parameters}")), &content);
        scene.attest(&content);
        let said = scene.ask(Phase::Validate, &[&pinned]).await;
        assert_eq!(said.audit("codes"), want, "{name}: {}", said.message);
    }
}

/// An image in an index, and what the index says of it.
fn said_of(statements: impl Fn(&Content) -> Vec<Value>) -> (Content, Index) {
    let shop = image("shop").build();
    let statements = statements(&shop);
    (shop.clone(), index([&shop]).attested(&shop, &statements))
}

fn provenance(of: &Content) -> Value {
    let predicate = json!({"runDetails": {"builder": {"id": "https://ci.example/builder"}}});
    statement(V1, "_", &of.digest(), predicate)
}

#[tokio::test(flavor = "multi_thread")]
async fn p4_a_signature_over_the_index_covers_only_what_its_authority_attests() {
    let other = r#", attests: [simple-signing, "https://slsa.dev/provenance/v1", "embedded:https://spdx.dev/Document"]"#;
    let every = built("").replace("match: {}", "match: {}, platforms: every");
    for (name, members, policy, signed, want) in [
        ("covered", EMBEDDED, built(""), "index", ""),
        ("the platform is signed", EMBEDDED, built(""), "platform", "built.missing"),
        ("nothing is signed", EMBEDDED, built(""), "", "built.missing"),
        ("another type", other, built(""), "index", "built.missing"),
        ("signs for function only", "", built(""), "index", "built.missing"),
        ("only platforms count", EMBEDDED, every, "index", "built.missing"),
    ] {
        let (shop, index) = said_of(|shop| vec![provenance(shop)]);
        let index = index.build();
        let (scene, pinned) = scene(members, &policy, &index);
        match signed {
            "index" => scene.attest(&index),
            "platform" => scene.attest(&shop),
            _ => {}
        }
        let said = scene.ask(Phase::Validate, &[&pinned]).await;
        assert_eq!(said.audit("codes"), want, "{name}: {}", said.message);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p4_a_statement_about_something_else_is_rejected_and_not_shown() {
    let shop = image("shop").build();
    let other = image("other").build();
    let mut two = provenance(&shop);
    two["subject"][0]["digest"]["sha512"] = "00".repeat(64).into();
    let digestless = json!({"_type": "https://in-toto.io/Statement/v1", "subject": [{"name": "_"}], "predicateType": V1});
    let subject_moved = {
        let carrier = artifact("application/vnd.docker.attestation.manifest.v1+json")
            .subject(&other)
            .layer("application/vnd.in-toto+json", provenance(&shop).to_string())
            .layer_annotation("in-toto.io/predicate-type", V1);
        index([&shop]).and(&listed(carrier.build(), &shop)).build()
    };
    let saying =
        |statement: &Value| index([&shop]).attested(&shop, std::slice::from_ref(statement)).build();
    let as_image = index([&shop]).attested_as_image(&shop, &[provenance(&other)]).build();
    for (name, index, code) in [
        ("another image", saying(&provenance(&other)), "payload.other-image"),
        ("another image, old layout", as_image, "payload.other-image"),
        ("another sha512", saying(&two), "payload.other-image"),
        ("no digest", saying(&digestless), "payload.other-image"),
        ("another subject", subject_moved, "payload.other-image"),
        ("no statement", saying(&json!({"predicateType": V1})), "payload.malformed"),
    ] {
        let (scene, pinned) = scene(EMBEDDED, &built(""), &index);
        scene.attest(&index);
        let said = scene.ask(Phase::Validate, &[&pinned]).await;
        assert_eq!(said.audit("codes"), "built.missing", "{name}: {}", said.message);
        assert!(said.message.contains(code), "{name}: {}", said.message);
        let input = scene.input(&pinned).await;
        let image = &input["images"][0];
        assert_eq!(image["statements"], json!([]), "{name}");
        assert_eq!(image["rejected"][0]["code"], code, "{name}: {}", image["rejected"]);
        assert_eq!(image["lookups"]["index"], "found", "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p5_an_index_that_cannot_be_read_is_no_index_without_statements() {
    let (shop, index) = said_of(|shop| vec![provenance(shop)]);
    let index = index.build();
    let carrier = index.children[1].digest();
    let blob = sha256(provenance(&shop).to_string().as_bytes());
    for (name, members, on, fault, want) in [
        ("manifest", EMBEDDED, &carrier, Fault::status(500), "registry.unreachable"),
        ("manifest gone", EMBEDDED, &carrier, Fault::status(404), "image.not-found"),
        ("blob", EMBEDDED, &blob, Fault::status(500), "registry.unreachable"),
        ("blob gone", EMBEDDED, &blob, Fault::status(404), "registry.invalid"),
        ("tampered", EMBEDDED, &blob, flipped(), "registry.invalid"),
        ("nobody's", "", &blob, Fault::status(500), "built.missing"),
    ] {
        let (scene, pinned) = scene(members, &built(""), &index);
        scene.attest(&index);
        scene.registry.fault(On::path(on), fault);
        let said = scene.ask(Phase::Validate, &[&pinned]).await;
        assert!(said.audit("codes").starts_with(want), "{name}: {}", said.message);
    }
}

/// One byte of the blob is another one.
fn flipped() -> Fault {
    Fault::rewrite(|_, mut answer| {
        let mut body = answer.body.to_vec();
        body[9] ^= 1;
        answer.body = body.into();
        answer
    })
}

const READS: &str = "package acme\n\ndeny contains msg if {\n\tsome image in input.images\n\tsome statement in image.statements\n\tmsg := sprintf(\"%v by %v\", [statement.predicateType, statement.authority])\n}\n";

#[tokio::test(flavor = "multi_thread")]
async fn only_what_somebody_can_use_is_fetched() {
    let bom =
        |shop: &Content| statement("https://spdx.dev/Document", "_", &shop.digest(), json!({}));
    let rules = tempfile::tempdir().unwrap();
    let rule = rules.path().join("acme.rego");
    std::fs::write(&rule, READS).unwrap();
    let reading = format!(
        "  - {{name: reads, match: {{}}, mode: enforce, rules: [{{path: {}, package: acme}}]}}",
        rule.display()
    );
    let (shop, index) = said_of(|shop| vec![provenance(shop), bom(shop)]);
    let index = index.build();
    let [carrier, provenance, bom] = [
        index.children[1].digest(),
        sha256(provenance(&shop).to_string().as_bytes()),
        sha256(bom(&shop).to_string().as_bytes()),
    ];
    let envelopes = r#", attests: [simple-signing, "https://slsa.dev/provenance/v1"]"#;
    for (name, members, policies, want) in [
        ("nobody", "", ATTESTED, [false, false, false]),
        ("of one type", EMBEDDED, ATTESTED, [true, true, false]),
        ("signed ones", envelopes, ATTESTED, [true, false, false]),
        ("a rule reads them", "", reading.as_str(), [true, true, true]),
    ] {
        let (scene, pinned) = scene(members, policies, &index);
        scene.attest(&index);
        scene.ask(Phase::Validate, &[&pinned]).await;
        let asked = scene.registry.requests();
        let got = [&carrier, &provenance, &bom]
            .map(|digest| asked.iter().filter(|request| request.mentions(digest)).count());
        let got = got.map(|count| count > 0);
        assert_eq!(got, want, "{name}");
    }
    let (scene, pinned) = scene("", &reading, &index);
    let said = scene.ask(Phase::Validate, &[&pinned]).await;
    assert!(said.message.contains("https://spdx.dev/Document by null"), "{}", said.message);
}

/// `carrier` as an index lists it for `of`.
fn listed(carrier: Content, of: &Content) -> Content {
    let built = index([of]).attested(of, &[]).build();
    let Content { listed, platform, .. } = built.children[1].clone();
    Content { artifact_type: None, listed, platform, ..carrier }
}

/// An index that lists, for its one image, a carrier with these layers.
fn carrying(layers: &[(&str, Vec<u8>)]) -> Content {
    let shop = image("shop").build();
    let mut carrier =
        artifact("application/vnd.docker.attestation.manifest.v1+json").subject(&shop);
    for (media_type, bytes) in layers {
        carrier = carrier.layer(media_type, bytes.clone());
    }
    index([&shop]).and(&listed(carrier.build(), &shop)).build()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_statement_in_an_index_is_an_attestation() {
    let members = r#", attests: ["https://slsa.dev/provenance/v1"], identity: digest"#;
    let shop = image("shop").build();
    let dsse = "application/vnd.dsse.envelope.v1+json";
    let stranger = Key::generate("Stranger <stranger@acme.example>");
    let other = image("other").build();
    for (name, of, by_builder, want) in [
        ("signed", &shop, true, ""),
        ("moved from another image", &other, true, "payload.other-image"),
        ("by a stranger", &shop, false, "signature.unknown-key"),
    ] {
        let scene = Scene::with_builder(members, &built(""));
        let key = if by_builder { &scene.builder } else { &stranger };
        let envelope = signed_statement(&provenance(of), &[key]).to_string();
        let index = carrying(&[(dsse, envelope.into_bytes())]);
        scene.registry.put_image("acme/shop", "1.4", &index);
        let pinned = scene.image(&format!("acme/shop@{}", index.digest()));
        let said = scene.ask(Phase::Validate, &[&pinned]).await;
        assert_eq!(said.allowed, want.is_empty(), "{name}: {}", said.message);
        assert!(said.message.contains(want), "{name}: {}", said.message);
        let input = scene.input(&pinned).await;
        if want.is_empty() {
            let attestation = &input["images"][0]["attestations"][0];
            assert_eq!(attestation["source"], "index", "{name}");
            assert_eq!(attestation["format"], "dsse", "{name}");
        }
        assert_eq!(input["images"][0]["statements"], json!([]), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p8_a_flood_in_an_index_is_a_failure() {
    let shop = image("shop").build();
    let flood = (0..65).map(|at| ("application/vnd.in-toto+json", format!("{at}").into_bytes()));
    let flooded = carrying(&flood.collect::<Vec<_>>());
    let large = carrying(&[("application/vnd.in-toto+json", vec![b' '; (8 << 20) + 1])]);
    let mut many = index([&shop]);
    for at in 0..17 {
        many = many.attested(&shop, &[json!({"predicateType": V1, "at": at})]);
    }
    let mut hidden = index([&shop]);
    for _ in 0..512 {
        hidden = hidden.attested(&shop, &[]);
    }
    let hidden = hidden.and(&image("hidden").build()).build();
    for (name, index, want) in [
        ("layers", flooded, "more than 64 statements about one platform"),
        ("bytes", large, "more than 8388608 bytes of a blob"),
        ("carriers", many.build(), "more than 16 attestation manifests for one platform"),
        ("an image behind a flood", hidden, "its index holds more than 512 entries"),
    ] {
        let (scene, pinned) = scene(EMBEDDED, &built(""), &index);
        scene.attest(&index);
        let said = scene.ask(Phase::Validate, &[&pinned]).await;
        assert_eq!(said.audit("codes"), "evidence.too-much", "{name}: {}", said.message);
        assert!(said.message.contains(want), "{name}: {}", said.message);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p6_indexes_do_not_share_what_they_say() {
    let shop = image("shop").build();
    let with = index([&shop]).attested(&shop, &[provenance(&shop)]).build();
    let without = index([&shop]).build();
    let (scene, pinned) = scene(EMBEDDED, &built(""), &with);
    scene.registry.put_image("acme/shop", "2", &without);
    scene.attest(&with);
    scene.attest(&without);
    let bare = scene.image(&format!("acme/shop@{}", without.digest()));
    for _ in 0..2 {
        assert!(scene.ask(Phase::Validate, &[&pinned]).await.allowed);
        let said = scene.ask(Phase::Validate, &[&bare]).await;
        assert_eq!(said.audit("codes"), "built.missing", "{}", said.message);
    }
}
