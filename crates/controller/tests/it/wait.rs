//! Waits for one object, while others change it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use klient_api::apiextensions::v1::CustomResourceDefinition;
use klient_api::apps::v1::Deployment;
use klient_api::batch::v1::Job;
use klient_api::core::v1::ConfigMap;
use klient_api::rbac::v1::{ClusterRole, ClusterRoleBinding, PolicyRule, RoleRef, Subject};
use klient_apimachinery::meta::v1::{DeleteOptions, ObjectMeta};
use klient_apimachinery::{Kind, Object, Resource as _, Unstructured};
use klient_client::{Client, Config, Patch, RequestBody, ResponseBody, Transport};
use klient_controller::ErrorKind;
use klient_controller::wait::{Condition as _, WaitOptions, conditions, wait_for};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::cluster::{cluster, config_map, config_maps, soon};
use crate::website::{Website, define_websites};

fn short() -> WaitOptions {
    WaitOptions { timeout: Duration::from_millis(50), ..Default::default() }
}

#[tokio::test]
async fn a_definition_is_established() {
    let (_server, client) = cluster().await;
    let definitions = client.api::<CustomResourceDefinition>();
    let name = "websites.example.com";
    let (waited, ()) = tokio::join!(
        wait_for(&definitions, name, conditions::established(), Default::default()),
        define_websites(&client),
    );
    assert_eq!(waited.unwrap().unwrap().name(), name);
    // And again, when it is met at once.
    wait_for(&definitions, name, conditions::established(), short()).await.unwrap();
}

#[tokio::test]
async fn a_name_may_have_the_signs_of_selectors() {
    let (_server, client) = cluster().await;
    let name = r"a,b=c\d";
    let roles = client.api::<ClusterRole>();
    let never = |_: Option<&ClusterRole>| false;
    let error = wait_for(&roles, name, never, short()).await.unwrap_err();
    assert!(error.to_string().contains("does not exist"), "{error}");
    roles.create(&ClusterRole { metadata: ObjectMeta::named(name), ..Default::default() }).await.unwrap();
    let role = wait_for(&roles, name, |role: Option<&ClusterRole>| role.is_some(), short()).await.unwrap();
    assert_eq!(role.unwrap().name(), name);
}

#[tokio::test]
async fn a_watch_that_is_refused_ends_the_wait() {
    let (server, admin) = cluster().await;
    let rule = PolicyRule {
        api_groups: vec!["".into()],
        resources: vec!["configmaps".into()],
        verbs: vec!["list".into()],
        ..Default::default()
    };
    let role = ClusterRole { metadata: ObjectMeta::named("lister"), rules: vec![rule], ..Default::default() };
    admin.api::<ClusterRole>().create(&role).await.unwrap();
    let binding = ClusterRoleBinding {
        metadata: ObjectMeta::named("lister"),
        role_ref: RoleRef { kind: "ClusterRole".into(), name: "lister".into(), ..Default::default() },
        subjects: vec![Subject { kind: "User".into(), name: "lister".into(), ..Default::default() }],
        ..Default::default()
    };
    admin.api::<ClusterRoleBinding>().create(&binding).await.unwrap();
    let config = Config::from_kubeconfig(&server.kubeconfig_for(&server.token("lister", &[]))).unwrap();
    let config_maps = config_maps(&Client::new(config).unwrap());
    let error =
        wait_for(&config_maps, "sky", conditions::deleted().not(), Default::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Request);
    assert!(error.request_error().is_some_and(klient_client::Error::is_forbidden), "{error}");
}

async fn create<K: Kind + DeserializeOwned>(client: &Client, object: Value) -> K {
    let object: K = serde_json::from_value(object).unwrap();
    client.api::<K>().namespace_of(&"default/x".parse().unwrap()).create(&object).await.unwrap()
}

fn template() -> Value {
    json!({"metadata": {"labels": {"app": "web"}}, "spec": {
        "containers": [{"name": "web", "image": "nginx"}], "restartPolicy": "Never",
    }})
}

