# METADATA
# title: Vulnerabilities
# description: >
#   No image has a known vulnerability above what is tolerated: `fixable` for those that an update
#   mends, `unfixable` for the others; `NONE` tolerates none, `CRITICAL` all. A severity that nobody
#   named counts as critical. What is in `allow` (CVE-2026-1234, or the whole name of a note) does
#   not count. Unless `scanned` is false, a store must say that it finished looking. What is
#   read are records: no signature covers them, only the store's access control does.
# custom:
#   code: vulnerabilities.found
#   parameters:
#     type: object
#     properties:
#       fixable: {enum: [NONE, MINIMAL, LOW, MEDIUM, HIGH, CRITICAL]}
#       unfixable: {enum: [NONE, MINIMAL, LOW, MEDIUM, HIGH, CRITICAL]}
#       allow: {type: array, items: {type: string, minLength: 1}, uniqueItems: true}
#       scanned: {type: boolean}
package countersign.vulnerabilities

deny contains violation if {
	some image in input.images
	count(intolerable(image)) > 0
	violation := {
		"code": "vulnerabilities.found",
		"image": image.path,
		"msg": sprintf("%s%s; rebuild with the fixed versions, or allow them by name", [
			listed(image),
			platform(image),
		]),
	}
}

deny contains violation if {
	some image in input.images
	scan_demanded
	not scanned(image)
	violation := {
		"code": "vulnerabilities.unscanned",
		"image": image.path,
		"msg": sprintf("no store says that it finished a scan%s%s; scan the image", [
			platform(image),
			states(image),
		]),
	}
}

intolerable(image) := {[name(record), severity(record), kind] |
	some record in image.records.vulnerabilities
	not allowed(record)
	some kind in kinds(record)
	rank(severity(record)) > rank(tolerated(kind))
}

# Of the affected packages some may have a fix and others not: then the record is of both kinds. So
# is one that does not say it as records do.
kinds(record) := union({kinds_of(issue) | some issue in issues(record)})

issues(record) := record.vulnerability.packageIssue if {
	is_array(record.vulnerability.packageIssue)
	count(record.vulnerability.packageIssue) > 0
} else := [record.vulnerability] if {
	object.get(record.vulnerability, "packageIssue", []) in [[], null]
} else := ["unreadable"]

kinds_of(issue) := {"fixable"} if {
	issue.fixAvailable == true
} else := {"unfixable"} if {
	object.get(issue, "fixAvailable", false) in [false, null]
} else := {"fixable", "unfixable"}

# An update is there: it should have been made, so what has one is held to more by default.
tolerated("fixable") := data.parameters.fixable if {
	data.parameters.fixable
} else := "NONE"

tolerated("unfixable") := data.parameters.unfixable if {
	data.parameters.unfixable
} else := "MEDIUM"

allowed(record) if name(record) in data.parameters.allow

allowed(record) if record.note in data.parameters.allow

# The last part of the note's name, which stores give the identifier of the vulnerability.
name(record) := regex.replace(record.note, `^.*/`, "") if {
	is_string(record.note)
} else := "a vulnerability without a note"

# What the store makes of it goes before what the database says.
severity(record) := record.vulnerability.effectiveSeverity if {
	record.vulnerability.effectiveSeverity in severities
} else := record.vulnerability.severity if {
	record.vulnerability.severity in severities
} else := "SEVERITY_UNSPECIFIED"

rank("NONE") := 0

rank("MINIMAL") := 1

rank("LOW") := 2

rank("MEDIUM") := 3

rank("HIGH") := 4

rank("CRITICAL") := 5

rank("SEVERITY_UNSPECIFIED") := 5

severities := {"MINIMAL", "LOW", "MEDIUM", "HIGH", "CRITICAL"}

default scan_demanded := true

scan_demanded := false if data.parameters.scanned == false

scanned(image) if {
	some record in image.records.discoveries
	record.discovery.analysisStatus == "FINISHED_SUCCESS"
}

states(image) := sprintf(" (%s)", [concat(", ", found)]) if {
	found := {state | some record in image.records.discoveries; state := record.discovery.analysisStatus}
	count(found) > 0
} else := ""

platform(image) := sprintf(" for %s/%s", [image.platform.os, image.platform.architecture]) if {
	image.platform != null
} else := ""

# The first of them, so that the text stays readable.
listed(image) := concat("", [concat(", ", array.slice(texts, 0, 5)), more]) if {
	texts := [sprintf("%s (%s, %s)", entry) | some entry in sort(intolerable(image))]
	more := others(count(texts) - 5)
}

others(left) := sprintf(" and %d more", [left]) if {
	left > 0
} else := ""
