package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	rt "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/jsonmergepatch"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/client-go/applyconfigurations"
	"k8s.io/client-go/kubernetes/scheme"
)

// noDefaults leaves objects as they are.
type noDefaults struct{}

func (noDefaults) Default(rt.Object) {}

func read(name string) []byte {
	bytes, err := os.ReadFile(filepath.Join(*data, name))
	must(err)
	return bytes
}

func readObject(name string) *unstructured.Unstructured {
	object := &unstructured.Unstructured{}
	must(object.UnmarshalJSON(read(name)))
	return object
}

// fieldManager is what kube-apiserver has for a kind.
func fieldManager(kind schema.GroupVersionKind) *managedfields.FieldManager {
	manager, err := managedfields.NewDefaultFieldManager(
		applyconfigurations.NewTypeConverter(scheme.Scheme), scheme.Scheme, noDefaults{}, scheme.Scheme,
		kind, kind.GroupVersion(), "", nil)
	must(err)
	return manager
}

// runApply measures an apply that changes nothing.
func runApply(out map[string]any) any {
	config := readObject("apply-" + *what + ".json")
	kind := config.GroupVersionKind()
	fields := fieldManager(kind)
	live, err := scheme.Scheme.New(kind)
	must(err)
	live.GetObjectKind().SetGroupVersionKind(kind)
	apply := func(config *unstructured.Unstructured, manager string) {
		live, err = fields.Apply(live, config, manager, false)
		must(err)
	}
	apply(config, "kubectl")
	if *what == "deployment" {
		others(kind, fields, &live, apply)
	}
	accessor, err := meta.Accessor(live)
	must(err)
	out["managers"] = len(accessor.GetManagedFields())
	out["us"] = median(measure(func() { apply(config, "kubectl") }))
	return live
}

// others makes nine more managers own something.
func others(kind schema.GroupVersionKind, fields *managedfields.FieldManager, live *rt.Object,
	apply func(*unstructured.Unstructured, string)) {
	for number := range 5 {
		config := &unstructured.Unstructured{Object: map[string]any{}}
		config.SetGroupVersionKind(kind)
		config.SetName("web")
		config.SetNamespace("shop")
		config.SetAnnotations(map[string]string{fmt.Sprintf("example.com/a%d", number): "1"})
		apply(config, fmt.Sprintf("applier-%d", number))
	}
	status := []string{"replicas", "readyReplicas", "updatedReplicas", "availableReplicas"}
	for number, field := range status {
		content, err := rt.DefaultUnstructuredConverter.ToUnstructured(*live)
		must(err)
		object := &unstructured.Unstructured{Object: content}
		labels := object.GetLabels()
		labels[fmt.Sprintf("l%d", number)] = "1"
		object.SetLabels(labels)
		must(unstructured.SetNestedField(object.Object, int64(3), "status", field))
		updated, err := scheme.Scheme.New(kind)
		must(err)
		must(rt.DefaultUnstructuredConverter.FromUnstructured(object.Object, updated))
		*live, err = fields.Update(*live, updated, fmt.Sprintf("updater-%d", number))
		must(err)
	}
}

// runThreeWay measures a three-way patch of a custom resource definition, from bytes to bytes.
func runThreeWay(out map[string]any) any {
	original, modified, current := read("crd-original.json"), read("crd-modified.json"), read("crd-current.json")
	var patch []byte
	out["us"] = median(measure(func() {
		var err error
		patch, err = jsonmergepatch.CreateThreeWayJSONMergePatch(original, modified, current)
		must(err)
	}))
	var parsed map[string]any
	must(json.Unmarshal(patch, &parsed))
	if len(parsed) == 0 {
		log.Fatal("the patch is empty")
	}
	out["bytes"] = len(patch)
	return nil
}

// measure runs something for some time, and returns how many microseconds it took each time.
func measure(run func()) []float64 {
	var took []float64
	for begin := time.Now(); time.Since(begin) < time.Second; {
		before := time.Now()
		run()
		took = append(took, float64(time.Since(before).Nanoseconds())/1000)
	}
	return took
}