#[tokio::test]
async fn a_condition_of_an_earlier_generation_does_not_count() {
    let (_server, client) = cluster().await;
    let mut template = template();
    template["spec"]["restartPolicy"] = "Always".into();
    let web = json!({"metadata": {"name": "web"}, "spec": {
        "selector": {"matchLabels": {"app": "web"}}, "template": template,
    }});
    create::<Deployment>(&client, web).await;
    let deployments = client.api::<Deployment>().namespace("default");
    let status = |generation: i64, status: &str| {
        let available = json!({"type": "Available", "status": status, "reason": "MinimumReplicas"});
        Patch::Merge(json!({"status": {"observedGeneration": generation, "conditions": [available]}}))
    };
    deployments.patch_status("web", &status(1, "True")).await.unwrap();
    deployments.patch("web", &Patch::Merge(json!({"spec": {"replicas": 2}}))).await.unwrap();
    let error = wait_for(&deployments, "web", conditions::available(), short()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    let expected = "deployments.apps default/web: the condition Available=True did not come within 0.05 s; its \
                    condition Available is True (MinimumReplicas), as of an earlier generation";
    assert_eq!(error.to_string(), expected);
    let (waited, _) = tokio::join!(
        wait_for(&deployments, "web", conditions::available(), Default::default()),
        deployments.patch_status("web", &status(2, "True")),
    );
    assert_eq!(waited.unwrap().unwrap().spec.replicas, Some(2));
}

#[tokio::test]
async fn a_job_completes_or_the_wait_fails_with_it() {
    let (_server, client) = cluster().await;
    let jobs = client.api::<Job>().namespace("default");
    let conditions_of = |type_: &str| {
        let time = "2026-01-01T00:00:00Z";
        let condition =
            |type_: &str| json!({"type": type_, "status": "True", "reason": "BackoffLimitExceeded"});
        let (before, counts) = match type_ {
            "Failed" => ("FailureTarget", json!({"failed": 1})),
            _ => ("SuccessCriteriaMet", json!({"succeeded": 1, "completionTime": time})),
        };
        let mut status = counts;
        status["startTime"] = time.into();
        status["conditions"] = json!([condition(before), condition(type_)]);
        Patch::Merge(json!({ "status": status }))
    };
    for (name, outcome) in [("good", "Complete"), ("bad", "Failed")] {
        create::<Job>(&client, json!({"metadata": {"name": name}, "spec": {"template": template()}})).await;
        let (waited, patched) = tokio::join!(
            wait_for(&jobs, name, conditions::job_completed(), Default::default()),
            jobs.patch_status(name, &conditions_of(outcome)),
        );
        patched.unwrap();
        match outcome {
            "Complete" => assert!(waited.unwrap().is_some()),
            _ => {
                let error = waited.unwrap_err();
                let expected = "jobs.batch default/bad: the job has failed: its condition Failed is True (BackoffLimitExceeded)";
                assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Condition, expected));
            }
        }
    }
}

#[tokio::test]
async fn a_deletion_is_waited_for_and_the_finalizers_are_told() {
    let (_server, client) = cluster().await;
    let maps = config_maps(&client);
    let mut map = config_map("colors", "red");
    map.metadata.add_finalizer("shop.example/paint");
    maps.create(&map).await.unwrap();
    maps.delete("colors", &DeleteOptions::default()).await.unwrap();
    let error = wait_for(&maps, "colors", conditions::deleted(), short()).await.unwrap_err();
    assert!(error.to_string().ends_with("and has the finalizers: shop.example/paint"), "{error}");
    let no_finalizers = Patch::Merge(json!({"metadata": {"finalizers": null}}));
    let (waited, _) = tokio::join!(
        wait_for(&maps, "colors", conditions::deleted(), Default::default()),
        maps.patch("colors", &no_finalizers),
    );
    assert!(waited.unwrap().is_none());
    // And again, when it is met at once.
    assert!(wait_for(&maps, "colors", conditions::deleted(), short()).await.unwrap().is_none());
}

