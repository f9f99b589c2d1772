package countersign.attested_test

import data.countersign.attested

cases := {
	"no evidence": {
		"parameters": {"authorities": ["qa"]},
		"found": [],
		"codes": {"attested.missing"},
	},
	"all of one": {
		"parameters": {"authorities": ["qa"]},
		"found": ["qa"],
		"codes": set(),
	},
	"another's": {
		"parameters": {"authorities": ["qa"]},
		"found": ["builder"],
		"codes": {"attested.missing"},
	},
	"all is the default": {
		"parameters": {"authorities": ["builder", "qa"]},
		"found": ["qa"],
		"codes": {"attested.missing"},
	},
	"the same twice is one": {
		"parameters": {"authorities": ["builder", "qa"], "atLeast": 2},
		"found": ["qa", "qa"],
		"codes": {"attested.missing"},
	},
	"enough of more": {
		"parameters": {"authorities": ["a", "b", "c"], "atLeast": 2},
		"found": ["a", "c"],
		"codes": set(),
	},
	"more than there are": {
		"parameters": {"authorities": ["qa"], "atLeast": 2},
		"found": ["qa"],
		"codes": {"attested.impossible", "attested.missing"},
	},
	"no authorities": {
		"parameters": {},
		"found": ["qa"],
		"codes": {"attested.missing"},
	},
	"none asked for": {
		"parameters": {"authorities": ["qa"], "atLeast": 0},
		"found": ["qa"],
		"codes": {"attested.missing"},
	},
}

# Each authority has a key of its own.
attestation(name) := {"authority": name, "signer": {"identity": name}}

test_one_key_is_one_signer if {
	parameters := {"authorities": ["builder", "qa"]}
	by_one_key := [object.union(attestation(name), {"signer": {"identity": "the same"}}) | some name in parameters.authorities]
	image := object.union(bare, {"attestations": by_one_key})
	some violation in attested.deny with input.images as [image] with data.parameters as parameters
	violation.code == "attested.missing"
	startswith(violation.msg, "attested for 2 authorities by no more than 1 signers, of 2 that are needed")

	one := object.union(parameters, {"atLeast": 1})
	count(attested.deny) == 0 with input.images as [image] with data.parameters as one
}

# Who attests, by which keys, and how many signers that are.
crowds := {
	"each has a key": {"keys": {"a": ["1"], "b": ["2"], "c": ["3"]}, "signers": 3},
	"two share theirs": {"keys": {"a": ["1", "2"], "b": ["3"], "c": ["3"]}, "signers": 2},
	"two share two": {"keys": {"a": ["1", "2"], "b": ["1", "2"]}, "signers": 2},
	"three share two": {"keys": {"a": ["1", "2"], "b": ["1", "2"], "c": ["1", "2"]}, "signers": 2},
	"in a row": {"keys": {"a": ["1"], "b": ["1", "2"], "c": ["2", "3"]}, "signers": 3},
	"many keys of one": {
		"keys": {"a": ["1", "2", "3", "4"], "b": ["1", "2", "3", "4"], "c": ["4"], "d": ["4"]},
		"signers": 3,
	},
	"one key of all": {
		"keys": {"a": ["1"], "b": ["1"], "c": ["1"], "d": ["1"], "e": ["1"], "f": ["1"]},
		"signers": 1,
	},
	"more than are told apart": {
		"keys": {name: ["1", "2"] | some name in ["a", "b", "c", "d", "e", "f", "g"]},
		"signers": 1,
	},
}

test_authorities_are_as_many_as_they_have_keys if {
	every crowd in crowds {
		image := object.union(bare, {"attestations": [attestation |
			some name, keys in crowd.keys
			some key in keys
			attestation := {"authority": name, "signer": {"identity": key}}
		]})
		authorities := object.keys(crowd.keys)
		every needed in [number | some number in numbers.range(2, 7); number <= count(authorities)] {
			parameters := {"authorities": authorities, "atLeast": needed}
			found := attested.deny with input.images as [image] with data.parameters as parameters
			codes := {"attested.missing" | needed > crowd.signers}
			{violation.code | some violation in found} == codes
		}
	}
}

test_cases if {
	every case in cases {
		image := object.union(bare, {"attestations": [attestation(name) | some name in case.found]})
		found := attested.deny with input.images as [image] with data.parameters as case.parameters
		{violation.code | some violation in found} == case.codes
	}
}

test_no_data if {
	count(attested.deny) == 1 with input.images as [bare]
}

test_every_platform_counts if {
	good := object.union(bare, {"attestations": [{"authority": "qa"}]})
	found := attested.deny with input.images as [good, on_arm] with data.parameters as {"authorities": ["qa"]}
	[violation.msg | some violation in found] == [concat("", [
		"no attestation by qa for linux/arm64",
		"; deploy an image that they attested, or have this one signed (`countersign sign`)",
	])]
}

test_message_says_what_was_rejected if {
	entry := {"source": "referrers", "code": "signature.unknown-key", "detail": "made by ABCD"}
	image := object.union(bare, {"rejected": [entry]})
	found := attested.deny with input.images as [image] with data.parameters as {"authorities": ["a", "b"], "atLeast": 1}
	[violation.msg | some violation in found] == [concat("", [
		"attested by 0 of the 1 authorities needed, none by a, b",
		" (rejected: signature.unknown-key from referrers: made by ABCD)",
		"; deploy an image that they attested, or have this one signed (`countersign sign`)",
	])]
}

test_messages_of_parameters if {
	found := attested.deny with input.images as [bare] with data.parameters as {"authorities": [], "atLeast": 1}
	{violation.msg | some violation in found} == {
		"the rule names no authority; list some in the rule's parameters",
		"atLeast is 1, but 0 authorities are listed; lower it or list more",
	}
}

bare := {"path": "spec.containers[0].image", "platform": null, "attestations": [], "rejected": []}

on_arm := object.union(bare, {"platform": {"os": "linux", "architecture": "arm64"}})

test_first_of_what_was_rejected if {
	image := object.union(bare, {"rejected": [entry |
		some number in numbers.range(1, 5)
		entry := {"code": "scope.type", "source": "tags", "detail": sprintf("of %d", [number])}
	]})
	found := attested.deny with input.images as [image]
	first := "(rejected: scope.type from tags: of 1, scope.type from tags: of 2, scope.type from tags: of 3 and 2 more)"
	some violation in found
	contains(violation.msg, first)
}
