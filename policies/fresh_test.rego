package countersign.fresh_test

import data.countersign.fresh

cases := {
	"no evidence": {"parameters": {}, "found": [], "codes": {"fresh.missing"}},
	"fresh": {"parameters": {}, "found": [signed("2026-11-20T10:00:00Z")], "codes": set()},
	"of this moment": {"parameters": {}, "found": [signed("2026-11-21T10:00:00Z")], "codes": set()},
	"too old": {
		"parameters": {},
		"found": [signed("2026-11-20T09:59:59Z")],
		"codes": {"fresh.missing"},
	},
	"one of two": {
		"parameters": {},
		"found": [signed("2020-01-01T00:00:00Z"), signed("2026-11-21T09:00:00.5Z")],
		"codes": set(),
	},
	"a clock that is a little ahead": {
		"parameters": {},
		"found": [signed("2026-11-21T10:04:59Z")],
		"codes": set(),
	},
	"from the future": {
		"parameters": {},
		"found": [signed("2026-11-21T10:06:00Z")],
		"codes": {"fresh.missing"},
	},
	"another authority": {
		"parameters": {},
		"found": [object.union(signed("2026-11-21T09:00:00Z"), {"authority": "qa"})],
		"codes": {"fresh.missing"},
	},
	"without a time": {"parameters": {}, "found": [signed(null)], "codes": {"fresh.missing"}},
	"no time at all": {"parameters": {}, "found": [signed("yesterday")], "codes": {"fresh.missing"}},
	"of the type": {
		"parameters": {"predicateTypes": ["simple-signing"]},
		"found": [signed("2026-11-21T09:00:00Z")],
		"codes": set(),
	},
	"of another type": {
		"parameters": {"predicateTypes": ["https://slsa.dev/provenance/v1"]},
		"found": [signed("2026-11-21T09:00:00Z")],
		"codes": {"fresh.missing"},
	},
	"by the store's clock": {
		"parameters": {"clock": "store"},
		"found": [object.union(signed("2026-11-21T09:30:00Z"), {"recordedAt": "2026-11-20T09:00:00Z"})],
		"codes": {"fresh.missing"},
	},
	"recorded, and nobody says when it was signed": {
		"parameters": {"clock": "store"},
		"found": [object.union(signed(null), {"recordedAt": "2026-11-21T09:00:00Z"})],
		"codes": set(),
	},
	"recorded soon after it was signed": {
		"parameters": {"clock": "store"},
		"found": [object.union(signed("2026-11-21T08:59:59.5Z"), {"recordedAt": "2026-11-21T09:00:00Z"})],
		"codes": set(),
	},
	"put there again": {
		"parameters": {"clock": "store"},
		"found": [object.union(signed("2026-11-01T00:00:00Z"), {"recordedAt": "2026-11-21T09:00:00Z"})],
		"codes": {"fresh.missing"},
	},
	"no store recorded it": {
		"parameters": {"clock": "store"},
		"found": [signed("2026-11-21T09:00:00Z")],
		"codes": {"fresh.missing"},
	},
	"by the signer's clock": {
		"parameters": {"clock": "signer"},
		"found": [object.union(signed("2020-01-01T00:00:00Z"), {"recordedAt": "2026-11-21T09:00:00Z"})],
		"codes": {"fresh.missing"},
	},
	"no duration": {
		"parameters": {"maxAge": "30 days"},
		"found": [signed("2026-11-21T10:00:00Z")],
		"codes": {"fresh.missing", "fresh.duration"},
	},
	"nothing is that fresh": {
		"parameters": {"maxAge": "-1h"},
		"found": [signed("2026-11-21T10:00:00Z")],
		"codes": {"fresh.missing", "fresh.duration"},
	},
}

test_cases if {
	every case in cases {
		parameters := object.union({"authorities": ["builder"], "maxAge": "24h"}, case.parameters)
		image := object.union(bare, {"attestations": case.found})
		found := fresh.deny with input as {"request": at_ten, "images": [image]} with data.parameters as parameters
		{violation.code | some violation in found} == case.codes
	}
}

test_no_data if {
	found := fresh.deny with input as {"request": at_ten, "images": [bare]}
	{violation.code | some violation in found} == {"fresh.duration", "fresh.missing"}
}

test_message if {
	image := object.union(bare, {
		"platform": {"os": "linux", "architecture": "arm64"},
		"attestations": [signed("2026-10-01T00:00:00Z"), signed("2026-09-01T00:00:00Z")],
		"rejected": [{"code": "signature.expired", "source": "referrers", "detail": "by ABCD"}],
	})
	parameters := {"authorities": ["builder", "qa"], "maxAge": "720h"}
	found := fresh.deny with input as {"request": at_ten, "images": [image]} with data.parameters as parameters
	{violation.msg | some violation in found} == {concat("", [
		"no attestation by builder, qa within 720h for linux/arm64, the newest is of 2026-10-01T00:00:00Z",
		" (rejected: signature.expired from referrers: by ABCD); sign the image again",
	])}
}

signed(at) := {
	"authority": "builder",
	"predicateType": "simple-signing",
	"signedAt": at,
	"recordedAt": null,
}

at_ten := {"time": "2026-11-21T10:00:00Z"}

bare := {"path": "spec.containers[0].image", "attestations": []}

test_first_of_what_was_rejected if {
	image := object.union(bare, {"rejected": [entry |
		some number in numbers.range(1, 5)
		entry := {"code": "scope.type", "source": "tags", "detail": sprintf("of %d", [number])}
	]})
	found := fresh.deny with input as {"request": at_ten, "images": [image]}
	first := "(rejected: scope.type from tags: of 1, scope.type from tags: of 2, scope.type from tags: of 3 and 2 more)"
	some violation in found
	contains(violation.msg, first)
}
