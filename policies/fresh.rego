# METADATA
# title: Fresh
# description: >
#   Every image, on every platform that can run, has an attestation by one of the authorities that
#   is not older than `maxAge`, a duration such as `720h`. `predicateTypes` narrows what counts.
#   The age is by the signer's own word, unless `clock` is `store`: then it is by the time at which
#   a store recorded the attestation, or what the signer says where that is earlier, so that who puts
#   an old one there again does not make it young; and what lies elsewhere does not count. A time that
#   lies more than five minutes ahead is no time.
# custom:
#   code: fresh.missing
#   needs: presence
#   parameters:
#     type: object
#     required: [authorities, maxAge]
#     properties:
#       authorities: {type: array, items: {type: string, minLength: 1}, minItems: 1, uniqueItems: true}
#       maxAge: {type: string, minLength: 2}
#       predicateTypes: {type: array, items: {type: string, minLength: 1}, minItems: 1, uniqueItems: true}
#       clock: {enum: [signer, store]}
package countersign.fresh

deny contains violation if {
	some image in input.images
	not fresh(image)
	violation := {
		"code": "fresh.missing",
		"image": image.path,
		"msg": concat("", [
			sprintf("no attestation by %s", [wanted]),
			platform(image),
			newest(image),
			rejected(image),
			"; sign the image again",
		]),
	}
}

deny contains violation if {
	not life
	violation := {
		"code": "fresh.duration",
		"msg": "maxAge is no duration above zero; write hours, minutes or seconds, like 720h",
	}
}

fresh(image) if {
	some stamp in times(image)
	age := now - time.parse_rfc3339_ns(stamp)
	age <= life
	age >= -300000000000
}

now := time.parse_rfc3339_ns(input.request.time)

life := nanoseconds if {
	nanoseconds := time.parse_duration_ns(data.parameters.maxAge)
	nanoseconds > 0
}

# When what counts was made, as the clock asked for has it.
times(image) := {stamp |
	some attestation in image.attestations
	attestation.authority in data.parameters.authorities
	of_type(attestation)
	stamp := made(attestation)
	stamp != null
}

of_type(attestation) if attestation.predicateType in data.parameters.predicateTypes

of_type(_) if not "predicateTypes" in object.keys(data.parameters)

made(attestation) := attestation.signedAt if {
	data.parameters.clock == "store"
	time.parse_rfc3339_ns(attestation.signedAt) < time.parse_rfc3339_ns(attestation.recordedAt)
} else := attestation.recordedAt if {
	data.parameters.clock == "store"
} else := attestation.signedAt

default wanted := "anybody"

wanted := sprintf("%s within %s", [concat(", ", data.parameters.authorities), data.parameters.maxAge])

platform(image) := sprintf(" for %s/%s", [image.platform.os, image.platform.architecture]) if {
	image.platform != null
} else := ""

newest(image) := sprintf(", the newest is of %s", [max(times(image))]) if {
	count(times(image)) > 0
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
