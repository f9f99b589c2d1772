package countersign.built_test

import data.countersign.built

commit := "0123456789012345678901234567890123456789"

workflow := attestation("https://slsa.dev/provenance/v1", {
	"buildDefinition": {
		"externalParameters": {"workflow": {
			"repository": "https://git.example/acme/shop",
			"ref": "refs/heads/main",
		}},
		"resolvedDependencies": [
			{"uri": "pkg:docker/golang", "digest": {"gitCommit": "ff"}},
			{
				"uri": "git+https://git.example/acme/shop@refs/heads/main",
				"digest": {"gitCommit": commit},
			},
		],
	},
	"runDetails": {"builder": {"id": "https://ci.example/builder"}},
})

v1_from(uri) := attestation("https://slsa.dev/provenance/v1", {
	"buildDefinition": {"externalParameters": {"configSource": {"uri": uri, "digest": {"sha1": commit}}}},
	"runDetails": {"builder": {"id": "https://ci.example/builder"}},
})

v02_from(uri) := attestation("https://slsa.dev/provenance/v0.2", {
	"builder": {"id": "https://ci.example/builder"},
	"invocation": {"configSource": {"uri": uri, "digest": {"sha1": commit}}},
	"materials": [{"uri": "git+https://git.example/other@refs/heads/main"}],
})

nameless := attestation("https://slsa.dev/provenance/v0.2", {"builder": {"id": ""}})

silent := attestation("https://slsa.dev/provenance/v1", {})

everything := {
	"authorities": ["builder"],
	"builders": ["https://ci.example/builder"],
	"repositories": ["https://git.example/acme/shop"],
	"branches": ["main"],
	"revisions": [commit],
	"revisionRecorded": true,
}

cases := {
	"workflow": {"found": [workflow], "codes": set()},
	"v0.2": {"found": [v02_from("git+https://git.example/acme/shop@refs/heads/main")], "codes": set()},
	"BuildKit": {"found": [v1_from("https://git.example/acme/shop.git#refs/heads/main")], "codes": set()},
	"no evidence": {"found": [], "codes": {"built.missing"}},
	"nothing named": {"found": [nameless], "codes": {"built.otherwise"}},
	"nothing said": {"found": [silent], "codes": {"built.otherwise"}},
	"another authority": {"found": [object.union(workflow, {"authority": "qa"})], "codes": {"built.missing"}},
	"no provenance": {
		"found": [object.union(workflow, {"predicateType": "simple-signing"})],
		"codes": {"built.missing"},
	},
	"another repository": {
		"found": [v02_from("git+https://git.example/acme/shopping@refs/heads/main")],
		"codes": {"built.otherwise"},
	},
	"another branch": {
		"found": [v02_from("git+https://git.example/acme/shop@refs/heads/maintenance")],
		"codes": {"built.otherwise"},
	},
	"a tag": {
		"found": [v02_from("git+https://git.example/acme/shop@refs/tags/main")],
		"codes": {"built.otherwise"},
	},
	"a branch that looks like two": {
		"found": [v02_from("git+https://git.example/acme/shop@refs/heads/x@refs/heads/main")],
		"codes": {"built.otherwise"},
	},
	"halves of two": {
		"found": [
			v02_from("git+https://git.example/acme/shop@refs/heads/x"),
			v02_from("git+https://git.example/acme/x@refs/heads/main"),
		],
		"codes": {"built.otherwise"},
	},
}

test_cases if {
	every case in cases {
		image := object.union(bare, {"attestations": case.found})
		found := built.deny with input.images as [image] with data.parameters as everything
		{violation.code | some violation in found} == case.codes
	}
}

