// Command ociserve is a registry in memory with a correct referrers API: ociregistry's server
// behind a listener. It forgets everything when it ends.
package main

import (
	"flag"
	"log"
	"net/http"

	"cuelabs.dev/go/oci/ociregistry/ocimem"
	"cuelabs.dev/go/oci/ociregistry/ociserver"
)

func main() {
	address := flag.String("address", "127.0.0.1:5000", "where to listen")
	certificate := flag.String("cert", "", "PEM certificate; without it, plain HTTP")
	key := flag.String("key", "", "PEM key of the certificate")
	flag.Parse()

	handler := ociserver.New(ocimem.New(), nil)
	if *certificate != "" {
		log.Fatal(http.ListenAndServeTLS(*address, *certificate, *key, handler))
	}
	log.Fatal(http.ListenAndServe(*address, handler))
}
