#!/usr/bin/env bash
# Makes the vectors of Tekton Chains by its own code: `make.sh FOLDER`. Needs Go and its module proxy;
# takes some minutes of CPU. Chains' own go.sum says what is built.
set -euo pipefail
out=$(realpath "$1")
here=$(realpath "$(dirname "$0")")
work=$(mktemp -d)
trap 'chmod -R u+w "$work" && rm -rf "$work"' EXIT
cd "$work"
go mod init vectors 2>/dev/null
from=$(go mod download -json github.com/tektoncd/chains@v0.22.0 | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
cp -r "$from" chains && chmod -R u+w chains
cd chains
rm -rf vendor pkg/chains/storage/grafeas/*_test.go
cp "$here/vectors_test.go" pkg/chains/storage/grafeas/
VECTORS=$out GOFLAGS=-mod=mod go test -vet=off -count=1 -run TestVectors ./pkg/chains/storage/grafeas
