// What the real validation of CustomResourceDefinitions says of each v1 object in a JSON list on
// standard input: a list of lists of errors on standard output.
package main

import (
	"context"
	"encoding/json"
	"os"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/install"
	v1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation"
	"k8s.io/apimachinery/pkg/runtime"
)

func main() {
	scheme := runtime.NewScheme()
	install.Install(scheme)
	var objects []json.RawMessage
	if err := json.NewDecoder(os.Stdin).Decode(&objects); err != nil {
		panic(err)
	}
	answers := make([][]string, 0, len(objects))
	for _, raw := range objects {
		answers = append(answers, errorsOf(scheme, raw))
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", " ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(answers); err != nil {
		panic(err)
	}
}

// errorsOf validates one object as a create does.
func errorsOf(scheme *runtime.Scheme, raw []byte) []string {
	served := &v1.CustomResourceDefinition{}
	if err := json.Unmarshal(raw, served); err != nil {
		return []string{"undecodable: " + err.Error()}
	}
	scheme.Default(served)
	internal := &apiextensions.CustomResourceDefinition{}
	if err := scheme.Convert(served, internal, nil); err != nil {
		return []string{"inconvertible: " + err.Error()}
	}
	internal.Status = apiextensions.CustomResourceDefinitionStatus{}
	for _, version := range internal.Spec.Versions {
		if version.Storage {
			internal.Status.StoredVersions = []string{version.Name}
			break
		}
	}
	texts := []string{}
	for _, err := range validation.ValidateCustomResourceDefinition(context.TODO(), internal) {
		texts = append(texts, err.Error())
	}
	return texts
}
