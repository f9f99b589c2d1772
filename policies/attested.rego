# METADATA
# title: Attested
# description: >
#   Every image, on every platform that can run, has attestations by enough of the authorities.
#   Authorities are counted, never signatures, and none by the key of another.
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
	needed > count(authorities)
	violation := {
		"code": "attested.impossible",
		"msg": sprintf("atLeast is %d, but %d authorities are listed; lower it or list more", [needed, count(authorities)]),
	}
}

attested(image) if {
	needed == 1
	count(attesting(image)) > 0
}

# The roots of two authorities may certify one key, which is one signer all the same.
attested(image) if {
	needed > 1
	count(attesting(image)) >= needed
	count(keys(image)) >= needed
}

default needed := 0

needed := object.get(data.parameters, "atLeast", count(authorities))

authorities := {authority | some authority in data.parameters.authorities}

attesting(image) := {attestation.authority |
	some attestation in image.attestations
	attestation.authority in authorities
}

keys(image) := {attestation.signer.identity |
	some attestation in image.attestations
	attestation.authority in authorities
}

# The others are named only where all of them are needed; else any of them would do.
missing(image) := "the rule names no authority" if {
	count(authorities) == 0
} else := sprintf("attested for %d authorities by no more than %d keys, of %d that are needed", [
	count(attesting(image)),
	count(keys(image)),
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

rejected(image) := sprintf(" (rejected: %s)", [concat(", ", reasons)]) if {
	reasons := {reason |
		some entry in image.rejected
		reason := sprintf("%s from %s: %s", [entry.code, entry.source, entry.detail])
	}
	count(reasons) > 0
} else := ""

remedy := "; list some in the rule's parameters" if {
	count(authorities) == 0
} else := "; deploy an image that they attested, or have this one signed (`countersign sign`)"

list(names) := concat(", ", names)
