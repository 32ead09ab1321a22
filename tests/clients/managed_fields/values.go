package main

import (
	"math/rand"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
)

var words = []string{"a", "b", "c"}

const deepest = 7

func structHas(object runtime.Object, field string) bool {
	_, found := reflect.TypeOf(object).Elem().FieldByName(field)
	return found
}

// special returns the values of the types that are written otherwise than as structs.
func special(t reflect.Type) []any {
	switch t {
	case reflect.TypeFor[resource.Quantity]():
		return []any{"1", "500m", "1Gi"}
	case reflect.TypeFor[intstr.IntOrString]():
		return []any{int64(80), "25%", "http"}
	case reflect.TypeFor[metav1.Time]():
		return []any{"2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"}
	case reflect.TypeFor[metav1.MicroTime]():
		return []any{"2026-01-01T00:00:00.000000Z"}
	case reflect.TypeFor[[]byte]():
		return []any{"YQ==", "Yg=="}
	}
	return nil
}

// value makes a value of a type as JSON has it, nil when it is to be left out.
func value(random *rand.Rand, t reflect.Type, depth int) any {
	if found := special(t); found != nil {
		return found[random.Intn(len(found))]
	}
	if depth > deepest {
		return nil
	}
	switch t.Kind() {
	case reflect.Pointer:
		return value(random, t.Elem(), depth)
	case reflect.String:
		return words[random.Intn(len(words))]
	case reflect.Bool:
		return random.Intn(2) == 0
	case reflect.Int, reflect.Int32, reflect.Int64, reflect.Uint16:
		return int64(1 + random.Intn(3))
	case reflect.Slice:
		items := []any{}
		for range random.Intn(4) {
			if item := value(random, t.Elem(), depth+1); item != nil {
				items = append(items, item)
			}
		}
		return items
	case reflect.Map:
		entries := map[string]any{}
		for range 1 + random.Intn(2) {
			if item := value(random, t.Elem(), depth+1); item != nil {
				entries[words[random.Intn(len(words))]] = item
			}
		}
		return entries
	case reflect.Struct:
		return fields(random, t, depth)
	}
	return nil
}

// fields makes some of a struct's fields: all that are short to say, few that are not.
func fields(random *rand.Rand, t reflect.Type, depth int) map[string]any {
	if t == reflect.TypeFor[metav1.ObjectMeta]() {
		return metadata(random, depth)
	}
	result := map[string]any{}
	wanted := 4.0 / float64(t.NumField())
	for index := range t.NumField() {
		field := t.Field(index)
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		isEmbedded := name == "" && strings.Contains(options, "inline")
		isWanted := random.Float64() < max(wanted, 0.25) || name == "spec" || name == "template" ||
			!strings.Contains(options, "omitempty")
		if field.Type == reflect.TypeFor[metav1.TypeMeta]() || name == "-" || !isWanted && !isEmbedded {
			continue
		}
		made := value(random, field.Type, depth+1)
		if inner, ok := made.(map[string]any); ok && isEmbedded {
			for key, item := range inner {
				result[key] = item
			}
		} else if made != nil && name != "" {
			result[name] = made
		}
	}
	return result
}

func metadata(random *rand.Rand, depth int) map[string]any {
	texts := reflect.TypeFor[map[string]string]()
	result := map[string]any{}
	for _, name := range []string{"labels", "annotations"} {
		if random.Intn(2) == 0 {
			result[name] = value(random, texts, deepest)
		}
	}
	if depth > 2 {
		return result
	}
	if random.Intn(4) == 0 {
		result["finalizers"] = value(random, reflect.TypeFor[[]string](), deepest)
	}
	if random.Intn(4) == 0 {
		result["ownerReferences"] = value(random, reflect.TypeFor[[]metav1.OwnerReference](), deepest-2)
	}
	return result
}

// part returns some of a value, with some of its leaves changed, now and then a null or nothing.
func part(random *rand.Rand, from any) any {
	switch from := from.(type) {
	case map[string]any:
		result := map[string]any{}
		for _, name := range sortedKeys(from) {
			luck := random.Float64()
			switch {
			case luck < 0.02:
				result[name] = nil
			case luck < 0.03 && isMap(from[name]):
				result[name] = map[string]any{}
			case luck < 0.75:
				result[name] = part(random, from[name])
			}
		}
		return result
	case []any:
		result := []any{}
		for _, item := range from {
			if random.Float64() < 0.8 {
				result = append(result, part(random, item))
			}
		}
		if random.Float64() < 0.3 {
			random.Shuffle(len(result), func(i, j int) { result[i], result[j] = result[j], result[i] })
		}
		return result
	}
	if random.Float64() < 0.15 {
		return other(random, from)
	}
	return from
}

func other(random *rand.Rand, leaf any) any {
	switch leaf := leaf.(type) {
	case bool:
		return !leaf
	case int64:
		return leaf%3 + 1
	case string:
		if slices.Contains(words, leaf) {
			return words[random.Intn(len(words))]
		}
	}
	return leaf
}
