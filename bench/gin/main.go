// gin is a web service in front of a cluster as guides to client-go build it: Gin, shared informers with their listers, and
// a proxy.
//
//	gin --kubeconfig FILE --address 127.0.0.1:28889 [--no-managed-fields]
package main

import (
	"flag"
	"log"
	"net/http"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/proxy"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

var (
	kubeconfig      = flag.String("kubeconfig", "kubeconfig", "kubeconfig of the cluster")
	address         = flag.String("address", "127.0.0.1:28889", "address to serve on")
	noManagedFields = flag.Bool("no-managed-fields", false, "informers drop managedFields, as klient's do")
)

// resources have informers.
var resources = []schema.GroupVersionResource{
	{Group: "", Version: "v1", Resource: "pods"},
	{Group: "", Version: "v1", Resource: "services"},
	{Group: "", Version: "v1", Resource: "namespaces"},
	{Group: "apps", Version: "v1", Resource: "deployments"},
	{Group: "apps", Version: "v1", Resource: "statefulsets"},
	{Group: "apps", Version: "v1", Resource: "daemonsets"},
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// start starts the informers, and waits for their first lists.
func start(config *rest.Config) informers.SharedInformerFactory {
	client, err := kubernetes.NewForConfig(config)
	must(err)
	var options []informers.SharedInformerOption
	if *noManagedFields {
		options = append(options, informers.WithTransform(func(object any) (any, error) {
			if accessor, err := meta.Accessor(object); err == nil {
				accessor.SetManagedFields(nil)
			}
			return object, nil
		}))
	}
	factory := informers.NewSharedInformerFactoryWithOptions(client, time.Minute, options...)
	for _, resource := range resources {
		_, err := factory.ForResource(resource)
		must(err)
	}
	stop := make(chan struct{})
	factory.Start(stop)
	factory.WaitForCacheSync(stop)
	return factory
}

func main() {
	flag.Parse()
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	must(err)
	factory := start(config)

	router := gin.Default()
	refuse := func(c *gin.Context, err error) {
		c.JSON(http.StatusOK, gin.H{"code": 40000, "message": err.Error()})
	}
	router.GET("/ping", func(c *gin.Context) {
		c.JSON(http.StatusOK, gin.H{"code": 20000, "message": "pong"})
	})
	router.GET("/pod/list", func(c *gin.Context) {
		items, err := factory.Core().V1().Pods().Lister().List(labels.Everything())
		if err != nil {
			refuse(c, err)
			return
		}
		c.JSON(http.StatusOK, gin.H{"code": 20000, "message": "success", "data": items})
	})
	router.GET("/:resource/:group/:version", func(c *gin.Context) {
		resource := schema.GroupVersionResource{
			Group: c.Param("group"), Version: c.Param("version"), Resource: c.Param("resource"),
		}
		informer, err := factory.ForResource(resource)
		if err != nil {
			refuse(c, err)
			return
		}
		items, err := informer.Lister().List(labels.Everything())
		if err != nil {
			refuse(c, err)
			return
		}
		c.JSON(http.StatusOK, gin.H{"code": 20000, "message": "success", "data": items})
	})
	host, err := url.Parse(config.Host)
	must(err)
	router.Any("/apis/*action", func(c *gin.Context) {
		transport, err := rest.TransportFor(config)
		must(err)
		location := *c.Request.URL
		location.Host, location.Scheme = host.Host, host.Scheme
		handler := proxy.NewUpgradeAwareHandler(&location, transport, true, false, nil)
		handler.UpgradeTransport = proxy.NewUpgradeRequestRoundTripper(transport, transport)
		handler.ServeHTTP(c.Writer, c.Request)
	})
	must(router.Run(*address))
}
