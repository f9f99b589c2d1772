# METADATA
# title: Approved
# description: >
#   Every image, on every platform that can run, is signed off by enough people: metadata of the
#   type `approval` whose value says `"approved": true` and that has an expiry which is not past.
#   Keys are counted, by their public material, never signatures. Only the newest word of each key
#   counts, so `"approved": false` takes a sign-off back.
# custom:
#   code: approved.missing
#   parameters:
#     type: object
#     additionalProperties: false
#     required: [authorities]
#     properties:
#       authorities: {type: array, items: {type: string, minLength: 1}, minItems: 1, uniqueItems: true}
#       atLeast: {type: integer, minimum: 1}
#       type: {type: string, minLength: 1}
package countersign.approved

deny contains violation if {
	some image in input.images
	not approved(image)
	violation := {
		"code": "approved.missing",
		"image": image.path,
		"msg": concat("", [
			sprintf("%d of %d sign-offs needed", [count(approvers(image)), needed]),
			platform(image),
			useless(image),
			rejected(image),
			remedy,
		]),
	}
}

approved(image) if {
	needed > 0
	count(approvers(image)) >= needed
}

default needed := 1

needed := data.parameters.atLeast

default type := "approval"

type := data.parameters.type

approvers(image) := {entry.signer.identity |
	some entry in said(image)
	not lacks(entry)
}

# What the authorities' people said last.
said(image) := [entry |
	some entry in image.metadata[type]
	entry.authority in data.parameters.authorities
]

lacks(entry) if not entry.value.approved == true

lacks(entry) if not current(entry)

# A registry can hide that a sign-off was taken back, but not for longer than this.
current(entry) if time.parse_rfc3339_ns(entry.expires) > time.parse_rfc3339_ns(input.request.time)

# Why the word of somebody does not count.
reason(entry) := "does not say approved: true" if {
	not entry.value.approved == true
} else := "has no expiry" if {
	entry.expires == null
} else := sprintf("expired %s", [entry.expires]) if {
	not current(entry)
}

useless(image) := sprintf(" (not counted: %s)", [concat(", ", reasons)]) if {
	reasons := {text |
		some entry in said(image)
		text := sprintf("that of %s %s", [entry.signer.fingerprint, reason(entry)])
	}
	count(reasons) > 0
} else := ""

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

remedy := sprintf("; have it signed off (`countersign metadata put IMAGE %s FILE --key KEY --expires 720h`)", [type])
