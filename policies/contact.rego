# METADATA
# title: Contact
# description: >
#   Every image, on every platform that can run, says whom to ask about it: metadata of the type
#   `contact` by one of the authorities, not expired, whose value is an object with a text in each
#   of the `fields`, or in any field where none are named.
# custom:
#   code: contact.missing
#   parameters:
#     type: object
#     additionalProperties: false
#     required: [authorities]
#     properties:
#       authorities: {type: array, items: {type: string, minLength: 1}, minItems: 1, uniqueItems: true}
#       fields: {type: array, items: {type: string, minLength: 1}, minItems: 1, uniqueItems: true}
#       type: {type: string, minLength: 1}
package countersign.contact

deny contains violation if {
	some image in input.images
	not reachable(image)
	violation := {
		"code": "contact.missing",
		"image": image.path,
		"msg": concat("", ["nobody to ask about it", platform(image), lacking(image), rejected(image), remedy]),
	}
}

reachable(image) if {
	some entry in said(image)
	count(given(entry)) > 0
	count(fields - given(entry)) == 0
}

default type := "contact"

type := data.parameters.type

default fields := set()

fields := {field | some field in data.parameters.fields}

# What the authorities said and still stands.
said(image) := [entry |
	some entry in image.metadata[type]
	entry.authority in data.parameters.authorities
	not expired(entry)
]

expired(entry) if not current(entry)

current(entry) if entry.expires == null

current(entry) if time.parse_rfc3339_ns(entry.expires) > time.parse_rfc3339_ns(input.request.time)

# The fields that hold something to read.
given(entry) := {field |
	is_object(entry.value)
	some field, text in entry.value
	is_string(text)
	trim_space(text) != ""
}

platform(image) := sprintf(" for %s/%s", [image.platform.os, image.platform.architecture]) if {
	image.platform != null
} else := ""

lacking(image) := sprintf(", the contact that there is lacks %s", [concat(", ", lacks)]) if {
	some entry in said(image)
	lacks := fields - given(entry)
	count(lacks) > 0
	entry == said(image)[0]
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

remedy := sprintf("; put a contact beside it (`countersign metadata put IMAGE %s FILE --key KEY`)", [type])
