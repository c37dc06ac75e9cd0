//! The manifests of `examples/gateway`: what the account of the gateway may do by each of them.

use std::collections::BTreeSet;

use http::{Method, Request};
use klient_apimachinery::{Object as _, Unstructured};
use klient_client::{ApplyOptions, Client, Credentials, RestMapper};
use klient_gateway::{Access, Options};
use serde_json::{Value, json};

use crate::stage::Stage;

const GATEWAY: &str = include_str!("../../../../examples/gateway/gateway.yaml");
const READ_ONLY: &str = include_str!("../../../../examples/gateway/read-only.yaml");
const BEARER: &str = include_str!("../../../../examples/gateway/bearer.yaml");
const IMPERSONATE: &str = include_str!("../../../../examples/gateway/impersonate.yaml");

/// The gateway with the account of its manifest, and one of those that say who its users are.
async fn in_cluster(manifest: &str, access: Access) -> Stage {
    Stage::start_as(async |admin| {
        // Nothing is in conflict when it is applied again.
        for _ in 0..2 {
            apply(admin, GATEWAY).await;
            apply(admin, manifest).await;
        }
        (of_account(admin, "gateway").await, Options { access, ..Options::default() })
    })
    .await
}

async fn apply(admin: &Client, manifest: &str) {
    let mapper = RestMapper::new(admin.discovery().resources().await.unwrap());
    for object in Unstructured::from_manifest(manifest).unwrap() {
        let kind = object.group_version_kind();
        let resource = mapper.kind(&kind.group, &kind.kind, Some(&kind.version)).unwrap();
        let objects = admin.dynamic(resource).namespace(object.namespace().unwrap_or_default());
        objects.apply(&object, &ApplyOptions::new("manifest")).await.unwrap();
    }
}

/// A client of a service account of the manifest's namespace.
async fn of_account(admin: &Client, account: &str) -> Client {
    let path = format!("/api/v1/namespaces/klient-gateway/serviceaccounts/{account}/token");
    let review = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {} });
    let request = admin.request(Method::POST).absolute_path(&path);
    let answer: Value = json_of(request.body("application/json", review.to_string())).await;
    let mut config = admin.config().clone();
    config.credentials = Credentials::token(answer["status"]["token"].as_str().unwrap());
    config.tls.client = None;
    Client::new(config).unwrap()
}

async fn json_of(request: klient_client::Request) -> Value {
    serde_json::from_slice(request.send().await.unwrap().bytes()).unwrap()
}

/// The permissions of an account in a namespace, as lines such as `get apps/deployments`.
async fn permissions(client: &Client) -> BTreeSet<String> {
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectRulesReview",
        "spec": { "namespace": "default" },
    });
    let request = client.request(Method::POST).group_version("authorization.k8s.io", "v1");
    let request = request.resource("selfsubjectrulesreviews");
    let answer: Value = json_of(request.body("application/json", review.to_string())).await;
    assert_eq!(answer["status"]["incomplete"], false, "{answer}");
    let texts = |rule: &Value, field: &str| -> Vec<String> {
        let texts = rule[field].as_array().into_iter().flatten();
        texts.map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    let mut found = BTreeSet::new();
    for rule in answer["status"]["resourceRules"].as_array().unwrap() {
        let names = texts(rule, "resourceNames").join(" ");
        for group in texts(rule, "apiGroups") {
            for resource in texts(rule, "resources") {
                for verb in texts(rule, "verbs") {
                    found.insert(format!("{verb} {group}/{resource} {names}").trim().to_owned());
                }
            }
        }
    }
    found
}

/// The permissions that the account of the gateway has, and no other.
async fn granted(stage: &Stage) -> BTreeSet<String> {
    let account = json!({ "metadata": { "name": "other" } });
    stage.create("/api/v1/namespaces/klient-gateway/serviceaccounts", account).await;
    let other = permissions(&of_account(&stage.admin, "other").await).await;
    &permissions(&of_account(&stage.admin, "gateway").await).await - &other
}

