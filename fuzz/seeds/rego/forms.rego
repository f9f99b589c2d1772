package acme.fuzz

import data.acme.other as o

# METADATA
# title: t
# custom:
#   needs: presence
deny contains {"code": "a", "msg": m, "image": i.path} if {
	some i in input.images
	not f(i.digest, data.parameters.n)
	every k, v in i.config { k != v }
	m := sprintf("%s %d", [i.path, count([x | x := i.attestations[_]; not x.y == 1])])
}

warn contains "w" if not input.request.object.a[input.n].b

f(a, b) := a if b > 0 else := 1 + 2 * -3

default g := {1, 2} | {3}

g := {x: y | some x, y in {"a": [1, 2, {3}]}}
