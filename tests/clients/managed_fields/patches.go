package main

import (
	"math/rand"
	"reflect"
	"slices"
	"sort"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
)

const tries = 24

// Merge is a strategic merge patch of an object. Of several things that are wrong with one upstream
// names any, so Errors are all that it was seen to name.
type Merge struct {
	APIVersion string         `json:"apiVersion"`
	Kind       string         `json:"kind"`
	Object     map[string]any `json:"object"`
	Patch      map[string]any `json:"patch"`
	Result     map[string]any `json:"result,omitempty"`
	Errors     []string       `json:"errors,omitempty"`
}

// merge makes one patch and notes what comes of it; ok is false where that is not always the same.
func merge(kind Kind, random *rand.Rand) (made Merge, ok bool) {
	t := reflect.TypeOf(kind.object).Elem()
	whole := value(random, t, 0).(map[string]any)
	object, _ := withoutNulls(part(random, whole)).(map[string]any)
	patch := structPatch(random, object, part(random, whole), t)
	made = Merge{kind.version.String(), t.Name(), object, patch, nil, nil}
	schema, err := strategicpatch.NewPatchMetaFromStruct(kind.object)
	if err != nil {
		panic(err)
	}
	for range tries {
		result, err := strategicpatch.StrategicMergeMapPatchUsingLookupPatchMeta(
			runtime.DeepCopyJSON(object), runtime.DeepCopyJSON(patch), schema)
		switch {
		case err != nil && !slices.Contains(made.Errors, err.Error()):
			made.Errors = append(made.Errors, err.Error())
		case err == nil && made.Result != nil && !reflect.DeepEqual(made.Result, map[string]any(result)):
			return made, false
		case err == nil:
			made.Result = result
		}
	}
	sort.Strings(made.Errors)
	return made, made.Result == nil || made.Errors == nil
}

// structPatch patches some fields of an object, by what the type says of each.
func structPatch(random *rand.Rand, live map[string]any, wanted any, t reflect.Type) map[string]any {
	patch := map[string]any{}
	fields, _ := wanted.(map[string]any)
	for _, name := range sortedKeys(fields) {
		field, found := fieldNamed(t, name)
		if !found || random.Float64() < 0.1 {
			continue
		}
		if random.Float64() < 0.1 {
			patch[name] = nil
			continue
		}
		strategy := field.Tag.Get("patchStrategy")
		key := field.Tag.Get("patchMergeKey")
		inner := field.Type
		for inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		list, isList := fields[name].([]any)
		switch {
		case isList && strings.Contains(strategy, "merge") && key != "":
			before, _ := live[name].([]any)
			itemsPatch(random, patch, name, key, before, list, inner.Elem())
		case isList && strings.Contains(strategy, "merge"):
			before, _ := live[name].([]any)
			primitivesPatch(random, patch, name, before, list)
		case isMap(fields[name]) && inner.Kind() == reflect.Struct:
			before, _ := live[name].(map[string]any)
			nested := structPatch(random, before, fields[name], inner)
			marked(random, nested, strings.Contains(strategy, "retainKeys"))
			patch[name] = nested
		case isMap(fields[name]):
			nested := runtime.DeepCopyJSON(fields[name].(map[string]any))
			marked(random, nested, false)
			patch[name] = nested
		default:
			patch[name] = runtime.DeepCopyJSONValue(fields[name])
		}
	}
	return patch
}

// marked adds a directive to a map now and then.
func marked(random *rand.Rand, patch map[string]any, retains bool) {
	luck := random.Float64()
	switch {
	case luck < 0.03:
		patch["$patch"] = []string{"replace", "delete", "merge"}[random.Intn(3)]
	case retains && luck < 0.5 || luck < 0.05:
		kept := []any{}
		for _, name := range sortedKeys(patch) {
			if !strings.HasPrefix(name, "$") && random.Float64() < 0.95 {
				kept = append(kept, name)
			}
		}
		patch["$retainKeys"] = append(kept, words[random.Intn(len(words))])
	}
}

func itemsPatch(
	random *rand.Rand, patch map[string]any, name, key string, before, wanted []any, t reflect.Type,
) {
	items, order := []any{}, []any{}
	for _, item := range wanted {
		fields, isObject := item.(map[string]any)
		if !isObject || fields[key] == nil && random.Float64() < 0.95 {
			continue
		}
		luck := random.Float64()
		if luck < 0.2 {
			items = append(items, map[string]any{key: fields[key], "$patch": "delete"})
			continue
		}
		nested := structPatch(random, map[string]any{}, item, t)
		if fields[key] != nil {
			nested[key] = fields[key]
		}
		marked(random, nested, luck < 0.3)
		items = append(items, nested)
		order = append(order, map[string]any{key: fields[key]})
	}
	if random.Float64() < 0.06 {
		items = append(items, map[string]any{"$patch": []string{"replace", "merge"}[random.Intn(2)]})
	}
	if random.Float64() < 0.9 {
		patch[name] = items
	}
	if random.Float64() < 0.6 {
		for _, item := range before {
			if fields, isObject := item.(map[string]any); isObject && fields[key] != nil && random.Intn(2) == 0 {
				order = append(order, map[string]any{key: fields[key]})
			}
		}
		if random.Float64() < 0.3 {
			random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		}
		patch["$setElementOrder/"+name] = order
	}
}

func primitivesPatch(random *rand.Rand, patch map[string]any, name string, before, wanted []any) {
	both := append(append([]any{}, before...), wanted...)
	if random.Intn(2) == 0 {
		patch["$deleteFromPrimitiveList/"+name] = both[:random.Intn(len(both)+1)]
	} else {
		patch[name] = wanted
	}
	if random.Float64() < 0.3 {
		patch["$setElementOrder/"+name] = both
	}
}

// fieldNamed finds the field of a struct with a JSON name, in what is inlined too.
func fieldNamed(t reflect.Type, name string) (reflect.StructField, bool) {
	if t.Kind() != reflect.Struct || t == reflect.TypeFor[metav1.TypeMeta]() {
		return reflect.StructField{}, false
	}
	for index := range t.NumField() {
		field := t.Field(index)
		tag, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if tag == name {
			return field, true
		}
		if tag == "" && strings.Contains(options, "inline") {
			if found, ok := fieldNamed(field.Type, name); ok {
				return found, true
			}
		}
	}
	return reflect.StructField{}, false
}
