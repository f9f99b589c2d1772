package countersign.approved_test

import data.countersign.approved

one := {"authorities": ["qa"]}

two := {"authorities": ["qa", "security"], "atLeast": 2}

ann := {"authority": "qa", "signer": {"identity": "a", "fingerprint": "AA"}}

bob := {"authority": "qa", "signer": {"identity": "b", "fingerprint": "BB"}}

yes := {"value": {"approved": true}, "expires": "2026-12-31T00:00:00Z"}

cases := {
	"no evidence": {"parameters": one, "said": [], "codes": {"approved.missing"}},
	"one of one": {"parameters": one, "said": [object.union(ann, yes)], "codes": set()},
	"one of two": {"parameters": two, "said": [object.union(ann, yes)], "codes": {"approved.missing"}},
	"two of two": {
		"parameters": two,
		"said": [object.union(ann, yes), object.union(bob, yes)],
		"codes": set(),
	},
	"the same key in two authorities is one": {
		"parameters": two,
		"said": [object.union(ann, yes), object.union(object.union(ann, {"authority": "security"}), yes)],
		"codes": {"approved.missing"},
	},
	"another authority's": {
		"parameters": {"authorities": ["security"]},
		"said": [object.union(ann, yes)],
		"codes": {"approved.missing"},
	},
	"expired": {
		"parameters": one,
		"said": [object.union(object.union(ann, yes), {"expires": "2026-11-21T09:30:00Z"})],
		"codes": {"approved.missing"},
	},
	"no expiry": {
		"parameters": one,
		"said": [object.union(object.union(ann, yes), {"expires": null})],
		"codes": {"approved.missing"},
	},
	"taken back": {
		"parameters": one,
		"said": [object.union(object.union(ann, yes), {"value": {"approved": false}})],
		"codes": {"approved.missing"},
	},
	"no word of approval": {
		"parameters": one,
		"said": [object.union(object.union(ann, yes), {"value": "eWVz"})],
		"codes": {"approved.missing"},
	},
	"none asked for": {
		"parameters": {"authorities": ["qa"], "atLeast": 0},
		"said": [object.union(ann, yes)],
		"codes": {"approved.missing"},
	},
	"of another type": {
		"parameters": object.union(one, {"type": "legal"}),
		"said": [object.union(ann, yes)],
		"codes": {"approved.missing"},
	},
}

test_cases if {
	every case in cases {
		image := object.union(bare, {"metadata": {"approval": case.said}})
		found := approved.deny with input.images as [image]
			with input.request.time as now
			with data.parameters as case.parameters
		{violation.code | some violation in found} == case.codes
	}
}

test_own_type if {
	image := object.union(bare, {"metadata": {"legal": [object.union(ann, yes)]}})
	found := approved.deny with input.images as [image]
		with input.request.time as now
		with data.parameters as object.union(one, {"type": "legal"})
	count(found) == 0
}

test_no_data if {
	count(approved.deny) == 1 with input.images as [bare]
}

test_message_says_what_is_missing if {
	entry := {"source": "referrers", "code": "scope.type", "detail": "signed"}
	image := object.union(bare, {
		"platform": {"os": "linux", "architecture": "arm64"},
		"rejected": [entry],
		"metadata": {"approval": [
			object.union(object.union(ann, yes), {"expires": "2026-11-01T00:00:00Z"}),
			object.union(object.union(bob, yes), {"expires": null}),
			object.union(object.union(ann, yes), {"value": {"approved": false}}),
			object.union(bob, yes),
		]},
	})
	found := approved.deny with input.images as [image]
		with input.request.time as now
		with data.parameters as two
	[violation.msg | some violation in found] == [concat("", [
		"1 of 2 sign-offs needed for linux/arm64",
		" (not counted: that of AA does not say approved: true, that of AA expired 2026-11-01T00:00:00Z",
		", that of BB has no expiry)",
		" (rejected: scope.type from referrers: signed)",
		"; have it signed off (`countersign metadata put IMAGE approval FILE --key KEY --expires 720h`)",
	])]
}

now := "2026-11-21T09:30:00Z"

bare := {"path": "spec.containers[0].image", "platform": null, "metadata": {}, "rejected": []}

test_first_of_what_was_rejected if {
	image := object.union(bare, {"rejected": [entry |
		some number in numbers.range(1, 5)
		entry := {"code": "scope.type", "source": "tags", "detail": sprintf("of %d", [number])}
	]})
	found := approved.deny with input.images as [image] with input.request.time as now
	first := "(rejected: scope.type from tags: of 1, scope.type from tags: of 2, scope.type from tags: of 3 and 2 more)"
	some violation in found
	contains(violation.msg, first)
}
