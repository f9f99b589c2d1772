module countersign.dev/peers/kritis

go 1.24

require golang.org/x/crypto v0.28.0
