// Command helm plays a scenario of Helm's commands with the chart beside it on the server of $KUBECONFIG: a chart that
// brings its CustomResourceDefinition is installed, upgraded, refused by a rule of that, rolled back and uninstalled.
// After each command it prints what the command said, and the objects of the release.
//
// With arguments it is helm itself.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"

	helm "helm.sh/helm/v4/pkg/cmd"
	"helm.sh/helm/v4/pkg/kube"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/clientcmd"
)

const namespace = "helm"

// commands are played in this order; those that are refused belong to the scenario.
var commands = []string{
	"install shop chart --create-namespace --dry-run=server",
	"install shop chart --create-namespace",
	"install shop chart",
	"list -o json",
	"upgrade shop chart --set replicas=3 --set color=green --set settings.b=2",
	"upgrade shop chart --set size=5000",
	"history shop -o json",
	"rollback shop 1",
	"get values shop -o json --revision 2",
	"get manifest shop",
	"status shop -o json",
	"upgrade --install other chart",
	"upgrade --install other chart --set name=other --server-side=false",
	"upgrade other chart --set name=other --set replicas=2 --server-side=false",
	"uninstall other",
	"uninstall shop --keep-history",
	"list --all -o json",
	"uninstall shop",
}

// kinds are what the chart has, and what Helm keeps releases in.
var kinds = []schema.GroupVersionResource{
	{Version: "v1", Resource: "configmaps"},
	{Version: "v1", Resource: "secrets"},
	{Version: "v1", Resource: "services"},
	{Group: "apps", Version: "v1", Resource: "deployments"},
	{Group: "helm.klient.example", Version: "v1", Resource: "signs"},
}

func main() {
	if len(os.Args) > 1 {
		os.Exit(command(os.Args[1:]))
	}
	if err := scenario(); err != nil {
		fmt.Fprintln(os.Stderr, "helm:", err)
		os.Exit(1)
	}
}

// command is helm.
func command(arguments []string) int {
	kube.ManagedFieldsManager = "helm"
	root, err := helm.NewRootCmd(os.Stdout, arguments, helm.SetupLogging)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if err := root.Execute(); err != nil {
		return 1
	}
	return 0
}

func scenario() error {
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		return err
	}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return err
	}
	home, err := os.MkdirTemp("", "helm")
	if err != nil {
		return err
	}
	defer os.RemoveAll(home)
	for _, name := range []string{"HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"} {
		os.Setenv(name, home)
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	for _, line := range commands {
		words := append(strings.Fields(line), "--namespace", namespace)
		said, err := exec.Command(program, words...).CombinedOutput()
		var refused *exec.ExitError
		if err != nil && !errors.As(err, &refused) {
			return err
		}
		fmt.Printf("$ helm %s\n%s", line, masked(string(said)))
		if refused != nil {
			fmt.Println("=>", refused)
		}
		if err := show(client); err != nil {
			return err
		}
	}
	return nil
}

// show prints the objects in the namespace.
func show(client dynamic.Interface) error {
	for _, kind := range kinds {
		list, err := client.Resource(kind).Namespace(namespace).List(context.Background(), metav1.ListOptions{})
		if err != nil {
			fmt.Println("-", kind.Resource, masked(err.Error()))
			continue
		}
		for _, object := range list.Items {
			// Whoever else makes objects in a new namespace is not Helm.
			if object.GetName() == "kube-root-ca.crt" {
				continue
			}
			hide(&object)
			text, err := json.Marshal(object.Object)
			if err != nil {
				return err
			}
			fmt.Println("-", kind.Resource, masked(string(text)))
		}
	}
	return nil
}

// hide removes what no two servers have in common.
func hide(object *unstructured.Unstructured) {
	for _, path := range [][]string{
		{"metadata", "uid"}, {"metadata", "resourceVersion"}, {"spec", "clusterIP"}, {"spec", "clusterIPs"},
	} {
		unstructured.RemoveNestedField(object.Object, path...)
	}
	if object.GetKind() == "Secret" {
		// A release is compressed, with its times.
		unstructured.RemoveNestedField(object.Object, "data")
		labels := object.GetLabels()
		delete(labels, "modifiedAt")
		object.SetLabels(labels)
	}
}

var times = regexp.MustCompile(`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[0-9.]*( ?[+-]\d{4}| ?[+-]\d\d:\d\d|Z)?( [A-Z]{3})?|` +
	`[A-Z][a-z]{2} [A-Z][a-z]{2} +\d+ \d\d:\d\d:\d\d \d{4}|` +
	`"?time"?[=:]\S+|https://127\.0\.0\.1:\d+`)

func masked(text string) string {
	return times.ReplaceAllString(text, "*")
}
