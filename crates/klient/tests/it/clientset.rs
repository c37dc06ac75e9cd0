//! The accessors of [`Clientset`], by name.

use klient::{AllNamespaces, Client, Clientset, Config, ListOptions, RestMapper, TestServer};

async fn clientset() -> (TestServer, Clientset) {
    let server = TestServer::start().await.expect("there is a free port");
    let config = Config::from_kubeconfig(&server.kubeconfig()).expect("the server writes what klient reads");
    let client = Client::new(config).expect("its certificate is good");
    (server, Clientset::new(client))
}

/// Lists what each accessor leads to, and compares what it says of the resource with discovery.
macro_rules! check {
    ($clientset:expr, $mapper:expr; $($group:ident: $($accessor:ident($($place:expr)?))*;)*) => {
        $($({
            let api = $clientset.$group().$accessor($($place)?);
            let info = api.resource();
            let name = format!("{}.{}.{}", info.plural, info.version, info.group);
            let served = $mapper.resource(&name).expect("the server serves it");
            assert_eq!(served.info, *info);
            api.list(&ListOptions::default()).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        })*)*
    };
}

#[tokio::test]
async fn accessors_lead_to_what_the_server_serves() {
    let (_server, clientset) = clientset().await;
    let mapper = RestMapper::new(clientset.client().discovery().resources().await.unwrap());
    check! { clientset, mapper;
        core_v1: namespaces() nodes() persistentvolumes() pods("default") pods(AllNamespaces) configmaps("default")
            secrets("default") services("default") serviceaccounts("default") endpoints("default")
            events("default") limitranges("default") persistentvolumeclaims("default") podtemplates("default")
            replicationcontrollers("default") resourcequotas("default");
        apps_v1: deployments("default") daemonsets("default") replicasets("default") statefulsets("default")
            controllerrevisions(AllNamespaces);
        batch_v1: jobs("default") cronjobs("default");
        autoscaling_v2: horizontalpodautoscalers("default");
        autoscaling_v1: horizontalpodautoscalers("default");
        networking_v1: ingresses("default") networkpolicies("default") ingressclasses();
        rbac_v1: roles("default") rolebindings("default") clusterroles() clusterrolebindings();
        storage_v1: storageclasses() csidrivers() volumeattachments();
        policy_v1: poddisruptionbudgets("default");
        coordination_v1: leases("default");
        discovery_v1: endpointslices("default");
        events_v1: events("default");
        apiextensions_v1: customresourcedefinitions();
        admissionregistration_v1: validatingwebhookconfigurations() mutatingwebhookconfigurations();
        certificates_v1: certificatesigningrequests();
        scheduling_v1: priorityclasses();
        node_v1: runtimeclasses();
    }
}

#[tokio::test]
async fn a_place_can_be_chosen_at_run_time() {
    let (_server, clientset) = clientset().await;
    for namespace in ["default".to_owned(), "kube-system".to_owned()] {
        let accounts = clientset.core_v1().serviceaccounts(namespace.as_str());
        assert!(accounts.get_opt("nobody").await.unwrap().is_none());
    }
}
