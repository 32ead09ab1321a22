// Prints what Kubernetes' own types are as JSON and as protobuf: for every kind an object with all
// fields set, some at random and none, and a few by hand. Each line of the output is
// {"case", "json", "protobuf"}; the protobuf is the encoding of exactly that JSON, and the JSON is
// what that protobuf decodes to, except where "only" says that one direction holds. See
// ../recorded.py for how the output is kept. With the argument "read" it does the opposite; see read.go.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math/rand"
	"os"
	"reflect"
	"sort"
	"strconv"
	"strings"
	"time"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/randfill"
)

type line struct {
	Case     string          `json:"case"`
	Only     string          `json:"only,omitempty"`
	JSON     json.RawMessage `json:"json"`
	Protobuf []byte          `json:"protobuf"`
}

var out = json.NewEncoder(bufio.NewWriter(os.Stdout))

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func filler(seed string, nilChance float64) *randfill.Filler {
	hash := fnv.New64a()
	hash.Write([]byte(seed))
	source := rand.New(rand.NewSource(int64(hash.Sum64())))
	texts := 0
	return randfill.New().RandSource(source).NilChance(nilChance).NumElements(1, 1).MaxDepth(40).Funcs(
		func(s *string, c randfill.Continue) {
			texts++
			*s = []string{"a", "b-c", "ü", ""}[texts%4] + strconv.Itoa(texts%7)
		},
		func(b *[]byte, c randfill.Continue) { *b = []byte{byte(c.Intn(256)), 0, 255} },
		func(n *int32, c randfill.Continue) { *n = int32(c.Intn(400) - 100) },
		func(n *int64, c randfill.Continue) { *n = int64(c.Intn(100000) - 100) },
		func(q *resource.Quantity, c randfill.Continue) {
			*q = resource.MustParse([]string{"0", "100m", "2Gi", "1500", "3e6"}[c.Intn(5)])
		},
		func(v *intstr.IntOrString, c randfill.Continue) {
			if *v = intstr.FromInt32(int32(c.Intn(300))); c.Intn(2) == 0 {
				*v = intstr.FromString("25%")
			}
		},
		func(t *meta.Time, c randfill.Continue) { *t = meta.Unix(1700000000+int64(c.Intn(1000)), 0) },
		func(t *meta.MicroTime, c randfill.Continue) {
			*t = meta.NewMicroTime(time.Unix(1700000000, int64(c.Intn(1000000))*1000))
		},
		func(r *runtime.RawExtension, c randfill.Continue) { r.Raw = []byte(`{"a":[1,"x"]}`) },
		func(s *apiextensions.JSONSchemaProps, c randfill.Continue) {
			check(json.Unmarshal([]byte(schemaText), s))
		},
		func(f *meta.FieldsV1, c randfill.Continue) { f.Raw = []byte(`{"f:a":{"f:b":{}}}`) },
	)
}

func toJSON(obj runtime.Object) []byte {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	check(encoder.Encode(obj))
	return buffer.Bytes()
}

func record(scheme *runtime.Scheme, name string, kind schema.GroupVersionKind, text []byte, only string) {
	serializer := protobuf.NewSerializer(scheme, scheme)
	fresh, err := scheme.New(kind)
	check(err)
	check(json.Unmarshal(text, fresh))
	fresh.GetObjectKind().SetGroupVersionKind(kind)
	var encoded bytes.Buffer
	check(serializer.Encode(fresh, &encoded))
	if only != "" {
		named, err := json.Marshal(map[string]string{"kind": kind.Kind, "apiVersion": kind.GroupVersion().String()})
		check(err)
		var compact bytes.Buffer
		check(json.Compact(&compact, text))
		text = append(append(named[:len(named)-1], ','), compact.Bytes()[1:]...)
	} else {
		back, _, err := serializer.Decode(encoded.Bytes(), nil, nil)
		check(err)
		back.GetObjectKind().SetGroupVersionKind(kind)
		if text = toJSON(back); !reflect.DeepEqual(reencoded(scheme, text, kind), encoded.Bytes()) {
			panic("not stable: " + name)
		}
	}
	check(out.Encode(line{name, only, bytes.TrimSpace(text), encoded.Bytes()}))
}

func reencoded(scheme *runtime.Scheme, text []byte, kind schema.GroupVersionKind) []byte {
	obj, err := scheme.New(kind)
	check(err)
	check(json.Unmarshal(text, obj))
	obj.GetObjectKind().SetGroupVersionKind(kind)
	var encoded bytes.Buffer
	check(protobuf.NewSerializer(scheme, scheme).Encode(obj, &encoded))
	return encoded.Bytes()
}

func filled(scheme *runtime.Scheme, kind schema.GroupVersionKind, name string, nilChance float64) {
	obj, err := scheme.New(kind)
	check(err)
	if nilChance < 1 {
		filler(name, nilChance).Fill(obj)
		if metadata, err := apimeta.Accessor(obj); err == nil {
			metadata.SetName("recorded")
			metadata.SetNamespace("recorded")
			metadata.SetResourceVersion("")
			metadata.SetSelfLink("")
		}
	}
	record(scheme, name, kind, toJSON(obj), "")
}

func isList(kind schema.GroupVersionKind) bool { return strings.HasSuffix(kind.Kind, "List") }

func main() {
	if len(os.Args) > 1 && os.Args[1] == "read" {
		read(storedScheme(), os.Stdin)
		return
	}
	writer := bufio.NewWriter(os.Stdout)
	defer writer.Flush()
	out = json.NewEncoder(writer)
	out.SetEscapeHTML(false)
	scheme := newScheme()
	seen := map[reflect.Type]bool{}
	kinds := []schema.GroupVersionKind{}
	for kind := range scheme.AllKnownTypes() {
		kinds = append(kinds, kind)
	}
	sort.Slice(kinds, func(i, j int) bool { return kinds[i].String() < kinds[j].String() })
	for _, kind := range kinds {
		t := scheme.AllKnownTypes()[kind]
		skipped := kind.Version == runtime.APIVersionInternal || kind.Kind == "WatchEvent"
		if skipped || strings.HasPrefix(kind.Kind, "Table") || seen[t] {
			continue
		}
		seen[t] = true
		name := kind.GroupVersion().String() + "/" + kind.Kind
		filled(scheme, kind, name+" empty", 1)
		if !isList(kind) || kind.Group == "meta.k8s.io" || kind.Group == "" && kind.Kind == "APIGroupList" {
			filled(scheme, kind, name+" full", 0)
			filled(scheme, kind, name+" some", 0.7)
		} else if kind.Kind == "ConfigMapList" || kind.Kind == "LeaseList" {
			filled(scheme, kind, name+" full", 0)
		}
	}
	for _, one := range byHand {
		kind := schema.FromAPIVersionAndKind(one.version, one.kind)
		record(scheme, fmt.Sprintf("%s/%s %s", one.version, one.kind, one.name), kind, []byte(one.text), one.only)
	}
	recordEvents(scheme)
}
