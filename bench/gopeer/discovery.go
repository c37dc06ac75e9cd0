package main

import (
	"flag"
	"log"
	"time"

	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/disk"
)

var (
	groups      = flag.Int("groups", 100, "groups of custom resources")
	cacheFolder = flag.String("cache", "", "folder of the discovery cache; none if empty")
)

// runDiscovery asks for all resources of a server, or reads them from a cache.
func runDiscovery(out map[string]any) any {
	c := start()
	var client discovery.DiscoveryInterface
	var err error
	if *cacheFolder == "" {
		client, err = discovery.NewDiscoveryClientForConfig(kubeconfig())
	} else {
		client, err = disk.NewCachedDiscoveryClientForConfig(kubeconfig(), *cacheFolder+"/discovery", *cacheFolder+"/http", 6*time.Hour)
	}
	must(err)
	_, lists, err := client.ServerGroupsAndResources()
	must(err)
	c.stop(out)
	if len(lists) < *groups {
		log.Fatalf("got %d group versions", len(lists))
	}
	return lists
}

// runFirstByte sends one request, which is not answered.
func runFirstByte(out map[string]any) any {
	client, err := discovery.NewDiscoveryClientForConfig(kubeconfig())
	must(err)
	if _, err := client.ServerVersion(); err == nil {
		log.Fatal("it was answered")
	}
	return nil
}
