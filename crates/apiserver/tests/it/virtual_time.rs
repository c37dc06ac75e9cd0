//! A server on the runtime of its caller, whose time is paused.

use std::time::Duration;

use http::Method;
use klient_apimachinery::meta::v1::PartialObjectMetadata;
use klient_apimachinery::{Object as _, ResourceInfo, Unstructured, WatchEvent, WatchOptions};
use klient_apiserver::{Options, Server, TestServer};
use klient_client::{Client, Config, Dialer, Proxy};
use serde_json::{Value, json};
use tokio::time::Instant;

const NAMESPACES: ResourceInfo = ResourceInfo::from_static("", "v1", "Namespace", "namespaces", false);

fn client(server: &Server) -> Client {
    let mut config =
        Config::from_kubeconfig(&server.kubeconfig()).expect("a server writes one that can be used");
    let connector = server.connector();
    config.dialer = Some(Dialer::new(move |_, _| {
        let connector = connector.clone();
        async move { connector.connect().await }
    }));
    config.proxy = Proxy::None;
    Client::new(config).expect("a server writes one that can be used")
}

#[tokio::test(start_paused = true)]
async fn minutes_of_a_watch_pass_at_once_and_no_other_time_out_does() {
    let server = TestServer::start_on_this_runtime().await.unwrap();
    let namespaces = client(&server).metadata(NAMESPACES);
    let options =
        WatchOptions { timeout_seconds: Some(600), allow_bookmarks: true, ..WatchOptions::default() };
    let began = Instant::now();
    let mut watch = namespaces.watch(&options).await.unwrap();
    let mut bookmarks = 0;
    while let Some(event) = watch.next().await {
        let event: WatchEvent<PartialObjectMetadata> = event.unwrap();
        bookmarks += usize::from(matches!(event, WatchEvent::Bookmark(_)));
    }
    assert_eq!(began.elapsed().as_secs(), 600);
    // One a minute, and one before the end.
    assert!(bookmarks >= 10, "{bookmarks}");
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(namespaces.get("default").await.unwrap().name(), "default");
}

#[tokio::test(start_paused = true)]
async fn a_server_on_the_runtime_of_its_caller_stops_and_restarts() {
    let server = TestServer::start_on_this_runtime().await.unwrap();
    let namespaces = client(&server).metadata(NAMESPACES);
    namespaces.get("default").await.unwrap();
    server.stop().await;
    assert!(server.connect().await.is_err());
    server.restart().await.unwrap();
    namespaces.get("default").await.unwrap();
}

#[tokio::test]
async fn all_objects_of_a_server_come_once_each() {
    let server = TestServer::start_on_this_runtime().await.unwrap();
    let objects = server.local().objects();
    let default = objects.iter().filter(|object| object.resource().plural == "namespaces");
    let default = default.filter(|object| object.name() == "default").collect::<Vec<_>>();
    let [default] = default[..] else { panic!("{default:?}") };
    let object = default.to_unstructured();
    assert_eq!((object.api_version(), object.kind(), object.uid()), ("v1", "Namespace", default.uid()));
    assert!(objects.iter().all(|object| object.resource_version() <= server.resource_version()));
    let mut uids: Vec<_> = objects.iter().map(|object| object.uid()).collect();
    uids.sort_unstable();
    uids.dedup();
    assert_eq!(uids.len(), objects.len());
}

#[tokio::test(start_paused = true)]
async fn the_first_version_and_the_interval_of_bookmarks_are_options() {
    let options = Options {
        listen: None,
        threads: None,
        first_version: 7_000_000,
        bookmark_interval: Duration::from_millis(1),
        ..Default::default()
    };
    let server = Server::start(options).await.unwrap();
    assert!((7_000_001..7_001_000).contains(&server.resource_version()));
    let namespaces = client(&server).metadata(NAMESPACES);
    let bookmarks = WatchOptions { allow_bookmarks: true, ..WatchOptions::default() };
    let mut watch = namespaces.watch(&bookmarks).await.unwrap();
    while !matches!(watch.next().await.unwrap().unwrap(), WatchEvent::Bookmark(_)) {}
}

