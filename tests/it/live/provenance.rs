//! A build of BuildKit's from git, its statement signed over by us, and the rule that reads it.

use serde_json::json;

use crate::{
    cli::{Desk, stderr},
    live::{buildkit::FILES, verdict},
    peer::{BuildKit, DockerRegistry, GitDaemon, OciServe},
};

/// What covers the statements of an index that the builder signs.
const EMBEDDED: &str = r#"attests: [simple-signing, "embedded:https://slsa.dev/provenance/v1", "embedded:https://slsa.dev/provenance/v0.2"]"#;
const FUNCTION: &str = "attests: [simple-signing]";

#[test]
#[ignore = "needs buildkitd, git, ociserve and docker-registry"]
fn p4_a_real_build_is_judged_by_the_statement_that_our_signature_covers() {
    let (new, old) = (OciServe::start(), DockerRegistry::start());
    let hosts = [new.host(), old.host()];
    let (buildkit, git, desk) = (BuildKit::start(&hosts), GitDaemon::start(&FILES), Desk::new());
    for (tag, options, artifact) in
        [("v1", "mode=max", "true"), ("v02", "mode=max,version=v0.2", "false")]
    {
        let images = hosts.map(|host| format!("{host}/acme/shop:{tag}"));
        let built = buildkit.build(&[
            "--opt",
            &format!("context={}#refs/heads/main", git.url()),
            "--opt",
            &format!("attest:provenance={options},builder-id=https://ci.acme.example/builder"),
            "--output",
            &format!("type=image,push=true,\"name={}\",oci-artifact={artifact}", images.join(",")),
        ]);
        desk.write("metadata.json", &built.to_string());

        configure(&desk, &hosts, EMBEDDED, "");
        for image in &images {
            let said = verdict::ask(&desk, image);
            assert_eq!(said.codes, ["built.missing"], "{image}, unsigned: {said:#?}");
        }
        let own = hosts.map(|host| format!("{host}/acme/**"));
        let signed = desk.run(&[
            "sign",
            "--metadata-file",
            "metadata.json",
            "--repository",
            &own[0],
            "--repository",
            &own[1],
            "--key",
            "builder.key",
            "--attach",
        ]);
        assert!(signed.status.success(), "{tag}: {}", stderr(&signed));

        for (name, attests, parameters, want) in cases(&git) {
            configure(&desk, &hosts, attests, &parameters);
            for image in &images {
                let said = verdict::ask(&desk, image);
                assert_eq!(said.codes, want, "{image}, {name}: {said:#?}");
                assert_eq!(said.allowed, want.is_empty(), "{image}, {name}");
            }
        }
        configure(&desk, &hosts, EMBEDDED, "");
        for image in &images {
            let said = verdict::evidence(&desk, image);
            let statement = &said["images"][0]["statements"][0];
            assert_eq!(statement["authority"], "builder", "{image}: {said:#}");
            let digest = &said["images"][0]["platform"]["digest"];
            let subject = json!({"repository": null, "digest": digest, "level": "manifest"});
            assert_eq!(statement["subject"], subject, "{image}");
        }
    }
}

/// What is asked of the build, and what the gate finds wrong with it.
fn cases(git: &GitDaemon) -> Vec<(&'static str, &'static str, String, Vec<&'static str>)> {
    let (url, revision) = (git.url(), git.revision());
    let other = "0123456789abcdef0123456789abcdef01234567";
    vec![
        ("any", EMBEDDED, String::new(), vec![]),
        ("function only", FUNCTION, String::new(), vec!["built.missing"]),
        (
            "all",
            EMBEDDED,
            format!(
                r#"builders: ["https://ci.acme.example/builder"], repositories: ["{url}"], branches: [main], revisions: ["{revision}"], revisionRecorded: true"#
            ),
            vec![],
        ),
        (
            "another builder",
            EMBEDDED,
            r#"builders: ["https://ci.acme.example/other"]"#.to_owned(),
            vec!["built.otherwise"],
        ),
        (
            "another repository",
            EMBEDDED,
            r#"repositories: ["https://git.acme.example/shop"]"#.to_owned(),
            vec!["built.otherwise"],
        ),
        ("another branch", EMBEDDED, "branches: [release]".to_owned(), vec!["built.otherwise"]),
        (
            "another revision",
            EMBEDDED,
            format!(r#"revisions: ["{other}"]"#),
            vec!["built.otherwise"],
        ),
    ]
}

fn configure(desk: &Desk, hosts: &[&str], attests: &str, parameters: &str) {
    let authority = format!("{{name: builder, keys: [{{openpgp: builder.asc}}], {attests}}}");
    let comma = if parameters.is_empty() { "" } else { ", " };
    let rule = format!("{{use: built, parameters: {{authorities: [builder]{comma}{parameters}}}}}");
    verdict::configure(desk, hosts, &authority, &rule);
}