narrow := {
	"nothing asked for": {"parameters": {}, "count": 0},
	"the builder": {"parameters": {"builders": ["https://ci.example/builder"]}, "count": 0},
	"another builder": {"parameters": {"builders": ["https://ci.example/"]}, "count": 1},
	"an empty builder": {"parameters": {"builders": [""]}, "count": 1},
	"branches by pattern": {"parameters": {"branches": ["release-*", "m*n"]}, "count": 0},
	"another revision": {"parameters": {"revisions": ["ff"]}, "count": 1},
	"repository as git writes it": {"parameters": {"repositories": ["git+https://git.example/acme/shop.git"]}, "count": 0},
	"revision need not be recorded": {"parameters": {"revisionRecorded": false}, "count": 0},
}

test_each_demand_alone if {
	every case in narrow {
		parameters := object.union(case.parameters, {"authorities": ["builder"]})
		image := object.union(bare, {"attestations": [workflow]})
		count(built.deny) == case.count with input.images as [image] with data.parameters as parameters
	}
}

test_empty_names_match_nothing if {
	every demand in ["builders", "repositories", "branches", "revisions"] {
		image := object.union(bare, {"attestations": [nameless]})
		parameters := {"authorities": ["builder"], demand: [""]}
		count(built.deny) == 1 with input.images as [image] with data.parameters as parameters
	}
}

test_revision_that_is_none if {
	short := json.patch(workflow, [{
		"op": "replace",
		"path": "/predicate/buildDefinition/resolvedDependencies/1/digest/gitCommit",
		"value": "main",
	}])
	image := object.union(bare, {"attestations": [short]})
	parameters := {"authorities": ["builder"], "revisionRecorded": true}
	count(built.deny) == 1 with input.images as [image] with data.parameters as parameters
}

test_workflow_without_a_ref if {
	refless := json.patch(workflow, [
		{"op": "remove", "path": "/predicate/buildDefinition/externalParameters/workflow/ref"},
		{
			"op": "replace",
			"path": "/predicate/buildDefinition/resolvedDependencies/1/uri",
			"value": "git+https://git.example/acme/shop",
		},
	])
	image := object.union(bare, {"attestations": [refless]})
	parameters := {"authorities": ["builder"], "revisions": [commit]}
	count(built.deny) == 0 with input.images as [image] with data.parameters as parameters
	on_main := object.union(parameters, {"branches": ["main"]})
	count(built.deny) == 1 with input.images as [image] with data.parameters as on_main
}

test_no_data if {
	image := object.union(bare, {"attestations": [workflow]})
	count(built.deny) == 1 with input.images as [image]
}

test_message if {
	entry := {"source": "grafeas", "code": "key.expired", "detail": "expired"}
	image := object.union(bare, {"rejected": [entry], "platform": on_arm})
	found := built.deny with input.images as [image] with data.parameters as everything
	[violation.msg | some violation in found] == [concat("", [
		"no provenance by any of the authorities for linux/arm64 (rejected: key.expired from grafeas: expired)",
		"; have its pipeline sign one (`countersign sign --predicate FILE --type provenance`)",
	])]
}

test_message_of_another_build if {
	image := object.union(bare, {"platform": on_arm, "attestations": [workflow]})
	found := built.deny with input.images as [image]
		with data.parameters as object.union(everything, {"branches": ["release"]})
	[violation.msg | some violation in found] == [concat("", [
		`no provenance for linux/arm64 is as asked for, it names builder "https://ci.example/builder", `,
		`repository "https://git.example/acme/shop", branch "main", revision "`,
		commit,
		`"; build it as the policy asks`,
	])]
}

attestation(type, predicate) := {"authority": "builder", "predicateType": type, "predicate": predicate}

on_arm := {"os": "linux", "architecture": "arm64"}

bare := {"path": "spec.containers[0].image", "attestations": [], "statements": [], "rejected": []}

pinned_v1 := attestation("https://slsa.dev/provenance/v1", {
	"buildDefinition": {
		"externalParameters": {"request": {"frontend": "dockerfile.v0", "args": {"target": "release"}}},
		"resolvedDependencies": [{"uri": "pkg:docker/golang", "digest": {"sha256": "ab"}}],
	},
	"runDetails": {"builder": {"id": "https://ci.example/builder"}},
})

