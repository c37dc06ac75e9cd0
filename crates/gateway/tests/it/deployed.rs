//! The manifests of `examples/gateway` and of its documentation, on an embedded server, or on the server of the kubeconfig that
//! `KLIENT_JUDGE` names: `cargo xtask e2e` does so with a real kube-apiserver.

use http::Method;
use klient_apimachinery::codec::Wire as _;
use klient_apimachinery::{Object as _, Unstructured};
use klient_apiserver::Server;
use klient_client::{
    ApiResource, Client, Config, DeleteOptions, Impersonation, LoadingRules, Overrides, RestMapper,
};
use serde_json::{Value, json};

use crate::stage::soon;

const GATEWAY: &str = include_str!("../../../../examples/gateway/gateway.yaml");
const READ_ONLY: &str = include_str!("../../../../examples/gateway/read-only.yaml");
const BEARER: &str = include_str!("../../../../examples/gateway/bearer.yaml");
const IMPERSONATE: &str = include_str!("../../../../examples/gateway/impersonate.yaml");
const PAGE: &str = include_str!("../../../../docs/gateway.md");

/// The namespace and the account of the gateway.
const NAMESPACE: &str = "klient-gateway";
const ACCOUNT: &str = "system:serviceaccount:klient-gateway:gateway";

/// A cluster, and its administrator.
struct Cluster {
    admin: Client,
    mapper: RestMapper,
    /// The embedded server, which ends with the test.
    _server: Option<Server>,
}

impl Cluster {
    async fn start() -> Self {
        let (server, config) = match std::env::var_os("KLIENT_JUDGE") {
            Some(path) => {
                let kubeconfig = LoadingRules::explicit(path).load().unwrap();
                (None, kubeconfig.config(&Overrides::default()).unwrap())
            }
            None => {
                let server = Server::start(klient_apiserver::Options::default()).await.unwrap();
                let config = Config::from_kubeconfig(&server.kubeconfig()).unwrap();
                (Some(server), config)
            }
        };
        let admin = Client::new(config).unwrap();
        let mapper = RestMapper::new(admin.discovery().resources().await.unwrap());
        Cluster { admin, mapper, _server: server }
    }

    fn resource(&self, object: &Unstructured) -> &ApiResource {
        let kind = object.group_version_kind();
        self.mapper.kind(&kind.group, &kind.kind, Some(&kind.version)).unwrap()
    }

    /// Applies an object, in which no field may be unknown, and returns it.
    async fn apply(&self, object: &Unstructured) -> Value {
        let info = &self.resource(object).info;
        let mut request = self.admin.request(Method::PATCH).group_version(&info.group, &info.version);
        if info.namespaced {
            request = request.namespace(object.namespace().unwrap());
        }
        let mut json = Vec::new();
        object.to_json(&mut json);
        let request = request.resource(&info.plural).name(object.name());
        let request = request.query("fieldManager", "manifest").query("fieldValidation", "Strict");
        let applied = request.body("application/apply-patch+yaml", json).send().await;
        let applied = applied.unwrap_or_else(|error| panic!("{} {}: {error}", object.kind(), object.name()));
        serde_json::from_slice(applied.bytes()).unwrap()
    }

    async fn apply_all(&self, manifest: &str) -> Vec<Unstructured> {
        let objects = Unstructured::from_manifest(manifest).unwrap();
        for object in &objects {
            let first = self.apply(object).await;
            assert_contains(&first, &Value::Object(object.0.clone()), object.kind());
            let again = self.apply(object).await;
            assert_eq!(
                first["metadata"]["resourceVersion"], again["metadata"]["resourceVersion"],
                "{object:?}"
            );
        }
        objects
    }

    /// Deletes objects, but not their namespace, which some servers have no controller to remove.
    async fn delete_all(&self, objects: &[Unstructured]) {
        for object in objects.iter().filter(|object| object.kind() != "Namespace") {
            let api =
                self.admin.dynamic(self.resource(object)).namespace(object.namespace().unwrap_or_default());
            api.delete(object.name(), &DeleteOptions::default()).await.unwrap();
        }
    }

    /// Checks the permissions of the gateway's account, as `kubectl auth can-i --as` does: lines of the answer, the verb, the
    /// group and resource, and a name. A real server learns of roles after a moment.
    async fn check(&self, permissions: &str) {
        let mut config = self.admin.config().clone();
        let groups =
            ["system:serviceaccounts", "system:serviceaccounts:klient-gateway", "system:authenticated"];
        let groups = groups.map(str::to_owned).to_vec();
        config.impersonate =
            Some(Impersonation { user: ACCOUNT.to_owned(), groups, ..Impersonation::default() });
        let account = Client::new(config).unwrap();
        for line in permissions.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let (expected, name) = (words[0] == "yes", words.get(3).copied().unwrap_or_default());
            soon(line, async {
                while can(&account, words[1], words[2], name).await != expected {
                    tokio::task::yield_now().await;
                }
            })
            .await;
        }
    }
}