#[tokio::test]
async fn an_object_that_was_created_again_is_another() {
    let (_server, client) = cluster().await;
    let maps = client.dynamic(ConfigMap::INFO).namespace("default");
    let map = Unstructured::from_typed(&config_map("colors", "red"));
    let first = maps.create(&map).await.unwrap();
    let of_first = || WaitOptions { uid: Some(first.uid().into()), ..Default::default() };
    let never =
        |object: Option<&Unstructured>| object.is_some_and(|object| object["data"]["color"] == "blue");

    let (waited, ()) = tokio::join!(wait_for(&maps, "colors", never, of_first()), async {
        maps.delete("colors", &DeleteOptions::default()).await.unwrap();
    });
    let error = waited.unwrap_err();
    assert_eq!(error.to_string(), "configmaps default/colors: the object was deleted");

    maps.create(&map).await.unwrap();
    let error = wait_for(&maps, "colors", never, of_first()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Replaced);
    let expected = "configmaps default/colors: the object was deleted, and another of its name created";
    assert_eq!(error.to_string(), expected);
    // As its deletion it counts; and without a uid any object does.
    assert!(wait_for(&maps, "colors", conditions::deleted(), of_first()).await.unwrap().is_none());
    let paint = Patch::Merge(json!({"data": {"color": "blue"}}));
    let (waited, _) =
        tokio::join!(wait_for(&maps, "colors", never, Default::default()), maps.patch("colors", &paint));
    assert_eq!(waited.unwrap().unwrap()["data"]["color"], "blue");
}

#[tokio::test]
async fn a_wait_outlives_the_server_and_its_history() {
    let (server, client) = cluster().await;
    define_websites(&client).await;
    let websites = client.api::<Website>().namespace("default");
    server.stop().await;
    let waiting = tokio::spawn({
        let websites = websites.clone();
        async move { wait_for(&websites, "shop", conditions::condition("Ready"), Default::default()).await }
    });
    let error = wait_for(&websites, "shop", conditions::condition("Ready"), short()).await.unwrap_err();
    assert!(error.to_string().contains("; the last error was: GET https://"), "{error}");
    server.restart().await.unwrap();
    websites.create(&Website::named("shop")).await.unwrap();
    let error = wait_for(&websites, "shop", conditions::condition("Ready"), short()).await.unwrap_err();
    assert!(error.to_string().ends_with("; it has no condition Ready"), "{error}");
    server.restart().await.unwrap();
    server.compact();
    let ready = json!({"status": {"conditions": [{"type": "Ready", "status": "True"}]}});
    // A condition without the fields that its type requires: it is read as JSON.
    websites.patch_status("shop", &Patch::Merge(ready)).await.unwrap();
    soon("the condition", waiting).await.unwrap().unwrap();

    let forbidden = klient_client::Config::from_kubeconfig(&server.kubeconfig_for(&server.token("ann", &[])));
    let forbidden = Client::new(forbidden.unwrap()).unwrap().api::<Website>().namespace("default");
    let error = wait_for(&forbidden, "shop", conditions::deleted(), Default::default()).await.unwrap_err();
    assert!(error.request_error().unwrap().is_forbidden(), "{error}");
}

#[tokio::test]
async fn failures_of_the_server_are_waited_out_and_told() {
    let (server, client) = cluster().await;
    config_maps(&client).create(&config_map("colors", "red")).await.unwrap();
    // The first two lists and all watches fail.
    let lists = Arc::new(AtomicU32::new(0));
    let layer = tower::layer::layer_fn(move |transport: Transport| {
        let lists = lists.clone();
        tower::service_fn(move |request: http::Request<RequestBody>| {
            let is_watch = request.uri().query().is_some_and(|query| query.contains("watch="));
            let fails = is_watch || lists.fetch_add(1, Ordering::Relaxed) < 2;
            let transport = transport.clone();
            async move {
                if fails {
                    let answer = http::Response::builder().status(http::StatusCode::BAD_GATEWAY);
                    return Ok(answer.body(ResponseBody::new(String::new()))?);
                }
                transport.oneshot(request).await
            }
        })
    });
    let config = klient_client::Config::from_kubeconfig(&server.kubeconfig()).unwrap();
    let maps = config_maps(&Client::with_layer(config, layer).unwrap());
    let is_there = |map: Option<&ConfigMap>| map.is_some();
    let found = soon("the third list", wait_for(&maps, "colors", is_there, Default::default())).await;
    assert_eq!(found.unwrap().unwrap().data["color"], "red");

    let never = |_: Option<&ConfigMap>| false;
    let options = WaitOptions { timeout: Duration::from_secs(1), ..Default::default() };
    let error = wait_for(&maps, "colors", never, options).await.unwrap_err().to_string();
    assert!(
        error.contains("; it was at resourceVersion ") && error.contains("; the last error was: "),
        "{error}"
    );
}

