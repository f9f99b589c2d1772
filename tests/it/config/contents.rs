//! Everything that can be wrong with the contents, told with line and remedy.

use super::{
    folder::{Folder, SERVE},
    policies,
};

/// What is changed, to what, and all errors that follow.
pub type Mistake = (&'static str, &'static str, &'static [&'static str]);

/// What is changed in `serve.yaml`, to what, and all errors that follow.
const WRONG: &[Mistake] = &[
    (
        "unmatched: deny",
        "# unmatched: deny",
        &[
            "serve.yaml: `unmatched` is missing; say `deny` or `allow` for images that no policy enforces",
        ],
    ),
    (
        "admission: 0.0.0.0:8443",
        "admission: localhost:8443",
        &["serve.yaml:4: \"localhost:8443\" is no address to listen on; write it as 0.0.0.0:8443"],
    ),
    (
        "deadline: 8s",
        "deadline: 1h",
        &[
            "serve.yaml:10: `deadline` must be from 100ms to 30s, the longest that the API server waits",
        ],
    ),
    (
        "[linux/amd64, linux/arm64]",
        "[linux, linux/arm/v7]",
        &["serve.yaml:13: \"linux\" is no platform; write it as linux/amd64 or linux/arm/v7"],
    ),
    (
        "images: 500",
        "images: 0",
        &[
            "serve.yaml:19: `limits.images` is 0, so nothing would ever be answered; leave it out for the default",
        ],
    ),
    // Registries.
    (
        "[\"registry.example/acme/**\", \"docker.io/library/*\"]",
        "[]",
        &[
            "serve.yaml:22: `registries.allow` names no repository, so no image could ever be looked at; name those that may be asked",
        ],
    ),
    (
        "\"docker.io/library/*\"]",
        "\"library/*\"]",
        &[
            "serve.yaml:22: pattern \"library/*\" names no registry; write it as host/path, docker.io for Docker Hub",
        ],
    ),
    (
        "host: 127.0.0.1:5000",
        "host: http://127.0.0.1:5000",
        &[
            "serve.yaml:31: \"http://127.0.0.1:5000\" is no host; write it as image references do, with its port: registry.example",
        ],
    ),
    (
        "host: 127.0.0.1:5000",
        "host: 127.0.0.1:70000",
        &[
            "serve.yaml:31: \"127.0.0.1:70000\" is no host; write it as image references do, with its port: registry.example",
        ],
    ),
    (
        "host: 127.0.0.1:5000",
        "host: Registry.Example",
        &["serve.yaml:31: host \"registry.example\" stands on line 24 too; give each its own name"],
    ),
    (
        "mirror.example/cache",
        "https://mirror.example/cache",
        &[
            "serve.yaml:29: \"https://mirror.example/cache\" is no mirror; write it as host or host/prefix, without scheme",
        ],
    ),
    (
        "https://auth.example/token",
        "http://auth.example/token",
        &[
            "serve.yaml:28: \"http://auth.example/token\" is no URL that can be asked here; it must be https, without user, query or fragment",
        ],
    ),
    (
        "https://sigs.example/registry",
        "file:///sigs",
        &[
            "serve.yaml:30: \"file:///sigs\" is no URL that can be asked here; it must be https or http, without user, query or fragment",
        ],
    ),
    (
        "{username: ci, passwordFile: creds/password}",
        "{username: ci}",
        &["serve.yaml:33: a credential is `dockerConfig`, or `username` and `passwordFile`"],
    ),
    (
        "dockerConfig: creds/config.json",
        "dockerConfig: creds/gone.json",
        &[
            "serve.yaml:27: creds/gone.json: cannot be read; check the path and its permissions: No such file or directory (os error 2)",
        ],
    ),
    (
        "ca: tls/registry-ca.crt",
        "ca: keys/qa.pem",
        &["serve.yaml:25: keys/qa.pem: holds no certificate in PEM"],
    ),
    // Stores.
    (
        "url: https://grafeas.example:8443",
        "url: grafeas.example:8443",
        &[
            "serve.yaml:37: \"grafeas.example:8443\" is no URL that can be asked here; it must be https or http, without user, query or fragment",
        ],
    ),
    (
        "url: https://containeranalysis.googleapis.com",
        "url: http://containeranalysis.googleapis.com",
        &["serve.yaml:47: the token would go over plain HTTP; use https, or no token"],
    ),
    (
        "url: https://containeranalysis.googleapis.com",
        "url: https://googleapis.com.evil.example",
        &[
            "serve.yaml:47: `google: true` is for *.googleapis.com only; give other stores a token of their own by `file`",
        ],
    ),
    (
        "project: projects/acme-prod",
        "project: acme-prod",
        &["serve.yaml:46: \"acme-prod\" is not a project; write it as projects/<project>"],
    ),
    (
        "projects/image-build/notes/*",
        "projects/image-build/*",
        &[
            "serve.yaml:40: \"projects/image-build/*\" means no notes; write it as projects/<project>/notes/*",
        ],
    ),
    (
        "name: artifact-analysis",
        "name: grafeas",
        &["serve.yaml:43: store \"grafeas\" stands on line 36 too; give each its own name"],
    ),
    (
        "name: artifact-analysis",
        "name: tags",
        &["serve.yaml:43: \"tags\" is what another source is called; give the store its own name"],
    ),
    (
        "key: tls/grafeas-client.key",
        "key: tls/grafeas-client.crt",
        &[
            "serve.yaml:42: tls/grafeas-client.crt: holds no private key in PEM without a passphrase",
        ],
    ),
    // Authorities.
    (
        "keys: [{openpgp: keys/builder.asc}] ",
        "keys: [] ",
        &[
            "serve.yaml:50: `keys` is empty, so nothing could ever count for this authority; name a file of keys",
        ],
    ),
    (
        "openpgp: keys/builder.asc",
        "openpgp: keys/bulider.asc",
        &[
            "serve.yaml:51: keys/bulider.asc: cannot be read; check the path and its permissions: No such file or directory (os error 2)",
        ],
    ),
    (
        "openpgp: keys/builder.asc",
        "openpgp: keys/secret.asc",
        &[
            "serve.yaml:51: keys/secret.asc: holds no key that an authority can have: it holds a secret key, which has no business here; give the certificate, as `gpg --armor --export FINGERPRINT` writes it",
        ],
    ),
    (
        "openpgp: keys/builder.asc",
        "openpgp: keys/empty.asc",
        &[
            "serve.yaml:51: keys/empty.asc: holds no key that an authority can have: no OpenPGP certificate in it; export one with `gpg --armor --export FINGERPRINT`",
        ],
    ),
    (
        "pkix: keys/qa.pem",
        "pkix: keys/qa.asc",
        &[
            "serve.yaml:57: keys/qa.asc: holds no key that an authority can have: no public key in PEM; write it with `openssl pkey -pubin` or `cosign public-key`",
        ],
    ),
    (
        "projects/image-build/notes/built",
        "image-build/built",
        &[
            "serve.yaml:52: \"image-build/built\" is not a note; write it as projects/<project>/notes/<note>",
        ],
    ),
    (
        "attests: [image-id]",
        "attests: [image_id]",
        &[
            "serve.yaml:64: \"image_id\" is nothing that an authority can attest; write simple-signing, image-id, notation, metadata/<type>, metadata/*, the URI of a predicate type, or embedded:<URI>",
        ],
    ),
    (
        "attests: [image-id]",
        "attests: []",
        &[
            "serve.yaml:64: `attests` is empty, so nothing could ever count for this authority; leave it out for simple-signing, or name some",
        ],
    ),
    (
        "sources: [grafeas, referrers]",
        "sources: [grafaes, referrers]",
        &["serve.yaml:55: there is no source \"grafaes\"; did you mean \"grafeas\"?"],
    ),
    (
        "name: legacy",
        "name: qa",
        &["serve.yaml:61: authority \"qa\" stands on line 56 too; give each its own name"],
    ),
    (
        "name: legacy",
        "name: Legacy",
        &[
            "serve.yaml:61: \"Legacy\" is no name; use a to z, 0 to 9, `.`, `_` and `-`, and begin with a letter",
        ],
    ),
    (
        "openpgp: keys/legacy.asc",
        "openpgp: keys/qa.asc",
        &["serve.yaml:61: authorities \"qa\" and \"legacy\" hold the same key "],
    ),
    (
        "    identity: digest ",
        "    identities: {\"a.example/x\": \"b.example/x\"}\n    identity: digest ",
        &[
            "serve.yaml:61: `identity: digest` asks for no name, so `identities` say nothing; leave one of them out",
        ],
    ),
    (
        "{\"registry.example/acme/**\": \"build.internal/acme/**\"}",
        "{\"a.example/**\": \"b.example/**\", \"a.example/x\": \"b.example/y\"}",
        &[
            "serve.yaml:59: a.example/** and a.example/x can match the same repository; make them exclude each other",
        ],
    ),
    (
        "\"build.internal/acme/**\"",
        "\"build.internal/acme/*\"",
        &[
            "serve.yaml:59: registry.example/acme/** and build.internal/acme/* have different wildcards; both sides need the same ones in the same order",
        ],
    ),
];

#[test]
fn every_mistake_is_told_with_its_line() {
    let folder = Folder::new();
    folder.write("keys/secret.asc", folder.builder.secret_armored());
    folder.write("keys/empty.asc", "");
    folder.write("policies/broken.rego", "package acme.reviewed\n\ndeny contains if {\n");
    let mut wrong = Vec::new();
    for (from, to, want) in WRONG.iter().chain(policies::WRONG) {
        assert!(SERVE.contains(from), "{from}");
        folder.write("serve.yaml", SERVE.replacen(from, to, 1));
        let errors = folder.load("serve.yaml").err().unwrap_or_default();
        let told = errors.len() == want.len()
            && errors.iter().zip(*want).all(|(error, want)| error.starts_with(want));
        if !told {
            wrong.push(format!("{from} -> {to}\n  found {errors:#?}\n  wanted {want:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
