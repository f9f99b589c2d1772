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
	image := object.union(bare, {"rejected": [entry]})
	found := built.deny with input.images as [image] with data.parameters as everything
	[violation.msg | some violation in found] == ["no provenance by any of the authorities; rejected: key.expired from grafeas: expired"]
}

attestation(type, predicate) := {"authority": "builder", "predicateType": type, "predicate": predicate}

bare := {"path": "spec.containers[0].image", "attestations": [], "rejected": []}

test_revision_need_not_be_recorded if {
	image := object.union(bare, {"attestations": [silent]})
	parameters := {"authorities": ["builder"], "revisionRecorded": false}
	count(built.deny) == 0 with input.images as [image] with data.parameters as parameters
}
