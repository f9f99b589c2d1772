package countersign.registries_test

import data.countersign.registries

cases := {
	"the repository": {"allow": ["registry.example/acme/shop"], "codes": set()},
	"below it": {"allow": ["registry.example/acme/**"], "codes": set()},
	"one part": {"allow": ["registry.example/acme/*"], "codes": set()},
	"second of two": {"allow": ["other.example/**", "registry.example/**"], "codes": set()},
	"one part is not two": {"allow": ["registry.example/*"], "codes": {"registries.refused"}},
	"no prefix": {"allow": ["registry.example/acme/sh"], "codes": {"registries.refused"}},
	"host of another": {"allow": ["*.example/shop"], "codes": {"registries.refused"}},
	"none": {"allow": [], "codes": {"registries.refused"}},
}

test_cases if {
	every case in cases {
		found := registries.deny with input.images as [image] with data.parameters as {"allow": case.allow}
		{violation.code | some violation in found} == case.codes
	}
}

hub := {
	"the long form": {"allow": "docker.io/library/nginx", "yes": {"nginx"}},
	"without library": {"allow": "docker.io/nginx", "yes": {"nginx"}},
	"by its old name": {"allow": "index.docker.io/nginx", "yes": {"nginx"}},
	"its own": {"allow": "docker.io/*", "yes": {"nginx", "redis"}},
	"all of it": {"allow": "docker.io/**", "yes": {"nginx", "redis", "acme"}},
	"all of it, by its old name": {"allow": "index.docker.io/**", "yes": {"nginx", "redis", "acme"}},
	"one of somebody": {"allow": "index.docker.io/acme/shop", "yes": {"acme"}},
	"another host": {"allow": "registry-1.docker.io/library/nginx", "yes": set()},
	"no host": {"allow": "nginx", "yes": set()},
}

test_docker_hub if {
	images := {
		"nginx": {"path": "nginx", "repository": "docker.io/library/nginx"},
		"redis": {"path": "redis", "repository": "docker.io/library/redis"},
		"acme": {"path": "acme", "repository": "docker.io/acme/shop"},
	}
	every case in hub {
		found := registries.deny with input.images as [one | some one in images]
			with data.parameters as {"allow": [case.allow]}
		object.keys(images) - {violation.image | some violation in found} == case.yes
	}
}

test_no_data if {
	count(registries.deny) == 1 with input.images as [image]
}

test_no_evidence if {
	count(registries.deny) == 1 with input.images as [{"path": "p", "repository": "a/b"}]
		with data.parameters as {"allow": ["registry.example/**"]}
}

test_message if {
	found := registries.deny with input.images as [image] with data.parameters as {"allow": ["a/b", "c/d"]}
	[violation.msg | some violation in found] == [concat("", [
		"registry.example/acme/shop is not among the repositories allowed: a/b, c/d",
		"; use an image from one of them, or copy it there (`countersign copy`)",
	])]
}

image := {"path": "spec.containers[0].image", "repository": "registry.example/acme/shop"}
