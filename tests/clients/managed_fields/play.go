package main

import (
	"bytes"
	"encoding/json"
	"log"
	"math/rand"
	"reflect"
	"slices"
	"sort"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/applyconfigurations"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/util/csaupgrade"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

const (
	lastApplied = "kubectl.kubernetes.io/last-applied-configuration"
	clientSide  = "kubectl-client-side-apply"
)

var (
	types = applyconfigurations.NewTypeConverter(scheme.Scheme)
	start = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
)

// player writes one object again and again.
type player struct {
	kind     Kind
	random   *rand.Rand
	universe map[string]any
	managers map[string]*managedfields.FieldManager
	live     runtime.Object
}

// play makes one sequence; a crowded one has more managers than may be kept.
func play(kind Kind, random *rand.Rand, length int, crowded bool) Sequence {
	gvk := kind.version.WithKind(reflect.TypeOf(kind.object).Elem().Name())
	universe := value(random, reflect.TypeOf(kind.object).Elem(), 0).(map[string]any)
	p := &player{kind, random, universe, map[string]*managedfields.FieldManager{}, nil}
	for _, subresource := range []string{"", "status"} {
		p.managers[subresource] = fieldManager(kind, subresource)
	}
	sequence := Sequence{gvk.GroupVersion().String(), gvk.Kind, nil}
	if crowded {
		length = 16
	}
	for number := range length {
		step := p.choose(number, crowded)
		p.write(&step, number)
		sequence.Steps = append(sequence.Steps, step)
	}
	return sequence
}

func fieldManager(kind Kind, subresource string) *managedfields.FieldManager {
	gvk := kind.version.WithKind(reflect.TypeOf(kind.object).Elem().Name())
	reset := fieldpath.NewSet()
	if subresource == "status" {
		reset = fieldpath.NewSet(append(kind.kept, fieldpath.MakePathOrDie("spec"))...)
	} else if kind.hasStatus() {
		reset = fieldpath.NewSet(fieldpath.MakePathOrDie("status"))
	}
	filters := map[fieldpath.APIVersion]fieldpath.Filter{
		fieldpath.APIVersion(kind.version.String()): fieldpath.NewExcludeSetFilter(reset),
	}
	made, err := managedfields.NewDefaultFieldManager(
		types, scheme.Scheme, scheme.Scheme, scheme.Scheme, gvk, gvk.GroupVersion(), subresource, filters)
	if err != nil {
		log.Fatal(err)
	}
	return made
}

// choose makes the next write.
func (p *player) choose(number int, crowded bool) Step {
	luck := p.random.Float64()
	manager := []string{"m1", "m2", "m3"}[p.random.Intn(3)]
	step := Step{Operation: "apply", Manager: manager, Force: p.random.Intn(3) == 0}
	switch {
	case crowded && number > 0:
		step = Step{Operation: "update", Manager: string(rune('a' + number))}
	case p.live == nil && luck < 0.5, p.live != nil && luck < 0.3:
		step = Step{Operation: "update", Manager: manager}
	case luck > 0.97 && p.live != nil:
		step = Step{Operation: "reset", Manager: manager}
	case luck > 0.9:
		step = Step{Operation: "client-side", Manager: clientSide}
	case luck > 0.85 && p.live != nil:
		step = Step{Operation: "upgrade", Manager: clientSide}
	case luck > 0.75:
		step.Manager = "kubectl"
	}
	if p.live != nil && p.kind.hasStatus() && p.random.Intn(5) == 0 && luck < 0.75 {
		step.Subresource = "status"
	}
	step.Object = p.object(step.Operation)
	return step
}

// object makes what the client sends.
func (p *player) object(operation string) map[string]any {
	if p.live != nil && operation == "reset" {
		obj := asJSON(p.live)
		obj["metadata"].(map[string]any)["managedFields"] = []any{map[string]any{}}
		return obj
	}
	if p.live != nil && operation == "upgrade" {
		upgraded := p.live.DeepCopyObject()
		if err := csaupgrade.UpgradeManagedFields(upgraded, sets.New(clientSide), "kubectl"); err != nil {
			log.Fatal(err)
		}
		return asJSON(upgraded)
	}
	for range 20 {
		obj := part(p.random, p.universe).(map[string]any)
		if p.live != nil && operation != "apply" {
			obj = overlaid(p.random, asJSON(p.live), obj)
		}
		p.identify(obj)
		if _, err := types.ObjectToTyped(&unstructured.Unstructured{Object: obj}); err != nil &&
			p.random.Float64() < 0.97 {
			continue
		}
		if operation == "client-side" {
			annotate(obj)
		}
		return obj
	}
	obj := map[string]any{}
	p.identify(obj)
	return obj
}

func (p *player) identify(obj map[string]any) {
	found, _ := obj["metadata"].(map[string]any)
	if found == nil {
		found = map[string]any{}
	}
	found["name"], found["namespace"] = "x", "y"
	delete(found, "managedFields")
	obj["metadata"] = found
	obj["apiVersion"], obj["kind"] = p.kind.version.String(), reflect.TypeOf(p.kind.object).Elem().Name()
}

func annotate(obj map[string]any) {
	text, _ := json.Marshal(obj)
	found := obj["metadata"].(map[string]any)
	annotations, _ := found["annotations"].(map[string]any)
	if annotations == nil {
		annotations = map[string]any{}
	}
	annotations[lastApplied] = string(text) + "\n"
	found["annotations"] = annotations
}

// write sends a step through the field manager and notes what comes of it.
func (p *player) write(step *Step, number int) {
	manager := p.managers[step.Subresource]
	sent := &unstructured.Unstructured{Object: runtime.DeepCopyJSON(step.Object)}
	result, err := p.send(manager, step, sent)
	if err != nil {
		step.Error = err.Error()
		return
	}
	accessor, _ := meta.Accessor(result)
	accessor.SetUID("u")
	entries := accessor.GetManagedFields()
	for index := range entries {
		if entries[index].Time != nil && entries[index].Time.After(start.AddDate(1, 0, 0)) {
			entries[index].Time = &metav1.Time{Time: start.Add(time.Duration(number) * time.Second)}
		}
	}
	accessor.SetManagedFields(entries)
	p.live = stored(result)
	step.Result = asJSON(p.live)
}

func (p *player) send(
	manager *managedfields.FieldManager, step *Step, sent *unstructured.Unstructured,
) (runtime.Object, error) {
	live := p.live
	if live == nil {
		live = reflect.New(reflect.TypeOf(p.kind.object).Elem()).Interface().(runtime.Object)
		live.GetObjectKind().SetGroupVersionKind(sent.GroupVersionKind())
	}
	if step.Operation == "apply" {
		return manager.Apply(live.DeepCopyObject(), sent, step.Manager, step.Force)
	}
	decoded := reflect.New(reflect.TypeOf(p.kind.object).Elem()).Interface().(runtime.Object)
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(sent.Object, decoded); err != nil {
		return nil, err
	}
	return manager.UpdateNoErrors(live.DeepCopyObject(), stored(decoded), step.Manager), nil
}

// stored returns an object as it is after it has been stored, or sent in protobuf.
func stored(object runtime.Object) runtime.Object {
	var buffer bytes.Buffer
	serializer := protobuf.NewSerializer(scheme.Scheme, scheme.Scheme)
	gvk := object.GetObjectKind().GroupVersionKind()
	if err := serializer.Encode(object, &buffer); err != nil {
		log.Fatal(err)
	}
	decoded, _, err := serializer.Decode(buffer.Bytes(), &gvk, nil)
	if err != nil {
		log.Fatal(err)
	}
	decoded.GetObjectKind().SetGroupVersionKind(gvk)
	return decoded
}

func asJSON(object runtime.Object) map[string]any {
	made, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		log.Fatal(err)
	}
	return withoutNulls(made).(map[string]any)
}

func withoutNulls(from any) any {
	switch from := from.(type) {
	case map[string]any:
		for name, item := range from {
			if item == nil {
				delete(from, name)
			} else {
				from[name] = withoutNulls(item)
			}
		}
	case []any:
		for index, item := range from {
			from[index] = withoutNulls(item)
		}
	}
	return from
}

// overlaid changes an object: some of its fields go, some come from another one.
func overlaid(random *rand.Rand, onto, from map[string]any) map[string]any {
	for _, name := range sortedKeys(from) {
		mine, isMine := onto[name].(map[string]any)
		theirs, isTheirs := from[name].(map[string]any)
		luck := random.Float64()
		switch {
		case isMine && isTheirs && luck < 0.9:
			onto[name] = overlaid(random, mine, theirs)
		case luck < 0.15:
			delete(onto, name)
		case luck < 0.6 && from[name] != nil:
			onto[name] = from[name]
		}
	}
	return onto
}

func isMap(value any) bool {
	_, found := value.(map[string]any)
	return found
}

func sortedKeys(from map[string]any) []string {
	names := make([]string, 0, len(from))
	for name := range from {
		names = append(names, name)
	}
	sort.Strings(names)
	return slices.Clip(names)
}
