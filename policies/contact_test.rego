package countersign.contact_test

import data.countersign.contact

ops := {"authority": "ops", "expires": null}

one := {"authorities": ["ops"]}

cases := {
	"no evidence": {"parameters": one, "said": [], "codes": {"contact.missing"}},
	"some field": {
		"parameters": one,
		"said": [object.union(ops, {"value": {"team": "shop"}})],
		"codes": set(),
	},
	"all fields": {
		"parameters": {"authorities": ["ops"], "fields": ["email", "team"]},
		"said": [object.union(ops, {"value": {"team": "shop", "email": "a@b.example"}})],
		"codes": set(),
	},
	"a field short": {
		"parameters": {"authorities": ["ops"], "fields": ["email", "team"]},
		"said": [object.union(ops, {"value": {"team": "shop"}})],
		"codes": {"contact.missing"},
	},
	"an empty field": {
		"parameters": {"authorities": ["ops"], "fields": ["email"]},
		"said": [object.union(ops, {"value": {"email": " "}})],
		"codes": {"contact.missing"},
	},
	"no text": {
		"parameters": {"authorities": ["ops"], "fields": ["email"]},
		"said": [object.union(ops, {"value": {"email": 1}})],
		"codes": {"contact.missing"},
	},
	"no fields": {
		"parameters": one,
		"said": [object.union(ops, {"value": {}})],
		"codes": {"contact.missing"},
	},
	"no object": {
		"parameters": one,
		"said": [object.union(ops, {"value": ["a@b.example"]})],
		"codes": {"contact.missing"},
	},
	"of somebody else": {
		"parameters": {"authorities": ["qa"]},
		"said": [object.union(ops, {"value": {"team": "shop"}})],
		"codes": {"contact.missing"},
	},
	"expired": {
		"parameters": one,
		"said": [{"authority": "ops", "expires": "2026-11-21T09:30:00Z", "value": {"team": "shop"}}],
		"codes": {"contact.missing"},
	},
	"not yet expired": {
		"parameters": one,
		"said": [{"authority": "ops", "expires": "2026-11-21T09:30:01Z", "value": {"team": "shop"}}],
		"codes": set(),
	},
	"of another type": {
		"parameters": object.union(one, {"type": "owner"}),
		"said": [object.union(ops, {"value": {"team": "shop"}})],
		"codes": {"contact.missing"},
	},
}

test_cases if {
	every case in cases {
		image := object.union(bare, {"metadata": {"contact": case.said}})
		found := contact.deny with input.images as [image]
			with input.request.time as "2026-11-21T09:30:00Z"
			with data.parameters as case.parameters
		{violation.code | some violation in found} == case.codes
	}
}

test_no_data if {
	count(contact.deny) == 1 with input.images as [bare]
}

test_message_says_what_is_lacking if {
	image := object.union(bare, {
		"platform": {"os": "linux", "architecture": "arm64"},
		"metadata": {"contact": [object.union(ops, {"value": {"team": "shop"}})]},
		"rejected": [{"code": "signature.expired", "source": "referrers", "detail": "by ABCD"}],
	})
	found := contact.deny with input.images as [image]
		with data.parameters as {"authorities": ["ops"], "fields": ["email", "phone", "team"]}
	[violation.msg | some violation in found] == [concat("", [
		"nobody to ask about it for linux/arm64, the contact that there is lacks email, phone",
		" (rejected: signature.expired from referrers: by ABCD)",
		"; put a contact beside it (`countersign metadata put IMAGE contact FILE --key KEY`)",
	])]
}

bare := {"path": "spec.containers[0].image", "platform": null, "metadata": {}}

test_first_of_what_was_rejected if {
	image := object.union(bare, {"rejected": [entry |
		some number in numbers.range(1, 5)
		entry := {"code": "scope.type", "source": "tags", "detail": sprintf("of %d", [number])}
	]})
	found := contact.deny with input.images as [image]
	first := "(rejected: scope.type from tags: of 1, scope.type from tags: of 2, scope.type from tags: of 3 and 2 more)"
	some violation in found
	contains(violation.msg, first)
}
