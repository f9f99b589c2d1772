//! What rules read of an image's configuration is what a node runs it by.

use countersign::admission::Phase;
use countersign_kit::image;
use serde_json::json;
use tempfile::TempDir;

use crate::scene::Scene;

const ROOT: &str = "package acme\n\ndeny contains violation if {\n\tsome image in input.images\n\timage.config.user != \"65532\"\n\tviolation := {\"code\": \"acme.root\", \"image\": image.path, \"msg\": \"it runs as root\"}\n}\n";

/// Two values for one name, where a tag says so.
const CONFLICT: &str = "package acme\n\nage := \"new\"\n\nage := \"old\" if {\n\tsome image in input.images\n\timage.tag == \"old\"\n}\n\ndeny contains \"it is old\" if age == \"old\"\n";

/// Sixteen times as long a text, again and again.
const GREEDY: &str = "package acme\n\nlonger(text) := concat(\"\", [x | some n in [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]; x := text; n > 0])\n\ndeny contains \"it is long\" if {\n\tsome image in input.images\n\tstartswith(image.tag, \"long\")\n\tcount(longer(longer(longer(longer(longer(longer(longer(image.tag)))))))) == 1\n}\n";

#[tokio::test(flavor = "multi_thread")]
async fn p7_a_rule_that_goes_wrong_denies_with_its_code() {
    for (name, rule, tag, want) in [
        ("one value", CONFLICT, "new", ""),
        ("two values", CONFLICT, "old", "policy.error"),
        ("little memory", GREEDY, "short", ""),
        ("much memory", GREEDY, "long-and-longer-and-longer", "policy.memory"),
    ] {
        let rules = TempDir::new().unwrap();
        let file = rules.path().join("acme.rego");
        std::fs::write(&file, rule).unwrap();
        let policies = format!(
            "  - {{name: wrong, match: {{}}, mode: enforce, rules: [{{path: {}, package: acme}}]}}",
            file.display()
        );
        let scene = Scene::with("", &policies);
        let shop = image("shop").build();
        scene.registry.put_image("acme/shop", tag, &shop);
        let by_tag = scene.image(&format!("acme/shop:{tag}"));
        let said = scene.ask(Phase::Mutate, &[&by_tag]).await;
        assert_eq!(said.audit("codes"), want, "{name}: {}", said.message);
        let told = said.message.ends_with("; ask whoever wrote the rule");
        assert_eq!(told, !want.is_empty(), "{name}: {}", said.message);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p4_a_user_that_a_runtime_reads_otherwise_is_none_that_counts() {
    let rules = TempDir::new().unwrap();
    let rule = rules.path().join("acme.rego");
    std::fs::write(&rule, ROOT).unwrap();
    let policies = format!(
        "  - {{name: nonroot, match: {{}}, mode: enforce, rules: [{{path: {}, package: acme}}]}}",
        rule.display()
    );
    let user = |name| image("shop").config(name, json!("65532"));
    for (name, shop, want) in [
        ("another user than root", user("User"), ""),
        ("root", image("shop"), "acme.root"),
        ("root in another case", user("User").config("user", json!("0")), "image.unsupported"),
        ("a user in another case", user("USER"), "image.unsupported"),
    ] {
        let scene = Scene::with("", &policies);
        let shop = shop.build();
        scene.registry.put_image("acme/shop", "1.4", &shop);
        let pinned = scene.image(&format!("acme/shop@{}", shop.digest()));
        let said = scene.ask(Phase::Validate, &[&pinned]).await;
        assert_eq!(said.audit("codes"), want, "{name}: {}", said.message);
        let told = said
            .message
            .ends_with("; push it with a client that writes each member once, as OCI spells it");
        assert_eq!(told, want == "image.unsupported", "{name}: {}", said.message);
    }
}