/// Returns true if a user may do something in the namespace `default`, or with objects that are in none.
async fn can(client: &Client, verb: &str, resource: &str, name: &str) -> bool {
    let (group, resource) = resource.split_once('/').unwrap();
    let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
    let attributes = json!({
        "namespace": "default", "verb": verb, "group": group, "resource": resource, "subresource": subresource, "name": name,
    });
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": { "resourceAttributes": attributes },
    });
    let request = client.request(Method::POST).group_version("authorization.k8s.io", "v1");
    let request = request.resource("selfsubjectaccessreviews").body("application/json", review.to_string());
    let answer: Value = serde_json::from_slice(request.send().await.unwrap().bytes()).unwrap();
    answer["status"]["allowed"].as_bool().unwrap()
}

/// Checks that a server has kept all fields of a manifest.
fn assert_contains(stored: &Value, applied: &Value, path: &str) {
    match (stored, applied) {
        (Value::Object(stored), Value::Object(applied)) => {
            for (name, value) in applied {
                assert_contains(stored.get(name).unwrap_or(&Value::Null), value, &format!("{path}.{name}"));
            }
        }
        (Value::Array(stored), Value::Array(applied)) if stored.len() == applied.len() => {
            for (at, (stored, applied)) in stored.iter().zip(applied).enumerate() {
                assert_contains(stored, applied, &format!("{path}[{at}]"));
            }
        }
        _ => assert_eq!(stored, applied, "{path}"),
    }
}

/// The manifest on the page with the documentation.
fn ingress() -> &'static str {
    let (_, manifest) = PAGE.split_once("\n```yaml\n").unwrap();
    manifest.split_once("\n```\n").unwrap().0
}

#[tokio::test(flavor = "multi_thread")]
async fn the_manifests_are_accepted_as_they_are_and_give_the_account_what_it_needs() {
    let cluster = Cluster::start().await;
    let gateway = cluster.apply_all(GATEWAY).await;
    let ingress = cluster.apply_all(ingress()).await;

    // The namespace admits restricted pods only; a server without controllers makes none of the Deployment.
    let deployment = gateway.iter().find(|object| object.kind() == "Deployment").unwrap();
    let mut pod = deployment.at(&["spec", "template"]).unwrap().clone();
    pod["metadata"]["name"] = "probe".into();
    let request = cluster.admin.request(Method::POST).group_version("", "v1").namespace(NAMESPACE);
    let request = request.resource("pods").query("dryRun", "All").query("fieldValidation", "Strict");
    request.body("application/json", pod.to_string()).send().await.unwrap();

    let nothing = "
        no list /pods
        no get /secrets
        no list /nodes
        no impersonate /users ada
        no impersonate /groups developers
    ";
    cluster.check(nothing).await;
    for (manifest, permissions) in [
        (
            READ_ONLY,
            "
            yes get /pods
            yes watch /pods
            yes get /pods/log
            yes list /nodes
            yes list /events
            yes list apps/deployments
            yes watch apps/daemonsets
            yes list networking.k8s.io/ingresses
            yes get apiextensions.k8s.io/customresourcedefinitions
            no get /secrets
            no list /secrets
            no watch /secrets
            no create /pods
            no delete /pods
            no patch apps/deployments
            no update apps/deployments/scale
            no create /pods/exec
            no get /pods/exec
            no create /pods/attach
            no create /pods/portforward
            no get /pods/proxy
            no get /services/proxy
            no get /nodes/proxy
            no create /serviceaccounts/token
            no list rbac.authorization.k8s.io/roles
            no escalate rbac.authorization.k8s.io/clusterroles
            no impersonate /users ada
            no impersonate /groups system:masters
            ",
        ),
        (BEARER, nothing),
        (
            IMPERSONATE,
            "
            yes impersonate /users ada
            yes impersonate /groups developers
            yes impersonate /groups operators
            no impersonate /groups system:masters
            no impersonate /groups
            no impersonate /serviceaccounts admin
            no impersonate authentication.k8s.io/uids 1
            no impersonate authentication.k8s.io/userextras/scopes all
            no list /pods
            no get /secrets
            ",
        ),
    ] {
        let objects = cluster.apply_all(manifest).await;
        cluster.check(permissions).await;
        cluster.delete_all(&objects).await;
        cluster.check(nothing).await;
    }
    cluster.delete_all(&ingress).await;
    cluster.delete_all(&gateway).await;
}
