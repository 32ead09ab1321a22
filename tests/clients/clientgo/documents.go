package main

import (
	"reflect"

	openapi "github.com/google/gnostic-models/openapiv3"
	yaml "go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/proto"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/discovery"
	schemas "k8s.io/client-go/openapi"
	"k8s.io/client-go/rest"
)

var documentSteps = []step{
	{"OpenAPI v3 in protobuf", sameDocuments},
}

const openAPIProtobuf = "application/com.github.proto-openapi.spec.v3.v1.0+protobuf"

// sameDocuments holds when OpenAPI documents say in protobuf what they say in JSON.
func sameDocuments(s *session) error {
	config := rest.CopyConfig(s.config)
	config.WrapTransport = nil // counts answers, which these have types of their own for
	clients, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return err
	}
	documents, err := clients.OpenAPIV3().Paths()
	if err != nil {
		return err
	}
	for _, path := range []string{"api/v1", "apis/apps/v1", "apis/apiextensions.k8s.io/v1"} {
		if err := sameInBoth(path, documents[path]); err != nil {
			return err
		}
	}
	return nil
}

func sameInBoth(path string, served schemas.GroupVersion) error {
	if served == nil {
		return expect(false, "no document of %s", path)
	}
	text, err := served.Schema(runtime.ContentTypeJSON)
	if err != nil {
		return err
	}
	wanted, err := openapi.ParseDocument(text)
	if err != nil {
		return err
	}
	encoded, err := served.Schema(openAPIProtobuf)
	if err != nil {
		return err
	}
	found := &openapi.Document{}
	if err := proto.Unmarshal(encoded, found); err != nil {
		return err
	}
	left, leftErr := plain(wanted)
	right, rightErr := plain(found)
	return all(leftErr, rightErr, expect(reflect.DeepEqual(left, right), "%s differs in protobuf", path))
}

// plain is a document as maps and lists.
func plain(document *openapi.Document) (value any, err error) {
	text, err := document.YAMLValue("")
	if err == nil {
		err = yaml.Unmarshal(text, &value)
	}
	return value, err
}
