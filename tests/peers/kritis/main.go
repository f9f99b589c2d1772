// Signs a payload as Kritis and Voucher do, with the library that both use and the calls that both
// make: Kritis' `attestlib` with its defaults, Voucher's `signer/pgp` with SHA-512. Neither module
// can be had from the Go proxy.
//
//	go run . SECRET.asc PAYLOAD FOLDER
package main

import (
	"bytes"
	"crypto"
	"log"
	"os"
	"path/filepath"

	"golang.org/x/crypto/openpgp"
	"golang.org/x/crypto/openpgp/armor"
	"golang.org/x/crypto/openpgp/packet"
)

func main() {
	log.SetFlags(0)
	secret, err := os.ReadFile(os.Args[1])
	check(err)
	ring, err := openpgp.ReadArmoredKeyRing(bytes.NewReader(secret))
	check(err)
	payload, err := os.ReadFile(os.Args[2])
	check(err)
	for name, config := range map[string]*packet.Config{
		"kritis.asc":  {},
		"voucher.asc": {DefaultHash: crypto.SHA512},
	} {
		var signed bytes.Buffer
		armored, err := armor.Encode(&signed, openpgp.SignatureType, nil)
		check(err)
		writer, err := openpgp.Sign(armored, ring[0], nil, config)
		check(err)
		_, err = writer.Write(payload)
		check(err)
		check(writer.Close())
		check(armored.Close())
		check(os.WriteFile(filepath.Join(os.Args[3], name), signed.Bytes(), 0o644))
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
