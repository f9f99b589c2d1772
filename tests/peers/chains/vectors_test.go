// Writes what Chains would send to Grafeas, by its own formatters, signers and storage backend: put
// into its package, since nothing else can give the backend another client than Google's.
package grafeas

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	pb "github.com/grafeas/grafeas/proto/v1/grafeas_go_proto"
	intoto "github.com/in-toto/attestation/go/v1"
	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/tektoncd/chains/pkg/chains/formats"
	_ "github.com/tektoncd/chains/pkg/chains/formats/all"
	"github.com/tektoncd/chains/pkg/chains/objects"
	"github.com/tektoncd/chains/pkg/chains/signing"
	"github.com/tektoncd/chains/pkg/config"
	v1 "github.com/tektoncd/pipeline/pkg/apis/pipeline/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protojson"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

const (
	image  = "index.docker.io/acme/shop"
	digest = "sha256:c921711d1448ef5aede65c3657eaafeab8e13cedea9eaf8e33cb1b2e0f9fa65c"
)

type recorder struct {
	pb.GrafeasClient
	occurrences []*pb.Occurrence
}

func (r *recorder) CreateNote(context.Context, *pb.CreateNoteRequest, ...grpc.CallOption) (*pb.Note, error) {
	return &pb.Note{}, nil
}

func (r *recorder) CreateOccurrence(_ context.Context, in *pb.CreateOccurrenceRequest, _ ...grpc.CallOption) (*pb.Occurrence, error) {
	r.occurrences = append(r.occurrences, in.Occurrence)
	return in.Occurrence, nil
}

type keySigner struct{ signature.SignerVerifier }

func (keySigner) Type() string  { return signing.TypeX509 }
func (keySigner) Cert() string  { return "" }
func (keySigner) Chain() string { return "" }

func TestVectors(t *testing.T) {
	out := os.Getenv("VECTORS")
	if out == "" {
		t.Skip("VECTORS names no folder")
	}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	write := func(name string, content []byte) { check(os.WriteFile(filepath.Join(out, name), content, 0o644)) }
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(err)
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	check(err)
	write("chains.pub", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	verifier, err := signature.LoadSignerVerifier(key, crypto.SHA256)
	check(err)
	ctx := context.Background()
	ref, err := name.NewDigest(image + "@" + digest)
	check(err)
	run := objects.NewTaskRunObjectV1(&v1.TaskRun{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "build", UID: types.UID("uid-1")},
		Status: v1.TaskRunStatus{TaskRunStatusFields: v1.TaskRunStatusFields{Results: []v1.TaskRunResult{
			{Name: "IMAGE_URL", Value: *v1.NewStructuredValues(image)},
			{Name: "IMAGE_DIGEST", Value: *v1.NewStructuredValues(digest)},
			{Name: "CHAINS-GIT_URL", Value: *v1.NewStructuredValues("https://git.example.test/acme/shop")},
			{Name: "CHAINS-GIT_COMMIT", Value: *v1.NewStructuredValues("0123456789abcdef0123456789abcdef01234567")},
		}}},
	})
	cfg := config.Config{
		Builder: config.BuilderConfig{ID: "https://tekton.dev/chains/v2"},
		Storage: config.StorageConfigs{Grafeas: config.GrafeasConfig{ProjectID: "build", NoteID: "chains"}},
	}
	for _, one := range []struct {
		file   string
		format config.PayloadType
		object any
		key    string
	}{
		{"attestation.json", formats.PayloadTypeSimpleSigning, ref, ref.Name()},
		{"build-slsa1.json", formats.PayloadTypeSlsav1, run, ""},
		{"build-slsa2alpha4.json", formats.PayloadTypeSlsav2alpha4, run, ""},
	} {
		payloader, err := formats.GetPayloader(one.format, cfg)
		check(err)
		payload, err := payloader.CreatePayload(ctx, one.object)
		check(err)
		var raw []byte
		switch payload := payload.(type) {
		case *intoto.Statement:
			raw, err = protojson.Marshal(payload)
		case intoto.Statement:
			raw, err = protojson.Marshal(&payload)
		default:
			raw, err = json.Marshal(payload)
		}
		check(err)
		var signer signing.Signer = keySigner{verifier}
		if payloader.Wrap() {
			signer, err = signing.Wrap(signer)
			check(err)
		}
		signed, err := signer.SignMessage(bytes.NewReader(raw))
		check(err)
		client := &recorder{}
		backend := Backend{client: client, cfg: cfg}
		opts := config.StorageOpts{FullKey: one.key, PayloadFormat: one.format}
		check(backend.StorePayload(ctx, run, raw, string(signed), opts))
		for _, occurrence := range client.occurrences {
			occurrence.Name = "projects/build/occurrences/1"
			text, err := protojson.Marshal(occurrence)
			check(err)
			write(one.file, text)
		}
	}
}