#[tokio::test(flavor = "multi_thread")]
async fn the_account_of_the_read_only_manifest_reads_and_sees_no_secret() {
    let stage = in_cluster(READ_ONLY, Access::Token).await;
    let granted = granted(&stage).await;
    for permission in &granted {
        let (verb, resource) = permission.split_once(' ').unwrap();
        assert!(["get", "list", "watch"].contains(&verb), "{permission}");
        let into_containers = ["exec", "attach", "portforward", "proxy"];
        assert!(!into_containers.iter().any(|part| resource.ends_with(part)), "{permission}");
        assert!(!resource.contains('*') && !resource.contains("secret"), "{permission}");
    }

    let container = json!({ "name": "main", "image": "box", "command": ["sh", "-c", "echo hello"] });
    let pod = json!({ "metadata": { "name": "web" }, "spec": { "containers": [container] } });
    stage.create("/api/v1/namespaces/default/pods", pod).await;
    let overview = stage.get("/v1/overview").await.json();
    for part in ["nodes", "pods", "warnings"] {
        assert_eq!(overview[part].get("error"), None, "{overview}");
    }
    for workload in overview["workloads"].as_array().unwrap() {
        assert_eq!(workload.get("error"), None, "{overview}");
    }
    assert_eq!(stage.get("/v1/namespaces").await.json()["complete"], true);

    // Each kind of the cluster has a table, if its list is allowed, also to all accounts, and no other has.
    let allowed = permissions(&of_account(&stage.admin, "gateway").await).await;
    let kinds = stage.get("/v1/kinds").await.json();
    let mut tables = 0;
    for kind in kinds["kinds"].as_array().unwrap() {
        let has = |verb: &str| kind["verbs"].as_array().unwrap().iter().any(|one| one == verb);
        if !(has("list") && has("watch")) {
            continue;
        }
        let (group, plural) = (kind["group"].as_str().unwrap(), kind["resource"].as_str().unwrap());
        let table = stage.get(&format!("/v1/table/{}", kind["path"].as_str().unwrap())).await;
        let is_allowed = allowed.contains(&format!("list {group}/{plural}"));
        assert_eq!(table.status, if is_allowed { 200 } else { 403 }, "{plural} {}", table.text());
        tables += usize::from(is_allowed);
    }
    assert!(tables > 20, "{tables}");

    let object = stage.get("/v1/object/core/v1/pods/web?namespace=default").await.json();
    let problems = object["problems"].as_array().unwrap().iter();
    let refused: Vec<&str> = problems.map(|problem| problem["part"].as_str().unwrap()).collect();
    assert_eq!(
        refused,
        [
            "secrets",
            "podcertificaterequests.certificates.k8s.io",
            "rolebindings.rbac.authorization.k8s.io",
            "roles.rbac.authorization.k8s.io",
        ],
        "{object}"
    );
    let log = "/api/v1/namespaces/default/pods/web/log";
    let logged = crate::stage::soon("the log", async {
        loop {
            let answer = stage.get(log).await;
            if answer.text().contains("hello") {
                return answer;
            }
        }
    });
    assert_eq!(logged.await.status, 200);
    assert_eq!(stage.get("/pod/list").await.json()["code"], 20000);
    assert_eq!(stage.get("/readyz").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_account_of_the_bearer_manifest_may_do_nothing_and_its_users_what_they_may() {
    let stage = in_cluster(BEARER, Access::Bearer).await;
    assert_eq!(granted(&stage).await, BTreeSet::new());
    assert_eq!(stage.get("/readyz").await.status, 200);
    stage.allow("ada", None, &["pods"]).await;
    let token = stage.server.token("ada", &[]);
    for (path, status) in [("/v1/table/core/v1/pods", 200), ("/v1/table/core/v1/nodes", 403)] {
        let request = Request::get(path).header("authorization", format!("Bearer {token}"));
        assert_eq!(stage.send(request.body(String::new()).unwrap()).await.status, status, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_account_of_the_impersonating_manifest_acts_as_users_and_as_named_groups() {
    let access = Access::Impersonate {
        user_header: "X-Remote-User".into(),
        group_header: Some("X-Remote-Group".into()),
    };
    let stage = in_cluster(IMPERSONATE, access).await;
    let expected = ["impersonate /groups developers operators", "impersonate /users"];
    assert_eq!(granted(&stage).await, expected.map(str::to_owned).into());
    assert_eq!(stage.get("/readyz").await.status, 200);
    stage.allow("ada", None, &["pods"]).await;
    for (path, group, status) in [
        ("/v1/table/core/v1/pods", "developers", 200),
        ("/v1/table/core/v1/nodes", "developers", 403),
        ("/v1/table/core/v1/nodes", "system:masters", 403),
        ("/v1/table/core/v1/pods", "people", 403),
    ] {
        let request = stage.request(path).header("x-remote-user", "ada").header("x-remote-group", group);
        assert_eq!(stage.send(request.body(String::new()).unwrap()).await.status, status, "{path} {group}");
    }
}
