//! What a rule reads is told from its text, and what the text leaves open counts as read.

use countersign::policy::{Bundle, Reads, Rule};
use serde_json::json;

const NOTHING: Reads = Reads {
    object: false,
    config: false,
    statements: false,
    metadata: false,
    request: false,
    time: false,
};
const REQUEST: Reads = Reads { request: true, ..NOTHING };
const OBJECT: Reads = Reads { object: true, ..REQUEST };
const CONFIG: Reads = Reads { config: true, ..NOTHING };
const STATEMENTS: Reads = Reads { statements: true, ..NOTHING };
const METADATA: Reads = Reads { metadata: true, ..NOTHING };
const ANY_MEMBER: Reads = Reads { statements: true, metadata: true, ..CONFIG };
const TIME: Reads = Reads { time: true, ..NOTHING };

#[test]
fn what_a_rule_reads() {
    for (name, body, want) in [
        ("nothing", "1 == 1", NOTHING),
        ("images", "some image in input.images; image.digest == \"x\"", NOTHING),
        ("attestations", "input.images[_].attestations[i].authority == \"qa\"; i > 7", NOTHING),
        (
            "members by name of a variable",
            "some k in [\"a\"]; some image in input.images; image.metadata[k]",
            METADATA,
        ),
        ("metadata in brackets", "input.images[_][\"metadata\"].approval[0].value", METADATA),
        (
            "metadata got by name",
            "some image in input.images; object.get(image, \"metadata\", {}) == {}",
            METADATA,
        ),
        (
            "config of the platform",
            "some image in input.images; image.platform.config == \"x\"",
            NOTHING,
        ),
        ("config", "some image in input.images; image.config.user == \"0\"", CONFIG),
        ("statements", "input.images[_].statements[_].name == \"x\"", STATEMENTS),
        (
            "statements of a variable",
            "some image in input.images; some s in image.statements; s.name == \"x\"",
            STATEMENTS,
        ),
        (
            "statements got by name",
            "some image in input.images; object.get(image, \"statements\", []) == []",
            STATEMENTS,
        ),
        (
            "config in brackets",
            "some image in input.images; image[\"config\"].user == \"0\"",
            CONFIG,
        ),
        ("config of an index", "input.images[_].config.user == \"0\"", CONFIG),
        (
            "any member",
            "some k in [\"x\"]; some image in input.images; image[k] == \"0\"",
            ANY_MEMBER,
        ),
        ("any member of an index", "some k in [\"x\"]; input.images[_][k] == \"0\"", ANY_MEMBER),
        ("pairs", "some image in input.images; some k, v in image; k == v", ANY_MEMBER),
        ("whole", "some image in input.images; json.marshal(image) == \"x\"", ANY_MEMBER),
        ("got by name", "some image in input.images; object.get(image, \"tag\", 1) == 2", NOTHING),
        (
            "got by any name",
            "some k in [\"x\"]; some image in input.images; object.get(image, k, 1) == 2",
            ANY_MEMBER,
        ),
        ("namespace", "input.request.namespace == \"x\"", REQUEST),
        ("object", "input.request.object.spec", OBJECT),
        ("old object", "input.request[\"oldObject\"].spec", OBJECT),
        ("request by a name", "r := input.request; r.object.spec", Reads { time: true, ..OBJECT }),
        (
            "request by any name",
            "some k in [\"object\"]; input.request[k].spec",
            Reads { time: true, ..OBJECT },
        ),
        ("time", "input.request.time == \"x\"", Reads { time: true, ..REQUEST }),
        ("clock", "time.now_ns() < 0", TIME),
        ("chance", "rand.intn(\"a\", 3) == 7", TIME),
        ("all", "x := input; x.y", Reads::ALL),
        ("any part", "some k in [\"request\"]; input[k].object", Reads::ALL),
        ("in a comprehension", "count([1 | input.request.object.spec]) == 7", OBJECT),
        ("in a negation", "not input.request.object.spec == 1; 1 == 2", OBJECT),
    ] {
        let text = format!("package a\n\ndeny contains \"x\" if {{ {body} }}\n");
        let rule = Rule::load(&Bundle::of_text("a.rego", &text), "a", &json!({})).unwrap();
        assert_eq!(rule.reads(), want, "{name}");
    }
    let imported =
        "package a\n\nimport input.request as r\n\ndeny contains \"x\" if r.object.spec == 1\n";
    let rule = Rule::load(&Bundle::of_text("a.rego", imported), "a", &json!({})).unwrap();
    assert_eq!(rule.reads(), Reads { time: true, ..OBJECT });
    let passed = "package a\n\ndeny contains \"x\" if { some i in input.images; f(i) }\n\nf(i) if i.config.user == \"0\"\n";
    let rule = Rule::load(&Bundle::of_text("a.rego", passed), "a", &json!({})).unwrap();
    assert_eq!(rule.reads(), CONFIG);
}
