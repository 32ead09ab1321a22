// What the real estimator says that each rule of a schema costs: standard input is a JSON schema
// with rules, standard output the list of pairs of a rule and its cost.
package main

import (
	"encoding/json"
	"os"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	v1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/model"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/environment"
)

func main() {
	served := &v1.JSONSchemaProps{}
	if err := json.NewDecoder(os.Stdin).Decode(served); err != nil {
		panic(err)
	}
	internal := &apiextensions.JSONSchemaProps{}
	if err := v1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(served, internal, nil); err != nil {
		panic(err)
	}
	structural, err := schema.NewStructural(internal)
	if err != nil {
		panic(err)
	}
	base := environment.MustBaseEnvSet(environment.DefaultCompatibilityVersion())
	results, err := cel.Compile(structural, model.SchemaDeclType(structural, true),
		celconfig.PerCallLimit, base, cel.NewExpressionsEnvLoader())
	if err != nil {
		panic(err)
	}
	pairs := make([][2]any, 0, len(results))
	for i, result := range results {
		rule := served.XValidations[i].Rule
		if result.Error != nil {
			pairs = append(pairs, [2]any{rule, result.Error.Detail})
		} else {
			pairs = append(pairs, [2]any{rule, result.MaxCost})
		}
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(pairs); err != nil {
		panic(err)
	}
}
