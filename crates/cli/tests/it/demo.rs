//! `demo`, on a server of its own and on a cluster of the user's.

use klient_api::apiextensions::v1::CustomResourceDefinition;
use klient_api::core::v1::Namespace;
use klient_client::ListOptions;

use crate::playground::Playground;

const DEFINITION: &str = "coupons.shop.example";

#[tokio::test(flavor = "multi_thread")]
async fn it_shows_an_application_on_a_server_of_its_own() {
    let playground = Playground::new().await;
    let shown = playground.klient(&["demo", "--once"], None).await;
    for line in [
        "namespace/shop created",
        "configmap/storefront created",
        "deployment.apps/storefront created",
        "service/storefront created",
        "customresourcedefinition.apiextensions.k8s.io/coupons.shop.example created",
        "coupon.shop.example/welcome created",
        "  Deployment storefront: 0 of 2 replicas ready",
        "  Coupon winter: WINTER26 gives 25 %",
        "  MODIFIED Deployment storefront: 0 of 5 replicas ready",
        "  MODIFIED ConfigMap storefront: banner \"Winter sale\"",
        "  MODIFIED Coupon winter: WINTER26 gives 50 %",
        "  DELETED  Coupon welcome: WELCOME gives 10 %",
        "  Coupon winter: WINTER26 gives 50 %",
        "  Deployment storefront: 0 of 3 replicas ready",
        "  kubectl -n shop get all,coupons",
    ] {
        assert!(shown.lines().any(|other| other == line), "{line:?} in\n{shown}");
    }
    assert_eq!(namespaces(&playground).await, ["default", "kube-node-lease", "kube-public", "kube-system"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_leaves_nothing_on_a_cluster() {
    let playground = Playground::new().await;
    let kubeconfig = playground.kubeconfig("admin");
    let args = ["demo", "--once", "--kubeconfig", kubeconfig.to_str().unwrap()];
    let shown = playground.klient(&args, None).await;
    assert!(shown.contains("DELETED  Coupon welcome: WELCOME gives 10 %\n"), "{shown}");
    assert!(!shown.contains("namespace/shop "), "{shown}");
    assert_eq!(namespaces(&playground).await, ["default", "kube-node-lease", "kube-public", "kube-system"]);
    assert!(definition(&playground).await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn it_leaves_what_was_there_on_a_cluster() {
    let playground = Playground::new().await;
    let application = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/shop/application.yaml");
    playground.klient(&["apply", "-n", "shop", "-f", application], None).await;
    let before = definition(&playground).await.unwrap();
    let kubeconfig = playground.kubeconfig("admin");
    playground.klient(&["demo", "--once", "--kubeconfig", kubeconfig.to_str().unwrap()], None).await;
    let after = definition(&playground).await.unwrap();
    assert_eq!(after.metadata.uid, before.metadata.uid);
    assert!(namespaces(&playground).await.contains(&"shop".to_owned()));
}

async fn namespaces(playground: &Playground) -> Vec<String> {
    let namespaces = playground.client().api::<Namespace>().list(&ListOptions::default()).await.unwrap();
    namespaces.into_iter().map(|namespace| namespace.metadata.name.unwrap_or_default().into()).collect()
}

async fn definition(playground: &Playground) -> Option<CustomResourceDefinition> {
    playground.client().api::<CustomResourceDefinition>().get_opt(DEFINITION).await.unwrap()
}
