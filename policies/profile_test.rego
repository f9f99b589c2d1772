package countersign.profile_test

import data.countersign.profile

default_seccomp := {"seccompProfile": {"type": "RuntimeDefault"}}

own_seccomp := {"seccompProfile": {"type": "Localhost", "localhostProfile": "profiles/shop.json"}}

own_apparmor := {"appArmorProfile": {"type": "Localhost", "localhostProfile": "shop"}}

cases := {
	"the container's": {
		"value": default_seccomp,
		"container": {"securityContext": default_seccomp},
		"codes": set(),
	},
	"the Pod's": {"value": default_seccomp, "spec": {"securityContext": default_seccomp}, "codes": set()},
	"the container's over the Pod's": {
		"value": default_seccomp,
		"spec": {"securityContext": default_seccomp},
		"container": {"securityContext": {"seccompProfile": {"type": "Unconfined"}}},
		"codes": {"profile.otherwise"},
	},
	"the Pod's where the container's is null": {
		"value": default_seccomp,
		"spec": {"securityContext": default_seccomp},
		"container": {"securityContext": {"seccompProfile": null}},
		"codes": set(),
	},
	"not set": {"value": default_seccomp, "codes": {"profile.otherwise"}},
	"a file": {"value": own_seccomp, "container": {"securityContext": own_seccomp}, "codes": set()},
	"another file": {
		"value": own_seccomp,
		"container": {"securityContext": {"seccompProfile": {"type": "Localhost", "localhostProfile": "other.json"}}},
		"codes": {"profile.otherwise"},
	},
	"both": {
		"value": object.union(own_seccomp, own_apparmor),
		"container": {"securityContext": object.union(own_seccomp, own_apparmor)},
		"codes": set(),
	},
	"one of both": {
		"value": object.union(own_seccomp, own_apparmor),
		"container": {"securityContext": own_seccomp},
		"codes": {"profile.otherwise"},
	},
	"privileged": {
		"value": object.union(default_seccomp, own_apparmor),
		"container": {"securityContext": object.union(object.union(default_seccomp, own_apparmor), {"privileged": true})},
		"codes": {"profile.otherwise"},
	},
	"privileged, by the Pod's profile": {
		"value": own_seccomp,
		"spec": {"securityContext": own_seccomp},
		"container": {"securityContext": {"privileged": true}},
		"codes": {"profile.otherwise"},
	},
	"privileged, as its image is made for": {
		"value": {"seccompProfile": {"type": "Unconfined"}},
		"container": {"securityContext": {"privileged": true}},
		"codes": set(),
	},
	"not privileged": {
		"value": default_seccomp,
		"container": {"securityContext": object.union(default_seccomp, {"privileged": false})},
		"codes": set(),
	},
	"AppArmor by annotation": {
		"value": own_apparmor,
		"annotations": {"container.apparmor.security.beta.kubernetes.io/shop": "localhost/shop"},
		"codes": set(),
	},
	"an annotation for another container": {
		"value": own_apparmor,
		"annotations": {"container.apparmor.security.beta.kubernetes.io/other": "localhost/shop"},
		"codes": {"profile.otherwise"},
	},
	"the annotation over the Pod's": {
		"value": own_apparmor,
		"spec": {"securityContext": own_apparmor},
		"annotations": {"container.apparmor.security.beta.kubernetes.io/shop": "unconfined"},
		"codes": {"profile.otherwise"},
	},
	"the container's over the annotation": {
		"value": own_apparmor,
		"container": {"securityContext": own_apparmor},
		"annotations": {"container.apparmor.security.beta.kubernetes.io/shop": "unconfined"},
		"codes": set(),
	},
	"an annotation that is nothing": {
		"value": {"appArmorProfile": {"type": "RuntimeDefault"}},
		"annotations": {"container.apparmor.security.beta.kubernetes.io/shop": "runtime"},
		"codes": {"profile.otherwise"},
	},
	"seccomp by annotation, which has no effect": {
		"value": default_seccomp,
		"annotations": {"seccomp.security.alpha.kubernetes.io/pod": "runtime/default"},
		"codes": {"profile.otherwise"},
	},
	"seccomp by annotation, where it has": {
		"value": default_seccomp,
		"annotations": {"seccomp.security.alpha.kubernetes.io/pod": "docker/default"},
		"parameters": {"seccompAnnotations": true},
		"codes": set(),
	},
	"a container's seccomp by annotation, where it has": {
		"value": own_seccomp,
		"annotations": {
			"container.seccomp.security.alpha.kubernetes.io/shop": "localhost/profiles/shop.json",
			"seccomp.security.alpha.kubernetes.io/pod": "docker/default",
		},
		"parameters": {"seccompAnnotations": true},
		"codes": set(),
	},
	"no profile in it": {"value": {}, "codes": {"profile.missing"}},
	"no object": {"value": "UnVudGltZURlZmF1bHQ=", "codes": {"profile.missing"}},
	"a profile that is none": {"value": {"seccompProfile": "RuntimeDefault"}, "codes": {"profile.otherwise"}},
	"of somebody else": {
		"value": default_seccomp,
		"container": {"securityContext": default_seccomp},
		"parameters": {"authorities": ["other"]},
		"codes": {"profile.missing"},
	},
	"expired": {
		"value": default_seccomp,
		"expires": "2026-11-21T09:30:00Z",
		"container": {"securityContext": default_seccomp},
		"codes": {"profile.missing"},
	},
	"not yet expired": {
		"value": default_seccomp,
		"expires": "2026-11-21T09:30:01Z",
		"container": {"securityContext": default_seccomp},
		"codes": set(),
	},
}

