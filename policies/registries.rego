# METADATA
# title: Registries
# description: >
#   Every image comes from a repository that is allowed. In a pattern `*` stands for anything within
#   one part of the path, `**` for anything.
# custom:
#   code: registries.refused
#   needs: presence
#   parameters:
#     type: object
#     required: [allow]
#     properties:
#       allow: {type: array, items: {type: string, minLength: 1}, minItems: 1, uniqueItems: true}
package countersign.registries

deny contains violation if {
	some image in input.images
	not allowed(image)
	violation := {
		"code": "registries.refused",
		"image": image.path,
		"msg": sprintf("%s is not among the repositories allowed: %s", [image.repository, patterns]),
	}
}

allowed(image) if {
	some pattern in data.parameters.allow
	glob.match(pattern, ["/"], image.repository)
}

default patterns := "none"

patterns := concat(", ", data.parameters.allow)
