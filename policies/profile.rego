# METADATA
# title: Profile
# description: >
#   Every container runs under the seccomp and AppArmor profiles that its image was made for: those
#   in the newest metadata of the type `profile` by one of the authorities, an object with
#   `seccompProfile`, `appArmorProfile` or both, written as in a `securityContext`. The container's
#   own setting counts before the annotation for it, and that before the Pod's. Annotations for
#   seccomp have no effect since Kubernetes 1.27 and are read only with `seccompAnnotations: true`.
#   A privileged container is confined by no profile, whatever it says beside.
# custom:
#   code: profile.missing
#   parameters:
#     type: object
#     additionalProperties: false
#     required: [authorities]
#     properties:
#       authorities: {type: array, items: {type: string, minLength: 1}, minItems: 1, uniqueItems: true}
#       seccompAnnotations: {type: boolean}
#       type: {type: string, minLength: 1}
package countersign.profile

deny contains violation if {
	some image in runs
	not stated(image)
	violation := {
		"code": "profile.missing",
		"image": image.path,
		"msg": concat("", [
			"no profile by any of the authorities that says seccompProfile or appArmorProfile and has not expired",
			rejected(image),
			sprintf("; put one beside it (`countersign metadata put IMAGE %s FILE --key KEY`)", [type]),
		]),
	}
}

deny contains violation if {
	some image in runs
	stated(image)
	some kind in demands(image)
	not met(image, kind)
	violation := {
		"code": "profile.otherwise",
		"image": image.path,
		"msg": concat("", [
			sprintf("%s of container %s is %s", [kind, image.container.name, found(image, kind)]),
			sprintf(", but its image is made for %s", [described(newest(image).value[kind])]),
			rejected(image),
			"; ",
			remedy(image),
		]),
	}
}

# Volumes made of images run nothing.
runs := [image |
	some image in input.images
	image.container.kind != "volume"
]

kinds := {"appArmorProfile", "seccompProfile"}

default type := "profile"

type := data.parameters.type

# Metadata stands with the newest first.
newest(image) := said[0] if {
	said := [entry |
		some entry in image.metadata[type]
		entry.authority in data.parameters.authorities
	]
}

stated(image) if {
	current(newest(image))
	count(demands(image)) > 0
}

current(entry) if entry.expires == null

current(entry) if time.parse_rfc3339_ns(entry.expires) > time.parse_rfc3339_ns(input.request.time)

demands(image) := {kind |
	is_object(newest(image).value)
	some kind in kinds
	kind in object.keys(newest(image).value)
}

met(image, kind) if plain(newest(image).value[kind]) == plain(in_force(image, kind))

plain(profile) := [profile.type, object.get(profile, "localhostProfile", "")]

privileged(image) if container(image).securityContext.privileged == true

# What is in force for the container, from the nearest to the farthest place.
in_force(image, kind) := {"type": "Unconfined"} if {
	privileged(image)
} else := container(image).securityContext[kind] if {
	container(image).securityContext[kind] != null
} else := of_annotation(annotations(image)[concat("/", [prefix(kind), image.container.name])]) if {
	annotated(kind)
} else := template(image).spec.securityContext[kind] if {
	template(image).spec.securityContext[kind] != null
} else := of_annotation(annotations(image)["seccomp.security.alpha.kubernetes.io/pod"]) if {
	kind == "seccompProfile"
	annotated(kind)
}

prefix(kind) := "container.apparmor.security.beta.kubernetes.io" if {
	kind == "appArmorProfile"
} else := "container.seccomp.security.alpha.kubernetes.io"

annotated(kind) if kind == "appArmorProfile"

annotated(kind) if {
	kind == "seccompProfile"
	data.parameters.seccompAnnotations == true
}

annotations(image) := template(image).metadata.annotations

of_annotation(text) := {"type": "RuntimeDefault"} if {
	text in ["runtime/default", "docker/default"]
} else := {"type": "Unconfined"} if {
	text == "unconfined"
} else := on_disk(trim_prefix(text, "localhost/")) if {
	startswith(text, "localhost/")
} else := {"type": text}

on_disk(name) := {"type": "Localhost", "localhostProfile": name}

container(image) := named[0] if {
	named := [one |
		some one in template(image).spec[list_name(image.container.kind)]
		one.name == image.container.name
	]
	count(named) == 1
}

list_name(kind) := concat("", [kind, "s"])

# The Pod, or the template that Pods are made from.
template(image) := input.request.object.spec.jobTemplate.spec.template if {
	startswith(image.path, "spec.jobTemplate.spec.template.spec.")
} else := input.request.object.spec.template if {
	startswith(image.path, "spec.template.spec.")
} else := input.request.object.template if {
	startswith(image.path, "template.spec.")
} else := input.request.object

found(image, kind) := "off, as the container is privileged" if {
	privileged(image)
} else := described(in_force(image, kind)) if {
	in_force(image, kind)
} else := "not set"

remedy(image) := "take `privileged` out of its securityContext" if {
	privileged(image)
} else := "say so in its securityContext"

described(profile) := sprintf("%s %s", [profile.type, profile.localhostProfile]) if {
	profile.localhostProfile != ""
} else := profile.type if {
	is_string(profile.type)
} else := "none that can be read"

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
