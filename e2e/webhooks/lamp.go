package main

import (
	"fmt"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/conversion"
)

const group = "webhooks.klient.example"

var (
	v1 = schema.GroupVersion{Group: group, Version: "v1"}
	v2 = schema.GroupVersion{Group: group, Version: "v2"}
)

// Lamp is the lamp of version v2, which is stored, and which the other version is converted to.
type Lamp struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   LampSpec   `json:"spec,omitempty"`
	Status LampStatus `json:"status,omitempty"`
}

type LampSpec struct {
	// Power has a unit, such as 5W.
	Power string `json:"power,omitempty"`
	Color string `json:"color,omitempty"`
	Room  string `json:"room,omitempty"`
}

type LampStatus struct {
	On bool `json:"on,omitempty"`
}

func (*Lamp) Hub() {}

// LampV1 is the lamp of version v1. A lamp of v2 has its room in an annotation here.
type LampV1 struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   LampV1Spec `json:"spec,omitempty"`
	Status LampStatus `json:"status,omitempty"`
}

type LampV1Spec struct {
	Watts int    `json:"watts,omitempty"`
	Color string `json:"color,omitempty"`
}

const roomAnnotation = group + "/room"

func (lamp *LampV1) ConvertTo(hub conversion.Hub) error {
	other := hub.(*Lamp)
	if lamp.Spec.Color == "unconvertible" {
		return fmt.Errorf("lamp %s has a color that cannot be converted", lamp.Name)
	}
	other.ObjectMeta = *lamp.ObjectMeta.DeepCopy()
	other.Spec = LampSpec{Power: strconv.Itoa(lamp.Spec.Watts) + "W", Color: lamp.Spec.Color}
	if room, has := other.Annotations[roomAnnotation]; has {
		other.Spec.Room = room
		delete(other.Annotations, roomAnnotation)
	}
	other.Status = lamp.Status
	return nil
}

func (lamp *LampV1) ConvertFrom(hub conversion.Hub) error {
	other := hub.(*Lamp)
	watts, err := strconv.Atoi(strings.TrimSuffix(other.Spec.Power, "W"))
	if err != nil {
		return fmt.Errorf("lamp %s has no power in watts: %w", other.Name, err)
	}
	lamp.ObjectMeta = *other.ObjectMeta.DeepCopy()
	lamp.Spec = LampV1Spec{Watts: watts, Color: other.Spec.Color}
	if other.Spec.Room != "" {
		if lamp.Annotations == nil {
			lamp.Annotations = map[string]string{}
		}
		lamp.Annotations[roomAnnotation] = other.Spec.Room
	}
	lamp.Status = other.Status
	return nil
}

func addLamps(scheme *runtime.Scheme) {
	scheme.AddKnownTypes(v2, &Lamp{})
	scheme.AddKnownTypeWithName(v1.WithKind("Lamp"), &LampV1{})
	metav1.AddToGroupVersion(scheme, v1)
	metav1.AddToGroupVersion(scheme, v2)
}

func (lamp *Lamp) DeepCopyObject() runtime.Object {
	copied := *lamp
	copied.ObjectMeta = *lamp.ObjectMeta.DeepCopy()
	return &copied
}

func (lamp *LampV1) DeepCopyObject() runtime.Object {
	copied := *lamp
	copied.ObjectMeta = *lamp.ObjectMeta.DeepCopy()
	return &copied
}

// definition has both versions, which the webhook at a URL converts.
func definition(url string, ca []byte) map[string]any {
	text := map[string]any{"type": "string"}
	object := func(properties map[string]any) map[string]any {
		return map[string]any{"type": "object", "properties": properties}
	}
	version := func(name string, storage bool, spec map[string]any) map[string]any {
		return map[string]any{
			"name": name, "served": true, "storage": storage,
			"subresources": map[string]any{"status": map[string]any{}},
			"schema": map[string]any{"openAPIV3Schema": object(map[string]any{
				"spec":   object(spec),
				"status": object(map[string]any{"on": map[string]any{"type": "boolean"}}),
			})},
		}
	}
	return map[string]any{
		"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
		"metadata": map[string]any{"name": "lamps." + group},
		"spec": map[string]any{
			"group": group, "scope": "Namespaced",
			"names": map[string]any{"kind": "Lamp", "plural": "lamps"},
			"versions": []any{
				version("v1", false, map[string]any{"watts": map[string]any{"type": "integer"}, "color": text}),
				version("v2", true, map[string]any{"power": text, "color": text, "room": text}),
			},
			"conversion": map[string]any{
				"strategy": "Webhook",
				"webhook": map[string]any{
					"clientConfig":             map[string]any{"url": url + "/convert", "caBundle": encoded(ca)},
					"conversionReviewVersions": []any{"v1"},
				},
			},
		},
	}
}