#[tokio::test]
async fn a_wait_without_a_name_is_an_error_before_a_request() {
    // No server is there, which would be waited for.
    let client = Client::new(klient_client::Config::from_url("http://127.0.0.1:1").unwrap()).unwrap();
    let maps = config_maps(&client);
    let waited = wait_for(&maps, "", conditions::deleted(), Default::default());
    let error = soon("the error", waited).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoName);
    assert_eq!(error.to_string(), "configmaps: the object that is to be waited for has no name");
}

#[tokio::test]
async fn a_wait_of_no_time_reads_the_object_once() {
    let (server, client) = cluster().await;
    let maps = config_maps(&client);
    let once = || WaitOptions { timeout: Duration::ZERO, ..Default::default() };
    let is_there = |map: Option<&ConfigMap>| map.is_some();
    assert!(wait_for(&maps, "colors", conditions::deleted(), once()).await.unwrap().is_none());
    let error = wait_for(&maps, "colors", is_there, once()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    let expected = "configmaps default/colors: the condition did not come within 0 s; it does not exist";
    assert_eq!(error.to_string(), expected);
    maps.create(&config_map("colors", "red")).await.unwrap();
    assert!(wait_for(&maps, "colors", is_there, once()).await.unwrap().is_some());
    server.stop().await;
    let error = wait_for(&maps, "colors", is_there, once()).await.unwrap_err();
    assert!(error.to_string().contains(" within 0 s; the last error was: GET https://"), "{error}");
}

#[tokio::test]
async fn conditions_of_conditions_are_met_and_told() {
    let (_server, client) = cluster().await;
    let maps = config_maps(&client);
    maps.create(&config_map("colors", "red")).await.unwrap();
    let is = |color: &'static str| {
        move |map: Option<&ConfigMap>| {
            map.is_some_and(|map| map.data.get("color").is_some_and(|it| it == color))
        }
    };
    let once = || WaitOptions { timeout: Duration::ZERO, ..Default::default() };
    assert!(wait_for(&maps, "colors", is("blue").or(is("red")), once()).await.unwrap().is_some());
    assert!(wait_for(&maps, "colors", is("red").and(is("blue").not()), once()).await.unwrap().is_some());
    assert!(wait_for(&maps, "none", conditions::condition("Ready").not(), once()).await.unwrap().is_none());
    let paint = Patch::Merge(json!({"data": {"color": "blue"}}));
    let (waited, _) = tokio::join!(
        wait_for(&maps, "colors", is("red").not().and(is("blue")), Default::default()),
        maps.patch("colors", &paint),
    );
    assert_eq!(waited.unwrap().unwrap().data["color"], "blue");

    let condition = conditions::deleted().or(conditions::available().not().and(conditions::established()));
    let error = wait_for(&maps, "colors", condition, once()).await.unwrap_err();
    let expected = "configmaps default/colors: its deletion or the opposite of the condition Available=True and the \
                    condition Established=True did not come within 0 s; it is not being deleted; it has no condition \
                    Available; it has no condition Established";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_condition_that_cannot_be_met_any_more_is_not_asked_for_by_its_opposite() {
    let failed = json!({"status": {"conditions": [{"type": "Failed", "status": "True"}]}});
    let failed: Job = serde_json::from_value(failed).unwrap();
    let completed = conditions::job_completed;
    let never = |_: Option<&Job>| false;
    assert!(completed().and(never).is_met(Some(&failed)).is_err());
    assert_eq!(completed().or(never).is_met(Some(&failed)), Ok(false));
    assert!(completed().or(completed()).is_met(Some(&failed)).is_err());
    assert_eq!(completed().not().is_met(Some(&failed)), Ok(true));
}
