package main

import (
	"context"
	"flag"
	"log"
	"os"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"
)

var kubeconfigFile = flag.String("kubeconfig", "kubeconfig", "kubeconfig of a server with many namespaces")

// kubeconfig reads the only cluster and user of a kubeconfig.
func kubeconfig() *rest.Config {
	var file struct {
		Clusters []struct {
			Cluster struct {
				Server string `json:"server"`
				CAData []byte `json:"certificate-authority-data"`
			} `json:"cluster"`
		} `json:"clusters"`
		Users []struct {
			User struct {
				Token string `json:"token"`
			} `json:"user"`
		} `json:"users"`
	}
	bytes, err := os.ReadFile(*kubeconfigFile)
	must(err)
	must(yaml.Unmarshal(bytes, &file))
	c := &rest.Config{Host: file.Clusters[0].Cluster.Server, BearerToken: file.Users[0].User.Token, QPS: -1}
	c.TLSClientConfig.CAData = file.Clusters[0].Cluster.CAData
	c.ContentType = "application/vnd.kubernetes.protobuf"
	c.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	return c
}

// runNamespaces lists all namespaces, in pages if that is asked for.
func runNamespaces(out map[string]any) any {
	cs, err := kubernetes.NewForConfig(kubeconfig())
	must(err)
	c := start()
	var all []corev1.Namespace
	options := metav1.ListOptions{Limit: *page}
	for {
		list, err := cs.CoreV1().Namespaces().List(context.Background(), options)
		must(err)
		all = append(all, list.Items...)
		if list.Continue == "" {
			break
		}
		options.Continue = list.Continue
	}
	c.stop(out)
	if len(all) < *count {
		log.Fatalf("got %d namespaces", len(all))
	}
	return all
}
