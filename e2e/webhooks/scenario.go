package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

const namespace = "webhooks"

type object = map[string]any

// player sends requests, and tells the answers and warnings.
type player struct {
	ctx      context.Context
	client   dynamic.Interface
	warnings *warnings
}

// warnings keeps what the server warns of.
type warnings struct {
	lock sync.Mutex
	all  []string
}

func (kept *warnings) HandleWarningHeader(_ int, _, text string) {
	kept.lock.Lock()
	defer kept.lock.Unlock()
	kept.all = append(kept.all, text)
}

func (kept *warnings) take() []string {
	kept.lock.Lock()
	defer kept.lock.Unlock()
	all := kept.all
	kept.all = nil
	return all
}

func scenario(ctx context.Context, config *rest.Config, url string, ca []byte) error {
	kept := &warnings{}
	config = rest.CopyConfig(config)
	config.WarningHandler = kept
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return err
	}
	player := &player{ctx: ctx, client: client, warnings: kept}
	for name, labels := range map[string]object{namespace: {"webhooks": "yes"}, namespace + "-not": {}} {
		_, err := client.Resource(namespaces).Create(ctx, wrap(object{
			"apiVersion": "v1", "kind": "Namespace", "metadata": object{"name": name, "labels": labels},
		}), metav1.CreateOptions{})
		if err != nil {
			return err
		}
	}
	if err := player.configure(url, ca); err != nil {
		return err
	}
	player.configMaps()
	player.lamps()
	return nil
}

var (
	namespaces  = schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}
	configMapsR = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
	definitions = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
	mutating    = schema.GroupVersionResource{Group: "admissionregistration.k8s.io", Version: "v1", Resource: "mutatingwebhookconfigurations"}
	validating  = schema.GroupVersionResource{Group: "admissionregistration.k8s.io", Version: "v1", Resource: "validatingwebhookconfigurations"}
)

