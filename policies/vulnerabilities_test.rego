package countersign.vulnerabilities_test

import data.countersign.vulnerabilities

cases := {
	"nothing found": {"parameters": {}, "found": [], "codes": set()},
	"an update is there": {
		"parameters": {},
		"found": [record("CVE-1", "LOW", true)],
		"codes": {"vulnerabilities.found"},
	},
	"an update is there, and that is tolerated": {
		"parameters": {"fixable": "LOW"},
		"found": [record("CVE-1", "LOW", true)],
		"codes": set(),
	},
	"no update yet": {
		"parameters": {},
		"found": [record("CVE-1", "MEDIUM", false)],
		"codes": set(),
	},
	"no update yet, and too bad": {
		"parameters": {},
		"found": [record("CVE-1", "HIGH", false)],
		"codes": {"vulnerabilities.found"},
	},
	"none at all": {
		"parameters": {"unfixable": "NONE"},
		"found": [record("CVE-1", "MINIMAL", false)],
		"codes": {"vulnerabilities.found"},
	},
	"everything tolerated": {
		"parameters": {"fixable": "CRITICAL", "unfixable": "CRITICAL"},
		"found": [record("CVE-1", "CRITICAL", true), record("CVE-2", "NONE", false)],
		"codes": set(),
	},
	"a severity that nobody named": {
		"parameters": {"fixable": "HIGH", "unfixable": "HIGH"},
		"found": [record("CVE-1", "SEVERITY_UNSPECIFIED", false)],
		"codes": {"vulnerabilities.found"},
	},
	"a severity that does not exist": {
		"parameters": {"fixable": "HIGH", "unfixable": "HIGH"},
		"found": [record("CVE-1", "NONE", false)],
		"codes": {"vulnerabilities.found"},
	},
	"allowed by name": {
		"parameters": {"allow": ["CVE-1"]},
		"found": [record("CVE-1", "CRITICAL", true)],
		"codes": set(),
	},
	"allowed by note": {
		"parameters": {"allow": ["projects/scans/notes/CVE-1"]},
		"found": [record("CVE-1", "CRITICAL", true)],
		"codes": set(),
	},
	"another allowed": {
		"parameters": {"allow": ["CVE-11"]},
		"found": [record("CVE-1", "CRITICAL", true)],
		"codes": {"vulnerabilities.found"},
	},
	"no details": {
		"parameters": {},
		"found": [{"note": "projects/scans/notes/CVE-1"}],
		"codes": {"vulnerabilities.found"},
	},
	"no note": {
		"parameters": {"allow": ["CVE-1"]},
		"found": [object.union(record("CVE-1", "HIGH", true), {"note": null})],
		"codes": {"vulnerabilities.found"},
	},
	"one package of two has an update": {
		"parameters": {"unfixable": "CRITICAL"},
		"found": [mixed],
		"codes": {"vulnerabilities.found"},
	},
	"the other package is too bad": {
		"parameters": {"fixable": "CRITICAL"},
		"found": [mixed],
		"codes": {"vulnerabilities.found"},
	},
	"packages that are no list": {
		"parameters": {"unfixable": "CRITICAL"},
		"found": [issues("x")],
		"codes": {"vulnerabilities.found"},
	},
	"no packages": {"parameters": {"unfixable": "CRITICAL"}, "found": [issues([])], "codes": set()},
	"packages left out": {"parameters": {"unfixable": "CRITICAL"}, "found": [issues(null)], "codes": set()},
	"a package that is none": {
		"parameters": {"unfixable": "CRITICAL"},
		"found": [issues(["x"])],
		"codes": {"vulnerabilities.found"},
	},
	"an update that is no yes or no": {
		"parameters": {"unfixable": "CRITICAL"},
		"found": [issues([{"fixAvailable": "true"}])],
		"codes": {"vulnerabilities.found"},
	},
	"an update left out": {
		"parameters": {"unfixable": "CRITICAL"},
		"found": [issues([{"fixAvailable": null}, {}])],
		"codes": set(),
	},
	"the store's own word goes first": {
		"parameters": {},
		"found": [object.union(
			record("CVE-1", "CRITICAL", false),
			{"vulnerability": {"effectiveSeverity": "LOW", "severity": "CRITICAL"}},
		)],
		"codes": set(),
	},
}

test_cases if {
	every case in cases {
		image := object.union(bare, {"records": {"vulnerabilities": case.found, "discoveries": [finished]}})
		found := vulnerabilities.deny with input.images as [image] with data.parameters as case.parameters
		{violation.code | some violation in found} == case.codes
	}
}

test_no_data if {
	found := vulnerabilities.deny with input.images as [bare]
	{violation.code | some violation in found} == {"vulnerabilities.unscanned"}
}

scans := {
	"finished": {"parameters": {}, "states": ["FINISHED_SUCCESS"], "codes": set()},
	"one of two finished": {"parameters": {}, "states": ["SCANNING", "FINISHED_SUCCESS"], "codes": set()},
	"under way": {"parameters": {}, "states": ["SCANNING"], "codes": {"vulnerabilities.unscanned"}},
	"failed": {"parameters": {}, "states": ["FINISHED_FAILED"], "codes": {"vulnerabilities.unscanned"}},
	"not asked for": {"parameters": {"scanned": false}, "states": [], "codes": set()},
	"asked for by name": {"parameters": {"scanned": true}, "states": [], "codes": {"vulnerabilities.unscanned"}},
}

test_scans if {
	every case in scans {
		discoveries := [{"discovery": {"analysisStatus": state}} | some state in case.states]
		image := object.union(bare, {"records": {"vulnerabilities": [], "discoveries": discoveries}})
		found := vulnerabilities.deny with input.images as [image] with data.parameters as case.parameters
		{violation.code | some violation in found} == case.codes
	}
}

test_messages if {
	many := [record(sprintf("CVE-%d", [number]), "HIGH", true) | some number in numbers.range(1, 7)]
	image := object.union(bare, {
		"platform": {"os": "linux", "architecture": "arm64"},
		"records": {
			"vulnerabilities": many,
			"discoveries": [{"discovery": {"analysisStatus": "SCANNING"}}],
		},
	})
	found := vulnerabilities.deny with input.images as [image]
	{violation.msg | some violation in found} == {
		concat("", [
			"CVE-1 (HIGH, fixable), CVE-2 (HIGH, fixable), CVE-3 (HIGH, fixable), ",
			"CVE-4 (HIGH, fixable), CVE-5 (HIGH, fixable) and 2 more for linux/arm64; ",
			"rebuild with the fixed versions, or allow them by name",
		]),
		"no store says that it finished a scan for linux/arm64 (SCANNING); scan the image",
	}
}

record(id, severity, fixable) := {
	"note": concat("/", ["projects/scans/notes", id]),
	"vulnerability": {"severity": severity, "fixAvailable": fixable},
}

mixed := {
	"note": "projects/scans/notes/CVE-1",
	"vulnerability": {
		"effectiveSeverity": "HIGH",
		"packageIssue": [{"fixAvailable": true}, {"fixAvailable": false}],
	},
}

issues(given) := {
	"note": "projects/scans/notes/CVE-1",
	"vulnerability": {"effectiveSeverity": "CRITICAL", "packageIssue": given},
}

finished := {"discovery": {"analysisStatus": "FINISHED_SUCCESS"}}

bare := {"path": "spec.containers[0].image", "records": {"vulnerabilities": [], "discoveries": []}}
