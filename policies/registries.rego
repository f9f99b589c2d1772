# METADATA
# title: Registries
# description: >
#   Every image comes from a repository that is allowed. In a pattern `*` stands for anything within
#   one part of the path, `**` for anything; `?`, `[…]` and `{…}` are those of `glob.match`. Docker Hub is docker.io, and its own images are those of
#   docker.io/library; index.docker.io/nginx and docker.io/nginx are written so first.
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
		"msg": sprintf("%s is not among the repositories allowed: %s; %s", [image.repository, patterns, remedy]),
	}
}

allowed(image) if {
	some pattern in data.parameters.allow
	glob.match(written(pattern), ["/"], image.repository)
}

# As `repository` is written.
written(pattern) := concat("", ["docker.io/library/", on_hub(pattern)]) if {
	not contains(on_hub(pattern), "/")
	on_hub(pattern) != "**"
} else := concat("", ["docker.io/", on_hub(pattern)]) if {
	on_hub(pattern)
} else := pattern

on_hub(pattern) := trim_prefix(pattern, "docker.io/") if {
	startswith(pattern, "docker.io/")
} else := trim_prefix(pattern, "index.docker.io/") if {
	startswith(pattern, "index.docker.io/")
}

default patterns := "none"

patterns := concat(", ", data.parameters.allow)

remedy := "use an image from one of them, or copy it there (`countersign copy`)"