// configure creates the definition and the configurations, and waits until all of them are in effect.
func (player *player) configure(url string, ca []byte) error {
	rule := func(group, version, resource string, operations ...any) object {
		return object{
			"apiGroups": []any{group}, "apiVersions": []any{version}, "resources": []any{resource}, "operations": operations,
		}
	}
	hook := func(name, path string, rule object, more object) object {
		hook := object{
			"name":                    name + "." + group,
			"clientConfig":            object{"url": url + path, "caBundle": encoded(ca)},
			"rules":                   []any{rule},
			"admissionReviewVersions": []any{"v1"},
			"sideEffects":             "None",
			"namespaceSelector":       object{"matchLabels": object{"webhooks": "yes"}},
		}
		for name, value := range more {
			hook[name] = value
		}
		return hook
	}
	maps := func(operations ...any) object { return rule("", "v1", "configmaps", operations...) }
	lamps := func(operations ...any) object { return rule(group, "v2", "lamps", operations...) }
	nowhere := object{"clientConfig": object{"url": "https://127.0.0.1:1/", "caBundle": encoded(ca)}}
	with := func(more object, others object) object {
		for name, value := range others {
			more[name] = value
		}
		return more
	}
	labelled := func(label string) object {
		return object{"objectSelector": object{"matchExpressions": []any{object{"key": label, "operator": "Exists"}}}}
	}
	answers := []error{
		player.create("definition", definitions, "", definition(url, ca)),
		player.create("mutating", mutating, "", object{
			"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
			"metadata": object{"name": group},
			"webhooks": []any{
				hook("mutate", "/mutate", maps("CREATE", "UPDATE"), object{"reinvocationPolicy": "IfNeeded"}),
				hook("mutate-again", "/mutate-again", maps("CREATE"), nil),
				hook("lamps", "/mutate-webhooks-klient-example-v2-lamp", lamps("CREATE", "UPDATE"), nil),
			},
		}),
		player.create("validating", validating, "", object{
			"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
			"metadata": object{"name": group},
			"webhooks": []any{
				hook("validate", "/validate", maps("CREATE", "UPDATE", "DELETE"), object{
					"matchConditions": []any{object{"name": "not-exempt", "expression": "!(object != null && has(object.data) && 'exempt' in object.data)"}},
				}),
				hook("ignored", "/", maps("CREATE"), with(labelled("ignored"), with(object{"failurePolicy": "Ignore"}, nowhere))),
				hook("failing", "/", maps("CREATE"), with(labelled("failing"), nowhere)),
				hook("effects", "/validate", maps("CREATE"), with(labelled("effects"), object{"sideEffects": "NoneOnDryRun"})),
				hook("lamps", "/validate-webhooks-klient-example-v2-lamp", lamps("CREATE", "UPDATE", "DELETE"), nil),
			},
		}),
		player.create("wrong", validating, "", object{
			"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
			"metadata": object{"name": "wrong"},
			"webhooks": []any{hook("wrong", "/", maps("OTHER"), object{"sideEffects": "Some", "timeoutSeconds": int64(31)})},
		}),
	}
	// The last is refused.
	if err := errors.Join(answers[:3]...); err != nil {
		return err
	}
	// A server may call a new webhook, and serve a new resource, some time after it has answered.
	quiet = true
	defer func() { quiet = false; player.warnings.take() }()
	for range 200 {
		probe := wrap(configMap("probe", object{"validate": "deny"}, nil))
		_, refused := player.client.Resource(configMapsR).Namespace(namespace).Create(player.ctx, probe, dryRun())
		_, served := player.client.Resource(v1.WithResource("lamps")).Namespace(namespace).List(player.ctx, metav1.ListOptions{})
		if refused != nil && served == nil {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return errors.New("no webhook refuses after ten seconds")
}

func dryRun() metav1.CreateOptions {
	return metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}
}

func configMap(name string, data, labels object) object {
	return object{
		"apiVersion": "v1", "kind": "ConfigMap",
		"metadata": object{"name": name, "labels": labels},
		"data":     data,
	}
}

func (player *player) configMaps() {
	create := func(what string, data, labels object) {
		player.create(what, configMapsR, namespace, configMap(what, data, labels))
	}
	create("allowed", object{"a": "1"}, nil)
	create("denied", object{"validate": "deny"}, nil)
	create("denied-by-the-first", object{"mutate": "deny"}, nil)
	create("in-error", object{"validate": "error"}, nil)
	create("warned", object{"validate": "warn", "mutate": "warn"}, nil)
	create("audited", object{"validate": "audit"}, nil)
	create("patched", object{"mutate": "patch", "removed": "1"}, nil)
	create("patched-by-two", object{"mutate": "patch", "mutate-again": "patch"}, nil)
	create("exempt", object{"validate": "deny", "exempt": ""}, nil)
	create("unreachable-and-ignored", object{}, object{"ignored": ""})
	create("unreachable", object{}, object{"failing": ""})
	player.create("elsewhere", configMapsR, namespace+"-not", configMap("elsewhere", object{"validate": "deny"}, nil))
	maps := player.client.Resource(configMapsR).Namespace(namespace)
	answer, err := maps.Create(player.ctx, wrap(configMap("dry", object{}, object{"effects": ""})), dryRun())
	player.tell("dry", answer, err)
	patch := func(what, name string, kind types.PatchType, patch string, options metav1.PatchOptions) {
		answer, err := maps.Patch(player.ctx, name, kind, []byte(patch), options)
		player.tell(what, answer, err)
	}
	patch("merge patch", "allowed", types.MergePatchType, `{"data":{"a":"2"}}`, metav1.PatchOptions{})
	patch("merge patch denied", "allowed", types.MergePatchType, `{"data":{"validate":"deny"}}`, metav1.PatchOptions{})
	patch("merge patch patched", "allowed", types.MergePatchType, `{"data":{"mutate":"patch"}}`, metav1.PatchOptions{})
	apply := metav1.PatchOptions{FieldManager: "e2e"}
	patch("applied", "applied", types.ApplyPatchType,
		`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"applied"},"data":{"mutate":"patch"}}`, apply)
	patch("applied again", "applied", types.ApplyPatchType,
		`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"applied"},"data":{"mutate":"patch"}}`, apply)
	player.tell("deleted", nil, maps.Delete(player.ctx, "allowed", metav1.DeleteOptions{}))
	player.tell("deletion denied", nil, maps.Delete(player.ctx, "exempt", metav1.DeleteOptions{}))
}

func (player *player) lamps() {
	lamp := func(version, name string, spec, labels object) object {
		return object{
			"apiVersion": group + "/" + version, "kind": "Lamp",
			"metadata": object{"name": name, "labels": labels}, "spec": spec,
		}
	}
	resource := func(version string) dynamic.ResourceInterface {
		return player.client.Resource(schema.GroupVersionResource{Group: group, Version: version, Resource: "lamps"}).Namespace(namespace)
	}
	create := func(version, name string, spec, labels object) {
		answer, err := resource(version).Create(player.ctx, wrap(lamp(version, name, spec, labels)), metav1.CreateOptions{})
		player.tell("lamp "+name+" in "+version, answer, err)
	}
	get := func(version, name string) {
		answer, err := resource(version).Get(player.ctx, name, metav1.GetOptions{})
		player.tell("lamp "+name+" read in "+version, answer, err)
	}
	create("v1", "desk", object{"watts": int64(5)}, nil)
	get("v1", "desk")
	get("v2", "desk")
	create("v2", "hall", object{"power": "60W", "color": "red", "room": "hall"}, object{"kept": "yes"})
	get("v1", "hall")
	create("v1", "bright", object{"watts": int64(1000)}, nil)
	create("v1", "dim", object{"watts": int64(1)}, nil)
	create("v1", "odd", object{"watts": int64(5), "color": "unconvertible"}, nil)
	create("v2", "undefaultable", object{"power": "5W", "color": "undefaultable"}, nil)
	create("v2", "wordy", object{"power": "much"}, nil)
	// What cannot be converted when it is read is told in words of the storage.
	_, err := resource("v1").Get(player.ctx, "wordy", metav1.GetOptions{})
	tell("lamp wordy read in v1", apierrors.IsInternalError(err))
	player.tell("wordy deleted", nil, resource("v2").Delete(player.ctx, "wordy", metav1.DeleteOptions{}))
	for _, version := range []string{"v1", "v2"} {
		list, err := resource(version).List(player.ctx, metav1.ListOptions{})
		if err != nil {
			player.tell("lamps in "+version, nil, err)
			continue
		}
		for _, lamp := range list.Items {
			player.tell("one of the lamps in "+version, &lamp, nil)
		}
	}
	patch := func(what, version, name string, kind types.PatchType, patch string, manager string) {
		answer, err := resource(version).Patch(player.ctx, name, kind, []byte(patch), metav1.PatchOptions{FieldManager: manager})
		player.tell(what, answer, err)
	}
	patch("patched in v1", "v1", "desk", types.MergePatchType, `{"spec":{"watts":7}}`, "")
	patch("moved in v2", "v2", "hall", types.MergePatchType, `{"spec":{"room":"attic"}}`, "")
	patch("moved in v1", "v1", "hall", types.MergePatchType, `{"metadata":{"annotations":null}}`, "")
	patch("applied in v1", "v1", "new", types.ApplyPatchType,
		`{"apiVersion":"`+group+`/v1","kind":"Lamp","metadata":{"name":"new"},"spec":{"watts":9}}`, "alice")
	patch("applied in v2 by another", "v2", "new", types.ApplyPatchType,
		`{"apiVersion":"`+group+`/v2","kind":"Lamp","metadata":{"name":"new"},"spec":{"power":"11W"}}`, "bob")
	patch("applied in v2 by another, another field", "v2", "new", types.ApplyPatchType,
		`{"apiVersion":"`+group+`/v2","kind":"Lamp","metadata":{"name":"new"},"spec":{"room":"cellar"}}`, "bob")
	get("v1", "new")
	answer, err := resource("v1").Patch(player.ctx, "desk", types.MergePatchType, []byte(`{"status":{"on":true}}`), metav1.PatchOptions{}, "status")
	player.tell("status in v1", answer, err)
	player.tell("deleted", nil, resource("v1").Delete(player.ctx, "desk", metav1.DeleteOptions{}))
	player.tell("deletion denied", nil, resource("v1").Delete(player.ctx, "hall", metav1.DeleteOptions{}))
}

// create creates an object, and tells the answer.
func (player *player) create(what string, resource schema.GroupVersionResource, namespace string, made object) error {
	var client dynamic.ResourceInterface = player.client.Resource(resource)
	if namespace != "" {
		client = player.client.Resource(resource).Namespace(namespace)
	}
	answer, err := client.Create(player.ctx, wrap(made), metav1.CreateOptions{})
	player.tell(what, answer, err)
	return err
}

// tell prints an answer and its warnings.
func (player *player) tell(what string, answer *unstructured.Unstructured, err error) {
	var status apierrors.APIStatus
	switch {
	case errors.As(err, &status):
		tell(what, status.Status())
	case err != nil:
		tell(what, err.Error())
	case answer != nil:
		tell(what, answer.Object)
	default:
		tell(what, "done")
	}
	for _, warning := range player.warnings.take() {
		tell("  warning", warning)
	}
}

func wrap(made object) *unstructured.Unstructured {
	// The client wants values as JSON has them.
	text, err := json.Marshal(made)
	if err != nil {
		panic(err)
	}
	wrapped := &unstructured.Unstructured{}
	if err := json.Unmarshal(text, &wrapped.Object); err != nil {
		panic(err)
	}
	return wrapped
}

// quiet is set while nothing is to be told.
var quiet bool

func tell(what string, value any) {
	if quiet {
		return
	}
	text, err := json.Marshal(hidden(value))
	if err != nil {
		text = []byte(err.Error())
	}
	fmt.Printf("%s: %s\n", what, own.ReplaceAllString(string(text), "*"))
}

// own is what a server or a run has for itself in strings.
var own = regexp.MustCompile(`127\.0\.0\.1:\d+|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`)

// hidden is a value without what no two servers, and no two runs, have in common.
func hidden(value any) any {
	text, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	var decoded any
	if err := json.Unmarshal(text, &decoded); err != nil {
		return err.Error()
	}
	return hide(decoded)
}

func hide(value any) any {
	switch value := value.(type) {
	case object:
		for name, inner := range value {
			switch name {
			case "uid", "resourceVersion", "creationTimestamp", "time", "caBundle", "userInfo", "lastTransitionTime":
				value[name] = "*"
			default:
				value[name] = hide(inner)
			}
		}
		return value
	case []any:
		for at, inner := range value {
			value[at] = hide(inner)
		}
		return value
	default:
		return value
	}
}
