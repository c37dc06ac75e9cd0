//! `demo`, on a server of its own and on a cluster of the user's.

use std::os::unix::fs::PermissionsExt as _;

use klient_api::apiextensions::v1::CustomResourceDefinition;
use klient_api::core::v1::Namespace;
use klient_client::{Client, Config, Credentials, ListOptions};

use crate::playground::{Playground, soon};
use crate::running::{Running, line};

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
    assert!(!shown.contains("browser"), "{shown}");
    assert_eq!(namespaces(&playground).await, ["default", "kube-node-lease", "kube-public", "kube-system"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_serves_a_page_until_it_is_ended_and_opens_it_when_told() {
    let playground = Playground::new().await;
    let folder = tempfile::tempdir().unwrap();
    let (browser, opened) = (folder.path().join("browser"), folder.path().join("opened"));
    let script = format!(
        "#!/bin/sh\necho \"$1\" > {opened}.new\nmv {opened}.new {opened}\n",
        opened = opened.display()
    );
    std::fs::write(&browser, script).unwrap();
    std::fs::set_permissions(&browser, std::fs::Permissions::from_mode(0o700)).unwrap();
    let env = [("BROWSER", browser.to_str().unwrap()), ("DISPLAY", ":0")];
    for flags in [&["demo", "--open"][..], &["demo"], &["demo", "--no-open"]] {
        let mut demo = Running::start(&playground, &env, flags);
        let url = line(&mut demo.stdout, "  http://127.0.0.1:").await;
        let (server, token) = url.trim().split_once("/?token=").unwrap();
        line(&mut demo.stdout, "Ctrl-C ends it.").await;
        let mut config = Config::from_url(server).unwrap();
        config.credentials = Credentials::token(token);
        let gateway = Client::new(config).unwrap();
        let get =
            async |path: &str| gateway.request(http::Method::GET).request_uri(path).send().await.unwrap();
        assert!(get("/v1/session").await.text().contains("\"writes\":true"));
        let table = get("/v1/table/apps/v1/deployments?namespace=shop").await;
        assert!(table.text().contains("storefront"), "{}", table.text());
        if flags.contains(&"--open") {
            soon("the browser", async {
                while !opened.exists() {
                    tokio::task::yield_now().await;
                }
            })
            .await;
            assert_eq!(std::fs::read_to_string(&opened).unwrap().trim(), url.trim());
            std::fs::remove_file(&opened).unwrap();
        }
        assert_eq!(demo.end_by("-INT").await, 0);
        // There is no terminal.
        assert!(!opened.exists(), "{flags:?}");
    }
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
