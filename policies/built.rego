# METADATA
# title: Built
# description: >
#   Every image, on every platform that can run, has a SLSA provenance (v0.2 or v1) by one of the
#   authorities that names one of the builders, source repositories, branches and revisions asked
#   for; all of them in one and the same provenance. An empty name is nobody's. A provenance in the
#   image's index is an authority's if it signed the index and attests `embedded:` of that type.
# custom:
#   code: built.missing
#   needs: presence
#   parameters:
#     type: object
#     required: [authorities]
#     properties:
#       authorities: {type: array, items: {type: string, minLength: 1}, minItems: 1, uniqueItems: true}
#       builders: {type: array, items: {type: string, minLength: 1}, minItems: 1}
#       repositories: {type: array, items: {type: string, minLength: 1}, minItems: 1}
#       branches: {type: array, items: {type: string, minLength: 1}, minItems: 1}
#       revisions: {type: array, items: {type: string, minLength: 1}, minItems: 1}
#       revisionRecorded: {type: boolean}
#       materialsPinned: {type: boolean}
#       buildParameters: {type: object}
package countersign.built

deny contains violation if {
	some image in input.images
	count(builds(image)) == 0
	violation := {
		"code": "built.missing",
		"image": image.path,
		"msg": concat("", [
			"no provenance by any of the authorities",
			platform(image),
			rejected(image),
			"; have its pipeline sign one (`countersign sign --predicate FILE --type provenance`)",
		]),
	}
}

deny contains violation if {
	some image in input.images
	count(builds(image)) > 0
	not built(image)
	violation := {
		"code": "built.otherwise",
		"image": image.path,
		"msg": sprintf("no provenance%s is as asked for, it names %s; build it as the policy asks", [
			platform(image),
			concat(", or ", described(image)),
		]),
	}
}

# What the authorities say of how the image was built. A member that they leave out is empty.
builds(image) := {build |
	some attestation in said(image)
	attestation.authority in data.parameters.authorities
	attestation.predicateType in {v02, v1}
	build := {
		"builder": builder(attestation),
		"repository": repository(attestation),
		"branch": branch(attestation),
		"revision": revision(attestation),
		"materials": materials(attestation),
		"parameters": parameters(attestation),
	}
}

# Signed by an authority, or inside an index that one signed. The authority of what nobody signed is
# null, which is no authority's name.
said(image) := array.concat(image.attestations, [statement | some statement in image.statements])

built(image) if {
	some build in builds(image)
	every demand in demands {
		satisfied(demand, build)
	}
}

demands := {
	"builders",
	"repositories",
	"branches",
	"revisions",
	"revisionRecorded",
	"materialsPinned",
	"buildParameters",
}

satisfied(demand, _) if not demand in object.keys(data.parameters)

satisfied("revisionRecorded", _) if data.parameters.revisionRecorded == false

satisfied("revisionRecorded", build) if regex.match(`^([0-9a-f]{40}|[0-9a-f]{64})$`, build.revision)

satisfied("materialsPinned", _) if data.parameters.materialsPinned == false

# A provenance without materials says nothing of them.
satisfied("materialsPinned", build) if {
	count(build.materials) > 0
	every material in build.materials {
		pinned(material)
	}
}

# No JSON document holds a set, so that nothing asked for equals what is not there.
satisfied("buildParameters", build) if {
	every path, value in data.parameters.buildParameters {
		object.get(build.parameters, split(path, "/"), {"absent"}) == value
	}
}

satisfied("builders", build) if one_of(build.builder, data.parameters.builders)

satisfied("revisions", build) if one_of(build.revision, data.parameters.revisions)

satisfied("repositories", build) if {
	one_of(build.repository, [plain(uri) | some uri in data.parameters.repositories])
}

satisfied("branches", build) if {
	build.branch != ""
	some pattern in data.parameters.branches
	glob.match(pattern, ["/"], build.branch)
}

one_of(name, names) if {
	name != ""
	name in names
}

builder(attestation) := attestation.predicate.runDetails.builder.id if {
	attestation.predicateType == v1
} else := attestation.predicate.builder.id if {
	attestation.predicateType == v02
} else := ""

repository(attestation) := plain(attestation.predicate.buildDefinition.externalParameters.workflow.repository) if {
	attestation.predicateType == v1
} else := plain(regex.replace(source(attestation).uri, `(@|#).*$`, ""))

branch(attestation) := trim_prefix(attestation.predicate.buildDefinition.externalParameters.workflow.ref, heads) if {
	attestation.predicateType == v1
	startswith(attestation.predicate.buildDefinition.externalParameters.workflow.ref, heads)
} else := regex.replace(source(attestation).uri, `^[^@#]+[@#]refs/heads/`, "") if {
	# One separator only, since the name of a branch may hold another.
	regex.match(`^[^@#]+[@#]refs/heads/[^@#:]+$`, source(attestation).uri)
} else := ""

revision(attestation) := source(attestation).digest.gitCommit if {
	source(attestation).digest.gitCommit
} else := source(attestation).digest.sha1 if {
	source(attestation).digest.sha1
} else := ""

# Where the build began: what the builder was told to build, never one of its other materials.
source(attestation) := attestation.predicate.invocation.configSource if {
	attestation.predicateType == v02
	attestation.predicate.invocation.configSource.uri
} else := attestation.predicate.buildDefinition.externalParameters.configSource if {
	attestation.predicateType == v1
	attestation.predicate.buildDefinition.externalParameters.configSource.uri
} else := dependency if {
	attestation.predicateType == v1
	workflow := attestation.predicate.buildDefinition.externalParameters.workflow
	some dependency in attestation.predicate.buildDefinition.resolvedDependencies
	dependency.uri == concat("", ["git+", workflow.repository, at(workflow)])
} else := {"uri": "", "digest": {}}

# A workflow without a ref is of a repository alone.
at(workflow) := sprintf("@%s", [workflow.ref]) if workflow.ref

else := ""

materials(attestation) := attestation.predicate.buildDefinition.resolvedDependencies if {
	attestation.predicateType == v1
	is_array(attestation.predicate.buildDefinition.resolvedDependencies)
} else := attestation.predicate.materials if {
	attestation.predicateType == v02
	is_array(attestation.predicate.materials)
} else := []

pinned(material) if {
	some digest in material.digest
	is_string(digest)
	digest != ""
}

parameters(attestation) := attestation.predicate.buildDefinition.externalParameters if {
	attestation.predicateType == v1
	is_object(attestation.predicate.buildDefinition.externalParameters)
} else := attestation.predicate.invocation.parameters if {
	attestation.predicateType == v02
	is_object(attestation.predicate.invocation.parameters)
} else := {}

# One spelling for the ways in which a repository is written.
plain(uri) := trim_suffix(trim_suffix(trim_prefix(uri, "git+"), "/"), ".git")

described(image) := {text |
	some build in builds(image)
	text := sprintf("builder %q, repository %q, branch %q, revision %q", [
		build.builder,
		build.repository,
		build.branch,
		build.revision,
	])
}

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

heads := "refs/heads/"

v02 := "https://slsa.dev/provenance/v0.2"

v1 := "https://slsa.dev/provenance/v1"
