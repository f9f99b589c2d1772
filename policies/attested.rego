# METADATA
# title: Attested
# description: >
#   Every image, on every platform that can run, has attestations by enough of the authorities.
#   Authorities are counted, never signatures, each by a key of its own: as many as can be told apart
#   where one key signs for several.
# custom:
#   code: attested.missing
#   needs: presence
#   parameters:
#     type: object
#     required: [authorities]
#     properties:
#       authorities: {type: array, items: {type: string, minLength: 1}, minItems: 1, uniqueItems: true}
#       atLeast: {type: integer, minimum: 1}
package countersign.attested

deny contains violation if {
	some image in input.images
	not attested(image)
	violation := {
		"code": "attested.missing",
		"image": image.path,
		"msg": concat("", [missing(image), platform(image), rejected(image), remedy]),
	}
}

deny contains violation if {
	needed > count(data.parameters.authorities)
	violation := {
		"code": "attested.impossible",
		"msg": sprintf("atLeast is %d, but %d authorities are listed; lower it or list more", [needed, count(authorities)]),
	}
}

attested(image) if {
	needed == 1
	some attestation in image.attestations
	attestation.authority in data.parameters.authorities
}

attested(image) if {
	needed > 1
	count(attesting(image)) >= needed
	apart(image)
}

default needed := 0

needed := object.get(data.parameters, "atLeast", count(data.parameters.authorities))

authorities := {authority | some authority in data.parameters.authorities}

attesting(image) := {attestation.authority |
	some attestation in image.attestations
	attestation.authority in authorities
}

# The roots of several authorities may certify one key, which is one signer all the same. Mostly none
# is, and then there is nothing to weigh.
apart(image) if {
	pairs := {[attestation.authority, attestation.signer.identity] |
		some attestation in image.attestations
		attestation.authority in authorities
	}
	count(pairs) == count(keys(image))
} else if {
	signers(image) >= needed
}

keys(image) := {attestation.signer.identity |
	some attestation in image.attestations
	attestation.authority in authorities
}

# How many authorities there are when each is given a key and no two the same one. Who has a key that
# signs for nobody else is given that one.
signers(image) := count(own) + matched(keyring, [name | some name in (attesting(image) - own)]) if {
	keyring := {{"key": key, "of": of} |
		some key in keys(image)
		of := {attestation.authority |
			some attestation in image.attestations
			attestation.authority in authorities
			attestation.signer.identity == key
		}
	}
	own := {name | some one in keyring; count(one.of) == 1; some name in one.of}
}

# No group of them can be given more keys than sign for it (Hall), and nothing else stands in the way.
# Of many who have no key for themselves one is counted.
matched(keyring, names) := min({most |
	some group in groups(names)
	shared := {one.key | some one in keyring; count(one.of & group) > 0}
	most := (count(names) - count(group)) + count(shared)
}) if {
	count(names) <= 6
} else := 1

groups(names) := {group |
	some a in none_or(names, 0)
	some b in none_or(names, 1)
	some c in none_or(names, 2)
	some d in none_or(names, 3)
	some e in none_or(names, 4)
	some f in none_or(names, 5)
	group := ((((a | b) | c) | d) | e) | f
}

none_or(names, at) := {set(), {name | some name in array.slice(names, at, at + 1)}}

# The others are named only where all of them are needed; else any of them would do.
missing(image) := "the rule names no authority" if {
	count(authorities) == 0
} else := sprintf("attested for %d authorities by no more than %d signers, of %d that are needed", [
	count(attesting(image)),
	signers(image),
	needed,
]) if {
	needed > 1
	count(attesting(image)) >= needed
} else := sprintf("no attestation by %s", [list(authorities - attesting(image))]) if {
	needed == count(authorities)
} else := sprintf("attested by %d of the %d authorities needed, none by %s", [
	count(attesting(image)),
	needed,
	list(authorities - attesting(image)),
])

platform(image) := sprintf(" for %s/%s", [image.platform.os, image.platform.architecture]) if {
	image.platform != null
} else := ""

# The first of them: who can hang one thing on an image can hang many there.
rejected(image) := sprintf(" (rejected: %s%s)", [concat(", ", array.slice(reasons, 0, 3)), others(count(reasons) - 3)]) if {
	reasons := sort({text |
		some entry in image.rejected
		text := sprintf("%s from %s: %s", [entry.code, entry.source, entry.detail])
	})
	count(reasons) > 0
} else := ""

others(left) := sprintf(" and %d more", [left]) if {
	left > 0
} else := ""

remedy := "; list some in the rule's parameters" if {
	count(authorities) == 0
} else := "; deploy an image that they attested, or have this one signed (`countersign sign`)"

list(names) := concat(", ", names)
