package main

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"sort"
	"strings"

	"k8s.io/client-go/kubernetes/scheme"
)

var unstable = regexp.MustCompile("/v[0-9]+(alpha|beta)[0-9]+$")

// tags are the fields of a type by what becomes of one that nobody has set: it is written as zero
// or as null, or a scalar that is zero is not written because it is no pointer.
type tags struct{ zero, null, nonzero []string }

// structFields says of each type what its JSON tags say and its schema does not.
func structFields() string {
	found := map[string]*tags{}
	for _, t := range scheme.Scheme.AllKnownTypes() {
		describe(t, found)
	}
	names := make([]string, 0, len(found))
	for name := range found {
		names = append(names, name)
	}
	sort.Strings(names)
	lines := []string{}
	for _, name := range names {
		lines = append(lines, fmt.Sprintf("%q: %s", name, found[name]))
	}
	return "{\n" + strings.Join(lines, ",\n") + "\n}\n"
}

func (t *tags) String() string {
	said := map[string]string{}
	for name, fields := range map[string][]string{"zero": t.zero, "null": t.null, "nonzero": t.nonzero} {
		if len(fields) > 0 {
			said[name] = strings.Join(fields, " ")
		}
	}
	text, _ := json.Marshal(said)
	return string(text)
}

func describe(t reflect.Type, found map[string]*tags) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	name := definition(t)
	if _, isKnown := found[name]; isKnown || t.Kind() != reflect.Struct || name == "" {
		return
	}
	found[name] = &tags{}
	own(t, found[name])
	for index := range t.NumField() {
		if field := t.Field(index); field.IsExported() {
			describe(field.Type, found)
		}
	}
}

func own(t reflect.Type, fields *tags) {
	for index := range t.NumField() {
		field := t.Field(index)
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "" && strings.Contains(options, "inline") {
			if field.Type.Name() != "TypeMeta" {
				own(field.Type, fields)
			}
			continue
		}
		isOptional := strings.Contains(options, "omitempty")
		kind := field.Type.Kind()
		isNullable := kind == reflect.Pointer || kind == reflect.Slice || kind == reflect.Map ||
			kind == reflect.Interface || isTime(field.Type)
		switch {
		case name == "" || name == "-" || strings.Contains(options, "omitzero"):
		case isNullable && (!isOptional || kind == reflect.Struct):
			fields.null = append(fields.null, name)
		case !isNullable && (!isOptional || kind == reflect.Struct):
			fields.zero = append(fields.zero, name)
		case !isNullable:
			fields.nonzero = append(fields.nonzero, name)
		}
	}
}

func isTime(t reflect.Type) bool {
	return strings.HasSuffix(t.Name(), "Time") && t.Kind() == reflect.Struct || t.Name() == "RawExtension"
}

// definition returns the name that OpenAPI gives a type, "" when it is none of Kubernetes'.
func definition(t reflect.Type) string {
	path, found := strings.CutPrefix(t.PkgPath(), "k8s.io/")
	if !found || unstable.MatchString(path) || strings.HasSuffix(t.Name(), "List") {
		return ""
	}
	return "io.k8s." + strings.ReplaceAll(path, "/", ".") + "." + t.Name()
}
