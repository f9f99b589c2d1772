//! The rules `profile` and `contact` on metadata that the command put there, for Pods as people
//! write them.

use std::process::Command;

use super::desk::Desk;
use crate::configuration::{authority, configuration};

fn configure(desk: &Desk, rules: &str) {
    let qa = authority("qa", "attests: [\"metadata/*\"]");
    desk.write("countersign.yaml", configuration(&[&desk.registry.host()], &qa, "qa", rules));
}

/// What the gate says of a Pod; nothing where it lets it in.
fn judged(desk: &Desk, metadata: &str, spec: &str) -> String {
    desk.write(
        "pod.yaml",
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: shop{metadata}}}\n\
             spec: {{{spec}containers: [{{name: shop, image: \"{}\"}}]}}\n",
            desk.image()
        ),
    );
    let output = Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(["verify", "-f", "pod.yaml", "--config", "countersign.yaml"])
        .current_dir(desk.path("."))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    if output.status.success() { String::new() } else { said }
}

#[test]
fn a_pod_runs_under_the_profiles_that_its_image_was_made_for() {
    let desk = Desk::new();
    configure(&desk, "{use: profile, parameters: {authorities: [qa]}}");
    let pod = |profile: &str| format!("securityContext: {{{profile}}}, ");
    let default = pod("seccompProfile: {type: RuntimeDefault}");
    assert!(judged(&desk, "", &default).contains("(profile.missing)"));
    desk.write(
        "profile.json",
        r#"{"seccompProfile": {"type": "RuntimeDefault"}, "appArmorProfile": {"type": "Localhost", "localhostProfile": "shop"}}"#,
    );
    desk.run("put IMAGE profile profile.json --key stranger.key").good();
    assert!(judged(&desk, "", &default).contains("(profile.missing)"), "by nobody's key");
    desk.run("put IMAGE profile profile.json --key ann.key").good();
    let annotated =
        ", annotations: {container.apparmor.security.beta.kubernetes.io/shop: localhost/shop}";
    let armor = "appArmorProfile: {type: Localhost, localhostProfile: shop}";
    for (name, metadata, spec, want) in [
        ("both", "", pod(&format!("seccompProfile: {{type: RuntimeDefault}}, {armor}")), ""),
        ("AppArmor by its old annotation", annotated, default.clone(), ""),
        ("no AppArmor", "", default.clone(), "appArmorProfile of container shop"),
        (
            "another local profile",
            "",
            pod(
                "seccompProfile: {type: RuntimeDefault}, appArmorProfile: {type: Localhost, localhostProfile: other}",
            ),
            "appArmorProfile of container shop",
        ),
        (
            "unconfined",
            "",
            pod(&format!("seccompProfile: {{type: Unconfined}}, {armor}")),
            "seccompProfile of container shop",
        ),
        ("nothing", "", String::new(), "(profile.otherwise)"),
    ] {
        let said = judged(&desk, metadata, &spec);
        match want {
            "" => assert_eq!(said, "", "{name}"),
            want => assert!(said.contains(want), "{name}: {said}"),
        }
    }
}

#[test]
fn an_image_says_whom_to_ask() {
    let desk = Desk::new();
    configure(&desk, "{use: contact, parameters: {authorities: [qa]}}");
    assert!(judged(&desk, "", "").contains("(contact.missing)"));
    desk.write("contact.json", r#"{"team": "shop", "chat": "shop-oncall"}"#);
    desk.run("put IMAGE contact contact.json").good();
    assert!(judged(&desk, "", "").contains("(contact.missing)"), "nobody signed it");
    desk.run("put IMAGE contact contact.json --key bob.key").good();
    assert_eq!(judged(&desk, "", ""), "");
}
