package countersign.pinned_test

import data.countersign.pinned

pod := {"group": "", "version": "v1", "resource": "pods"}

deployment := {"group": "apps", "version": "v1", "resource": "deployments"}

cases := {
	"tag in a template": {"resource": deployment, "tag": "1.4", "codes": {"pinned.tag"}},
	"digest in a template": {"resource": deployment, "tag": null, "codes": set()},
	"tag in a pod": {"resource": pod, "tag": "1.4", "codes": set()},
	"pods of another group": {"resource": object.union(pod, {"group": "x"}), "tag": "1", "codes": {"pinned.tag"}},
}

test_cases if {
	every case in cases {
		image := object.union(bare, {"tag": case.tag})
		found := pinned.deny with input.request.resource as case.resource with input.images as [image]
		{violation.code | some violation in found} == case.codes
	}
}

test_no_evidence if {
	count(pinned.deny) == 1 with input.images as [bare]
}

test_no_data if {
	found := pinned.deny with input.images as [object.union(bare, {"tag": "1.4"})]
	[violation.msg | some violation in found] == ["shop:1.4 names no digest; write registry.example/acme/shop@sha256:00"]
}

bare := {
	"path": "spec.template.spec.containers[0].image",
	"given": "shop:1.4",
	"reference": "registry.example/acme/shop@sha256:00",
}