test_cases if {
	every case in cases {
		pod := {
			"metadata": {"annotations": object.get(case, "annotations", {})},
			"spec": object.union(
				{"containers": [{"name": "first"}, object.union({"name": "shop"}, object.get(case, "container", {}))]},
				object.get(case, "spec", {}),
			),
		}
		entry := {"authority": "dev", "value": case.value, "expires": object.get(case, "expires", null)}
		found := profile.deny with input as request(pod, [object.union(bare, {"metadata": {"profile": [entry]}})])
			with data.parameters as object.union({"authorities": ["dev"]}, object.get(case, "parameters", {}))
		{violation.code | some violation in found} == case.codes
	}
}

test_no_data if {
	count(profile.deny) == 1 with input.images as [bare]
}

test_templates if {
	spec := {"containers": [{"name": "shop", "securityContext": default_seccomp}]}
	entry := {"authority": "dev", "value": default_seccomp, "expires": null}
	objects := {
		"spec.template.spec.containers[0].image": {"spec": {"template": {"spec": spec}}},
		"spec.jobTemplate.spec.template.spec.containers[0].image": {"spec": {"jobTemplate": {"spec": {"template": {"spec": spec}}}}},
		"template.spec.containers[0].image": {"template": {"spec": spec}},
	}
	every path, given in objects {
		image := object.union(bare, {"path": path, "metadata": {"profile": [entry]}})
		profile.deny == set() with input as request(given, [image]) with data.parameters as {"authorities": ["dev"]}
	}
}

test_the_newest_counts if {
	entries := [{"authority": "dev", "value": value, "expires": null} | some value in [own_seccomp, default_seccomp]]
	pod := {"spec": {"containers": [{"name": "shop", "securityContext": default_seccomp}]}}
	image := object.union(bare, {"metadata": {"profile": entries}})
	found := profile.deny with input as request(pod, [image]) with data.parameters as {"authorities": ["dev"]}
	[violation.msg | some violation in found] == [concat("", [
		"seccompProfile of container shop is RuntimeDefault",
		", but its image is made for Localhost profiles/shop.json",
		"; say so in its securityContext",
	])]
}

test_message_of_what_is_not_there if {
	entry := {"authority": "dev", "value": {"seccompProfile": {}}, "expires": null}
	pod := {"spec": {"containers": [{"name": "shop"}]}}
	image := object.union(bare, {"metadata": {"profile": [entry]}})
	found := profile.deny with input as request(pod, [image]) with data.parameters as {"authorities": ["dev"]}
	[violation.msg | some violation in found] == [concat("", [
		"seccompProfile of container shop is not set",
		", but its image is made for none that can be read",
		"; say so in its securityContext",
	])]
}

test_message_of_a_privileged_container if {
	entry := {"authority": "dev", "value": default_seccomp, "expires": null}
	securityContext := object.union(default_seccomp, {"privileged": true})
	pod := {"spec": {"containers": [{"name": "shop", "securityContext": securityContext}]}}
	image := object.union(bare, {"metadata": {"profile": [entry]}, "rejected": [expired]})
	found := profile.deny with input as request(pod, [image]) with data.parameters as {"authorities": ["dev"]}
	[violation.msg | some violation in found] == [concat("", [
		"seccompProfile of container shop is off, as the container is privileged",
		", but its image is made for RuntimeDefault (rejected: signature.expired from referrers: by ABCD)",
		"; take `privileged` out of its securityContext",
	])]
}

test_message_of_no_profile if {
	image := object.union(bare, {"rejected": [expired]})
	found := profile.deny with input as request({"spec": {}}, [image]) with data.parameters as {"authorities": ["dev"]}
	[violation.msg | some violation in found] == [concat("", [
		"no profile by any of the authorities that says seccompProfile or appArmorProfile and has not expired",
		" (rejected: signature.expired from referrers: by ABCD)",
		"; put one beside it (`countersign metadata put IMAGE profile FILE --key KEY`)",
	])]
}

test_volumes_run_nothing if {
	image := object.union(bare, {"container": {"name": "data", "kind": "volume"}})
	profile.deny == set() with input.images as [image]
}

request(given, images) := {"request": {"time": "2026-11-21T09:30:00Z", "object": given}, "images": images}

expired := {"code": "signature.expired", "source": "referrers", "detail": "by ABCD"}

bare := {
	"path": "spec.containers[1].image",
	"container": {"name": "shop", "kind": "container"},
	"metadata": {},
}

test_first_of_what_was_rejected if {
	image := object.union(bare, {"rejected": [entry |
		some number in numbers.range(1, 5)
		entry := {"code": "scope.type", "source": "tags", "detail": sprintf("of %d", [number])}
	]})
	found := profile.deny with input as request({"spec": {}}, [image])
	first := "(rejected: scope.type from tags: of 1, scope.type from tags: of 2, scope.type from tags: of 3 and 2 more)"
	some violation in found
	contains(violation.msg, first)
}
