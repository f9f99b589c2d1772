//! One build of BuildKit's, through every carrier.

use std::{fs, path::Path, process::Command};

use countersign_kit::{Engine, EngineKind};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    layout::{same, vector},
    live::verdict,
    peer::{BuildKit, DockerRegistry, OciServe},
};

const V1: &str = "https://slsa.dev/provenance/v1";
const V02: &str = "https://slsa.dev/provenance/v0.2";
const BUILDER: &str = "https://ci.acme.example/builder";

/// What is built: it runs nothing, so that it can be built for any platform.
pub const FILES: [(&str, &str); 2] =
    [("Dockerfile", "FROM scratch\nCOPY shop.txt /\n"), ("shop.txt", "open\n")];

/// How a build is asked for, and what it says then.
struct Case {
    name: &'static str,
    options: &'static [&'static str],
    kind: &'static str,
    builder: &'static str,
    source: Value,
    platforms: usize,
}

fn cases() -> [Case; 6] {
    let case = |name, options, kind, builder| Case {
        name,
        options,
        kind,
        builder,
        source: Value::Null,
        platforms: 1,
    };
    [
        case("as it comes", &["attest:provenance="], V1, ""),
        case("max", &["attest:provenance=mode=max"], V1, ""),
        case("the older version", &["attest:provenance=mode=max,version=v0.2"], V02, ""),
        case(
            "builder",
            &["attest:provenance=mode=min,builder-id=https://ci.acme.example/builder"],
            V1,
            BUILDER,
        ),
        Case {
            source: "https://git.acme.example/shop".into(),
            ..case(
                "sources by the caller's word",
                &[
                    "attest:provenance=mode=max,builder-id=https://ci.acme.example/builder",
                    "vcs:source=https://git.acme.example/shop",
                    "vcs:revision=0123456789abcdef0123456789abcdef01234567",
                ],
                V1,
                BUILDER,
            )
        },
        Case {
            platforms: 2,
            ..case(
                "two platforms",
                &["attest:provenance=mode=min", "platform=linux/amd64,linux/arm64"],
                V1,
                "",
            )
        },
    ]
}

impl Case {
    /// Holds the statements of each platform against what was asked for.
    fn check(&self, name: &str, platforms: &[Value]) {
        assert_eq!(platforms.len(), self.platforms, "{name}: {platforms:#?}");
        for platform in platforms {
            assert_eq!(platform["rejected"], json!([]), "{name}");
            let [statement] = platform["statements"].as_array().unwrap().as_slice() else {
                panic!("{name}: {platform:#}");
            };
            assert_eq!(statement["predicateType"], self.kind, "{name}");
            assert_eq!(statement["authority"], Value::Null, "{name}: nobody signed");
            let (builder, metadata) = if self.kind == V1 {
                ("/predicate/runDetails/builder/id", "/predicate/runDetails/metadata")
            } else {
                ("/predicate/builder/id", "/predicate/metadata")
            };
            assert_eq!(statement.pointer(builder), Some(&self.builder.into()), "{name}");
            let metadata = statement.pointer(metadata).unwrap();
            let members = metadata.as_object().unwrap().values().chain([metadata]);
            let source = members.map(|member| &member["vcs"]["source"]).find(|it| !it.is_null());
            assert_eq!(source.unwrap_or(&Value::Null), &self.source, "{name}: {metadata:#}");
        }
    }
}

#[test]
#[ignore = "needs buildkitd, ociserve and docker-registry"]
fn one_build_says_the_same_wherever_it_is_put() {
    let (new, old) = (OciServe::start(), DockerRegistry::start());
    let hosts = [new.host(), old.host()];
    let buildkit = BuildKit::start(&hosts);
    let (folder, desk) = (context(), crate::cli::Desk::new());
    desk.write("acme.rego", same::READS);
    let authority = "{name: builder, keys: [{openpgp: builder.asc}]}";
    verdict::configure(&desk, &hosts, authority, "{path: acme.rego, package: acme}");

    for (number, case) in cases().iter().enumerate() {
        for artifact in ["true", "false"] {
            let name = format!("{}, as an artifact: {artifact}", case.name);
            let tag = format!("{number}-{artifact}");
            let images = hosts.map(|host| format!("{host}/acme/shop:{tag}"));
            let out = TempDir::new().unwrap();
            let built = build(&buildkit, folder.path(), case, artifact, &images, out.path());
            let digest = built["containerimage.digest"].as_str().unwrap();

            let registries = images.each_ref().map(|image| verdict::evidence(&desk, image));
            let [want, other] = registries.each_ref().map(same::told);
            assert_eq!(other, want, "{name}: in {} as in {}", images[1], images[0]);
            case.check(&name, &want);

            let (tar, layout) = (out.path().join("shop.tar"), out.path().join("layout"));
            let content = vector::content_of(&tar);
            assert_eq!(content.digest(), digest, "{name}");
            let socket = out.path().join("docker.sock");
            let engine = Engine::start(&socket, EngineKind::Containerd, &[("shop:1", &content)]);
            for place in [
                format!("oci:{}", layout.display()),
                format!("oci-archive:{}", tar.display()),
                format!("docker-archive:{}", tar.display()),
                "docker://shop:1".to_owned(),
            ] {
                let told = same::told(&on_this_machine(&place, &engine.host()));
                assert_eq!(told, want, "{name}: as {place}");
            }
        }
    }
}

/// What `docker load` takes from BuildKit has no room for statements.
#[test]
#[ignore = "needs buildkitd"]
fn an_archive_for_docker_says_nothing() {
    let (buildkit, folder) = (BuildKit::start(&[]), context());
    let tar = folder.path().join("shop.tar");
    let output = format!("type=docker,name=acme.example/shop:1,dest={}", tar.display());
    let built = buildkit.build_folder(folder.path(), &["--output", &output]);
    for place in ["docker-archive", "oci-archive"] {
        let seen = on_this_machine(&format!("{place}:{}", tar.display()), "");
        assert_eq!(seen["images"][0]["digest"], built["containerimage.digest"], "{place}");
        let told = same::told(&seen);
        assert_eq!((told.len(), &told[0]["statements"]), (1, &json!([])), "{place}: {told:?}");
        assert_eq!(told[0]["lookup"], "none", "{place}");
    }
}

/// A folder with what is built.
fn context() -> TempDir {
    let folder = TempDir::new().unwrap();
    for (file, text) in FILES {
        fs::write(folder.path().join(file), text).unwrap();
    }
    folder
}

/// Builds once, to a layout, its archive, and the registries.
fn build(
    buildkit: &BuildKit,
    context: &Path,
    case: &Case,
    artifact: &str,
    images: &[String],
    out: &Path,
) -> Value {
    let out = out.display();
    // One name for all, since BuildKit's statements name what they are about by it.
    let named = format!("\"name={}\",oci-artifact={artifact}", images.join(","));
    let outputs = [
        format!("type=oci,dest={out}/shop.tar,{named}"),
        format!("type=oci,tar=false,dest={out}/layout,{named}"),
        format!("type=image,push=true,{named}"),
    ];
    let outputs = outputs.iter().flat_map(|output| ["--output", output]);
    let options = case.options.iter().flat_map(|option| ["--opt", option]);
    buildkit.build_folder(context, &options.chain(outputs).collect::<Vec<_>>())
}

fn on_this_machine(place: &str, docker_host: &str) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    command.args(["evidence", place]).env("DOCKER_HOST", docker_host);
    let printed = crate::peer::run(command.env_remove("COUNTERSIGN_CONFIG"));
    serde_json::from_str(&printed).unwrap()
}
