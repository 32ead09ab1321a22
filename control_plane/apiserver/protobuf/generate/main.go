// Prints how Kubernetes' types look on the wire: for every kind, its fields with their protobuf
// numbers, JSON names and kinds, read by reflection from the published Go types. The output is
// control_plane/apiserver/protobuf/wire_types.json; see ../wire_types.py for its form.
package main

import (
	"encoding/json"
	"os"
	"reflect"
	"sort"
	"strconv"
	"strings"

	admissionregistration "k8s.io/api/admissionregistration/v1"
	admissionalpha "k8s.io/api/admissionregistration/v1alpha1"
	admissionbeta "k8s.io/api/admissionregistration/v1beta1"
	apidiscovery "k8s.io/api/apidiscovery/v2"
	apps "k8s.io/api/apps/v1"
	authentication "k8s.io/api/authentication/v1"
	authorization "k8s.io/api/authorization/v1"
	autoscaling1 "k8s.io/api/autoscaling/v1"
	autoscaling2 "k8s.io/api/autoscaling/v2"
	batch "k8s.io/api/batch/v1"
	certificates "k8s.io/api/certificates/v1"
	coordination "k8s.io/api/coordination/v1"
	core "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	events "k8s.io/api/events/v1"
	flowcontrol "k8s.io/api/flowcontrol/v1"
	networking "k8s.io/api/networking/v1"
	node "k8s.io/api/node/v1"
	policy "k8s.io/api/policy/v1"
	rbac "k8s.io/api/rbac/v1"
	resource "k8s.io/api/resource/v1"
	scheduling "k8s.io/api/scheduling/v1"
	storage "k8s.io/api/storage/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	metabeta "k8s.io/apimachinery/pkg/apis/meta/v1beta1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	apiregistration "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
)

const (
	repeated  = 1
	mapped    = 2
	pointer   = 4
	omitEmpty = 8
	inline    = 16

	extensions = "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

var special = map[string]string{
	"k8s.io/apimachinery/pkg/api/resource.Quantity":   "quantity",
	"k8s.io/apimachinery/pkg/util/intstr.IntOrString": "int-or-string",
	"k8s.io/apimachinery/pkg/apis/meta/v1.Time":       "time",
	"k8s.io/apimachinery/pkg/apis/meta/v1.MicroTime":  "micro-time",
	"k8s.io/apimachinery/pkg/apis/meta/v1.Duration":   "duration",
	"k8s.io/apimachinery/pkg/runtime.RawExtension":    "raw",
	extensions + ".JSON":                              "raw",
	extensions + ".JSONSchemaPropsOrBool":             "schema-or-bool",
	extensions + ".JSONSchemaPropsOrArray":            "schema-or-list",
	extensions + ".JSONSchemaPropsOrStringArray":      "schema-or-texts",
	"k8s.io/apimachinery/pkg/apis/meta/v1.FieldsV1":   "raw",
}

type marshaler interface{ Marshal() ([]byte, error) }

var types = map[string][]any{}

func name(t reflect.Type) string {
	path := t.PkgPath()
	for _, prefix := range []string{"k8s.io/api/", "k8s.io/apimachinery/pkg/", "k8s.io/kube-aggregator/pkg/apis/", "k8s.io/apiextensions-apiserver/pkg/apis/"} {
		path = strings.TrimPrefix(path, prefix)
	}
	return path + "." + t.Name()
}

func kind(t reflect.Type) string {
	if k, ok := special[t.PkgPath()+"."+t.Name()]; ok {
		return k
	}
	switch t.Kind() {
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "bool"
	case reflect.Int, reflect.Int32, reflect.Int64, reflect.Uint32, reflect.Uint64:
		return "int"
	case reflect.Float64:
		return "double"
	case reflect.Struct:
		describe(t)
		return "@" + name(t)
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return "bytes"
		}
		if t.Name() != "" && reflect.PointerTo(t).Implements(reflect.TypeOf((*marshaler)(nil)).Elem()) {
			types[name(t)] = []any{[]any{1, "", kind(t.Elem()), repeated}}
			return "list@" + name(t)
		}
	}
	panic("unexpected type " + t.String())
}

func describe(t reflect.Type) {
	if _, done := types[name(t)]; done {
		return
	}
	types[name(t)] = nil
	var fields []any
	for i := 0; i < t.NumField(); i++ {
		f := t.Field(i)
		tag := f.Tag.Get("protobuf")
		if tag == "" || tag == "-" {
			continue
		}
		number, err := strconv.Atoi(strings.Split(tag, ",")[1])
		if err != nil {
			panic(err)
		}
		js := strings.Split(f.Tag.Get("json"), ",")
		flags, ft := 0, f.Type
		for _, option := range js[1:] {
			if option == "omitempty" {
				flags |= omitEmpty
			}
			if option == "inline" {
				flags |= inline
			}
		}
		if ft.Kind() == reflect.Pointer {
			flags, ft = flags|pointer, ft.Elem()
		}
		isList := ft.Kind() == reflect.Slice && ft.Elem().Kind() != reflect.Uint8 && !(ft.Name() != "" && reflect.PointerTo(ft).Implements(reflect.TypeOf((*marshaler)(nil)).Elem()))
		if isList {
			flags, ft = flags|repeated, ft.Elem()
			if ft.Kind() == reflect.Pointer {
				ft = ft.Elem()
			}
		} else if ft.Kind() == reflect.Map {
			flags, ft = flags|mapped, ft.Elem()
		}
		fields = append(fields, []any{number, js[0], kind(ft), flags})
	}
	sort.Slice(fields, func(i, j int) bool { return fields[i].([]any)[0].(int) < fields[j].([]any)[0].(int) })
	types[name(t)] = fields
}

// Whether a kind of admission's has a newer version that is served; mutating policies have none.
func isOldAdmission(gvk schema.GroupVersionKind) bool {
	if gvk.Group != admissionregistration.GroupName || gvk.Version == "v1" {
		return false
	}
	return !strings.HasPrefix(gvk.Kind, "MutatingAdmissionPolicy") && !strings.HasSuffix(gvk.Kind, "Options")
}

func main() {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		admissionregistration.AddToScheme, admissionalpha.AddToScheme, admissionbeta.AddToScheme, apidiscovery.AddToScheme, apps.AddToScheme, authentication.AddToScheme,
		authorization.AddToScheme, autoscaling1.AddToScheme, autoscaling2.AddToScheme, batch.AddToScheme,
		certificates.AddToScheme, coordination.AddToScheme, core.AddToScheme, discovery.AddToScheme,
		events.AddToScheme, flowcontrol.AddToScheme, networking.AddToScheme, node.AddToScheme,
		policy.AddToScheme, rbac.AddToScheme, resource.AddToScheme, scheduling.AddToScheme, storage.AddToScheme,
		meta.AddMetaToScheme, metabeta.AddMetaToScheme, apiregistration.AddToScheme, apiextensions.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			panic(err)
		}
	}
	kinds := map[string]string{}
	for gvk, t := range scheme.AllKnownTypes() {
		if gvk.Version == runtime.APIVersionInternal || gvk.Kind == "WatchEvent" || strings.HasPrefix(gvk.Kind, "Table") {
			continue
		}
		if isOldAdmission(gvk) {
			continue
		}
		describe(t)
		kinds[gvk.GroupVersion().String()+"/"+gvk.Kind] = name(t)
	}
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	if err := out.Encode(map[string]any{"kinds": kinds, "types": types}); err != nil {
		panic(err)
	}
}