/// The last attempt to empty the namespace was long ago, and the next one is long to come.
#[tokio::test(start_paused = true)]
async fn a_namespace_whose_content_cannot_be_deleted_waits_and_goes_on_when_that_changes() {
    let server = TestServer::start_on_this_runtime().await.unwrap();
    let client = client(&server);
    let admission = "/apis/admissionregistration.k8s.io/v1";
    let post = async |path: &str, object: Value| {
        let request = client.request(Method::POST).absolute_path(path);
        request.body("application/json", object.to_string()).send().await.expect("it is valid");
    };
    let constraints = json!({"resourceRules": [{
        "apiGroups": [""], "apiVersions": ["v1"], "operations": ["DELETE"], "resources": ["configmaps"],
    }]});
    let validation = json!({"expression": "!('keep' in oldObject.data)", "message": "it is kept"});
    let policy = json!({"matchConstraints": constraints, "validations": [validation]});
    let policy = json!({"metadata": {"name": "p"}, "spec": policy});
    post(&format!("{admission}/validatingadmissionpolicies"), policy).await;
    let binding = json!({"policyName": "p", "validationActions": ["Deny"]});
    let binding = json!({"metadata": {"name": "b"}, "spec": binding});
    post(&format!("{admission}/validatingadmissionpolicybindings"), binding).await;
    post("/api/v1/namespaces", json!({"metadata": {"name": "shop"}})).await;
    let kept = json!({"metadata": {"name": "c"}, "data": {"keep": "yes", "other": ""}});
    post("/api/v1/namespaces/shop/configmaps", kept).await;
    let namespace = "/api/v1/namespaces/shop";
    client.request(Method::DELETE).absolute_path(namespace).send().await.expect("it is there");
    tokio::time::sleep(Duration::from_secs(300)).await;
    let namespaces = client.dynamic(NAMESPACES);
    let waiting = namespaces.get("shop").await.expect("it waits");
    let conditions = waiting["status"]["conditions"].as_array().expect("it has conditions").clone();
    let condition = |name: &str| {
        let found = conditions.iter().find(|condition| condition["type"] == name).expect("it is set");
        (found["status"].clone(), found["reason"].clone(), found["message"].clone())
    };
    let message = "Failed to delete all resource types, 1 remaining: configmaps \"c\" is forbidden: \
                   ValidatingAdmissionPolicy 'p' with binding 'b' denied request: it is kept";
    assert_eq!(
        condition("NamespaceDeletionContentFailure"),
        ("True".into(), "ContentDeletionFailed".into(), message.into())
    );
    // As upstream, objects of a resource that could not be deleted are not counted.
    assert_eq!(condition("NamespaceContentRemaining").0, "False");
    let began = Instant::now();
    let released = client.request(Method::PATCH).absolute_path("/api/v1/namespaces/shop/configmaps/c");
    let released = released.body("application/merge-patch+json", r#"{"data": {"keep": null}}"#);
    released.send().await.expect("it can be changed");
    while namespaces.get("shop").await.is_ok() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(began.elapsed() < Duration::from_secs(1), "of virtual time: {:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn no_time_passes_while_rules_are_evaluated_on_another_thread() {
    let server = TestServer::start_on_this_runtime().await.unwrap();
    let client = client(&server);
    let rule = "lists.range(2000).all(a, lists.range(40).all(b, self.size() >= 0))";
    let definition = crate::objects::gadgets(json!({"type": "object", "properties": {
        "s": {"type": "string", "x-kubernetes-validations": [{"rule": rule}]},
    }}));
    let kinds = ResourceInfo::from_static(
        "apiextensions.k8s.io",
        "v1",
        "CustomResourceDefinition",
        "customresourcedefinitions",
        false,
    );
    let whole = |api_version: &str, kind: &str, mut object: Value| -> Unstructured {
        object["apiVersion"] = api_version.into();
        object["kind"] = kind.into();
        serde_json::from_value(object).unwrap()
    };
    let definition = whole("apiextensions.k8s.io/v1", "CustomResourceDefinition", definition);
    client.dynamic(kinds).create(&definition).await.unwrap();
    let gadgets = ResourceInfo::from_static("a.example", "v1", "Gadget", "gadgets", true);
    let spec = json!({"s": "é".repeat(100_000)});
    let gadget = whole("a.example/v1", "Gadget", crate::objects::gadget("g", spec));
    let began = Instant::now();
    client.dynamic(gadgets).namespace("default").create(&gadget).await.unwrap();
    assert_eq!(began.elapsed(), Duration::ZERO);
}
