// Command ggcr is go-containerregistry's registry in memory with its referrers API: artifacts are
// listed with the type of their config and without annotations, and nothing says that a subject was
// understood. It forgets everything when it ends.
package main

import (
	"flag"
	"log"
	"net/http"

	"github.com/google/go-containerregistry/pkg/registry"
)

func main() {
	address := flag.String("address", "127.0.0.1:5000", "where to listen")
	flag.Parse()
	log.Fatal(http.ListenAndServe(*address, registry.New(registry.WithReferrersSupport(true))))
}