pinned_v02 := attestation("https://slsa.dev/provenance/v0.2", {
	"builder": {"id": "https://ci.example/builder"},
	"invocation": {"parameters": {"request": {"frontend": "dockerfile.v0"}}},
	"materials": [{"uri": "pkg:docker/golang", "digest": {"sha256": "ab"}}],
})

loose := json.patch(pinned_v02, [{"op": "add", "path": "/predicate/materials/-", "value": {"uri": "pkg:docker/x"}}])

hollow := json.patch(pinned_v02, [{"op": "replace", "path": "/predicate/materials/0/digest", "value": {"sha256": ""}}])

listless := json.patch(pinned_v02, [{"op": "replace", "path": "/predicate/materials", "value": "none"}])

frontend := {"request/frontend": "dockerfile.v0"}

with_parameters := {
	"pinned, v1": {"found": pinned_v1, "parameters": {"materialsPinned": true}, "count": 0},
	"pinned, v0.2": {"found": pinned_v02, "parameters": {"materialsPinned": true}, "count": 0},
	"one is not": {"found": loose, "parameters": {"materialsPinned": true}, "count": 1},
	"an empty digest": {"found": hollow, "parameters": {"materialsPinned": true}, "count": 1},
	"no list": {"found": listless, "parameters": {"materialsPinned": true}, "count": 1},
	"nothing said": {"found": silent, "parameters": {"materialsPinned": true}, "count": 1},
	"need not be": {"found": loose, "parameters": {"materialsPinned": false}, "count": 0},
	"frontend, v1": {"found": pinned_v1, "parameters": {"buildParameters": frontend}, "count": 0},
	"frontend, v0.2": {"found": pinned_v02, "parameters": {"buildParameters": frontend}, "count": 0},
	"deep": {"found": pinned_v1, "parameters": {"buildParameters": {"request/args/target": "release"}}, "count": 0},
	"another": {"found": pinned_v1, "parameters": {"buildParameters": {"request/args/target": "debug"}}, "count": 1},
	"one of two": {
		"found": pinned_v02,
		"parameters": {"buildParameters": {"request/frontend": "dockerfile.v0", "request/args": {}}},
		"count": 1,
	},
	"no parameters": {"found": silent, "parameters": {"buildParameters": frontend}, "count": 1},
	"null where there is none": {"found": silent, "parameters": {"buildParameters": {"x": null}}, "count": 1},
}

test_materials_and_parameters if {
	every case in with_parameters {
		parameters := object.union(case.parameters, {"authorities": ["builder"]})
		image := object.union(bare, {"attestations": [case.found]})
		count(built.deny) == case.count with input.images as [image] with data.parameters as parameters
	}
}

test_statements_count_for_who_signed_the_index if {
	every authority, codes in {"builder": set(), "qa": {"built.missing"}, "null": {"built.missing"}} {
		covered := object.union(pinned_v1, {"authority": covering[authority]})
		image := object.union(bare, {"statements": [covered]})
		found := built.deny with input.images as [image] with data.parameters as {"authorities": ["builder"]}
		{violation.code | some violation in found} == codes
	}
}

covering := {"builder": "builder", "qa": "qa", "null": null}

test_revision_need_not_be_recorded if {
	image := object.union(bare, {"attestations": [silent]})
	parameters := {"authorities": ["builder"], "revisionRecorded": false}
	count(built.deny) == 0 with input.images as [image] with data.parameters as parameters
}

test_first_of_what_was_rejected if {
	image := object.union(bare, {"rejected": [entry |
		some number in numbers.range(1, 5)
		entry := {"code": "scope.type", "source": "tags", "detail": sprintf("of %d", [number])}
	]})
	found := built.deny with input.images as [image]
	first := "(rejected: scope.type from tags: of 1, scope.type from tags: of 2, scope.type from tags: of 3 and 2 more)"
	some violation in found
	contains(violation.msg, first)
}
