//! What can be wrong with policies and with the ways past them.

use super::contents::Mistake;

/// What is changed in `serve.yaml`, to what, and all errors that follow.
pub const WRONG: &[Mistake] = &[
    // Policies.
    (
        "name: everywhere",
        "name: production",
        &["serve.yaml:82: policy \"production\" stands on line 70 too; give each its own name"],
    ),
    (
        "rules: [{use: registries, parameters: {allow: [\"registry.example/acme/**\"]}}]",
        "rules: []",
        &[
            "serve.yaml:82: `rules` is empty, so that every image would pass; name at least one rule",
        ],
    ),
    (
        "[\"prod-*\"]",
        "[\"Prod\"]",
        &[
            "serve.yaml:72: \"Prod\" is no namespace; write at most 63 of a to z, 0 to 9 and -, and * for any of them",
        ],
    ),
    (
        "images: [\"registry.example/**\"]",
        "images: []",
        &["serve.yaml:73: `match.images` is empty; leave it out to mean all, or name some"],
    ),
    (
        "authorities: [builder, qa]",
        "authorities: [builder, qaa]",
        &["serve.yaml:76: there is no authority \"qaa\"; did you mean \"qa\"?"],
    ),
    (
        "authorities: [builder, qa], atLeast: 2",
        "authorities: []",
        &[
            "serve.yaml:76: `authorities` is empty, so that nothing would be asked for; name at least one",
        ],
    ),
    (
        "atLeast: 2",
        "atLeast: 0",
        &["serve.yaml:76: `atLeast: 0` of 2 authorities; it must be from 1 to 2"],
    ),
    (
        "atLeast: 2",
        "atLeast: 3",
        &["serve.yaml:76: `atLeast: 3` of 2 authorities; it must be from 1 to 2"],
    ),
    (
        "atLeast: 2",
        "atleast: 2",
        &["serve.yaml:75: a rule of policy \"production\" does not load: parameters of rule "],
    ),
    (
        "use: attested",
        "use: atested",
        &[
            "serve.yaml:75: a rule of policy \"production\" does not load: the library has no rule atested; it has ",
        ],
    ),
    (
        "      - use: attested ",
        "      - path: x\n        use: attested ",
        &["serve.yaml:75: a rule is `use` of the library, or `path` and `package` of your own"],
    ),
    (
        "path: policies/reviewed.rego",
        "path: policies/gone.rego",
        &[
            "serve.yaml:77: a rule of policy \"production\" does not load: policies/gone.rego: cannot be read; check the path and its permissions: No such file or directory (os error 2)",
        ],
    ),
    (
        "path: policies/reviewed.rego",
        "path: policies/broken.rego",
        &["serve.yaml:77: a rule of policy \"production\" does not load: policies/broken.rego:3:"],
    ),
    (
        "package: acme.reviewed",
        "package: acme.review",
        &[
            "serve.yaml:77: a rule of policy \"production\" does not load: no file declares package acme.review; these packages were found: acme.reviewed",
        ],
    ),
    (
        "branches: [main], ",
        "branch: main, ",
        &["serve.yaml:77: a rule of policy \"production\" does not load: parameters of rule "],
    ),
    // The ways past a policy.
    ("revoked: [\"sha256:51", "revoked: [\"sha256:X1", &["serve.yaml:87: digest \""]),
    (
        "old@sha256:3b1c0a",
        "old:1@sha256:3b1c0a",
        &["serve.yaml:89: \"registry.example/acme/old:1@sha256:"],
    ),
    (
        "until: 2026-12-31T00:00:00Z, reason",
        "until: next week, reason",
        &["serve.yaml:89: \"next week\" is no time; write it as 2026-12-31T00:00:00Z"],
    ),
    (
        "reason: \"rebuilt next week, OPS-17\"",
        "reason: \"\"",
        &["serve.yaml:89: `reason` is empty; it goes to the log"],
    ),
    (
        "groups: [\"acme:oncall\"]",
        "groups: []",
        &["serve.yaml:91: break-glass names no group; name those who are on call, or leave it out"],
    ),
    (
        "acme:oncall",
        "system:authenticated",
        &[
            "serve.yaml:91: everybody is in group \"system:authenticated\"; name those who are on call",
        ],
    ),
    (
        "acme:oncall",
        "system:unauthenticated",
        &[
            "serve.yaml:91: everybody is in group \"system:unauthenticated\"; name those who are on call",
        ],
    ),
    (
        "acme:oncall",
        "system:serviceaccounts",
        &[
            "serve.yaml:91: group \"system:serviceaccounts\" is of service accounts or nodes; break-glass is for people",
        ],
    ),
    (
        "acme:oncall",
        "system:serviceaccounts:kube-system",
        &[
            "serve.yaml:91: group \"system:serviceaccounts:kube-system\" is of service accounts or nodes; break-glass is for people",
        ],
    ),
];
