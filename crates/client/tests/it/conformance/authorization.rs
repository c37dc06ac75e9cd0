//! Denials of RBAC, and reviews of one's own permissions.

use klient_api::apps::v1::Deployment;
use klient_api::authorization::v1::{SelfSubjectAccessReview, SelfSubjectRulesReview};
use klient_api::core::v1::{ConfigMap, Namespace, Node, Pod};
use klient_api::rbac::v1::{Role, RoleBinding};
use klient_client::{DeleteOptions, Error, ListOptions, Patch, WatchOptions};
use serde_json::json;

use super::test_cluster::{TestCluster, object, until};
use crate::cluster::config_map;

/// The message, name and kind of a denial.
fn denial(error: &Error) -> (String, String) {
    assert!(error.is_forbidden(), "{error}");
    let status = error.as_status().unwrap();
    assert_eq!((status.code, status.reason.as_deref()), (Some(403), Some("Forbidden")));
    let details = status.details.as_deref().unwrap();
    let text = |part: &Option<klient_apimachinery::Str>| part.as_deref().unwrap_or_default().to_owned();
    let of = [text(&details.group), text(&details.kind), text(&details.name)];
    (text(&status.message), of.join("/"))
}

#[tokio::test]
async fn a_denial_names_user_verb_resource_and_place() {
    let cluster = TestCluster::start().await;
    let ann = cluster.user("ann", &[]).await;
    let here = &*cluster.namespace;
    let config_maps = ann.api::<ConfigMap>().namespace(here);
    let deployments = ann.api::<Deployment>().namespace(here);
    let patch = Patch::Merge(json!({"data": null}));
    let list = ListOptions::default();
    let delete = DeleteOptions::default();
    let namespaced = format!("in the namespace {here:?}");
    let cannot = |object: &str, what: &str, group: &str, place: &str| {
        format!("{object} is forbidden: User \"ann\" cannot {what} in API group {group:?} {place}")
    };
    for (error, message, details) in [
        (
            config_maps.get("c").await.unwrap_err(),
            cannot("configmaps \"c\"", "get resource \"configmaps\"", "", &namespaced),
            "/configmaps/c",
        ),
        (
            config_maps.list(&list).await.unwrap_err(),
            cannot("configmaps", "list resource \"configmaps\"", "", &namespaced),
            "/configmaps/",
        ),
        (
            config_maps.create(&config_map("c", "red")).await.unwrap_err(),
            cannot("configmaps", "create resource \"configmaps\"", "", &namespaced),
            "/configmaps/",
        ),
        (
            config_maps.patch("c", &patch).await.unwrap_err(),
            cannot("configmaps \"c\"", "patch resource \"configmaps\"", "", &namespaced),
            "/configmaps/c",
        ),
        (
            config_maps.delete("c", &delete).await.unwrap_err(),
            cannot("configmaps \"c\"", "delete resource \"configmaps\"", "", &namespaced),
            "/configmaps/c",
        ),
        (
            config_maps.delete_collection(&delete, &list).await.unwrap_err(),
            cannot("configmaps", "deletecollection resource \"configmaps\"", "", &namespaced),
            "/configmaps/",
        ),
        (
            config_maps.watch(&WatchOptions::default()).await.err().unwrap(),
            cannot("configmaps", "watch resource \"configmaps\"", "", &namespaced),
            "/configmaps/",
        ),
        (
            deployments.scale("web").await.unwrap_err(),
            cannot("deployments.apps \"web\"", "get resource \"deployments/scale\"", "apps", &namespaced),
            "apps/deployments/web",
        ),
        (
            ann.api::<Pod>().list(&list).await.unwrap_err(),
            cannot("pods", "list resource \"pods\"", "", "at the cluster scope"),
            "/pods/",
        ),
        (
            ann.api::<Node>().get("n1").await.unwrap_err(),
            cannot("nodes \"n1\"", "get resource \"nodes\"", "", "at the cluster scope"),
            "/nodes/n1",
        ),
        (
            ann.api::<Namespace>().get(here).await.unwrap_err(),
            cannot(&format!("namespaces {here:?}"), "get resource \"namespaces\"", "", &namespaced),
            &format!("/namespaces/{here}"),
        ),
    ] {
        assert_eq!(denial(&error), (message, details.to_owned()), "{error}");
    }
    let metrics = ann.request(http::Method::GET).absolute_path("/metrics").send().await.unwrap_err();
    assert!(metrics.is_forbidden(), "{metrics}");
    let message = "forbidden: User \"ann\" cannot get path \"/metrics\"";
    assert_eq!(metrics.as_status().unwrap().message.as_deref(), Some(message));
}

#[tokio::test]
async fn a_user_asks_for_its_permissions() {
    let cluster = TestCluster::start().await;
    let (admin, here) = (cluster.client(), &*cluster.namespace);
    let name = cluster.unique("ann");
    let ann = cluster.user(&name, &["devs"]).await;
    let review: SelfSubjectAccessReview = object(json!({"spec": {"resourceAttributes": {
        "namespace": here, "verb": "list", "resource": "configmaps",
    }}}));
    let before = ann.api().create(&review).await.unwrap().status;
    assert_eq!((before.allowed, before.denied, before.reason), (false, None, None));

    let role: Role = object(json!({
        "metadata": {"name": "reader"},
        "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"]}],
    }));
    admin.api::<Role>().namespace(here).create(&role).await.unwrap();
    let group = "rbac.authorization.k8s.io";
    let binding: RoleBinding = object(json!({
        "metadata": {"name": "readers"},
        "roleRef": {"apiGroup": group, "kind": "Role", "name": "reader"},
        "subjects": [{"kind": "User", "apiGroup": group, "name": name}],
    }));
    admin.api::<RoleBinding>().namespace(here).create(&binding).await.unwrap();
    let after = until("the role", async || {
        Some(ann.api().create(&review).await.unwrap().status).filter(|status| status.allowed)
    })
    .await;
    let reason =
        format!("RBAC: allowed by RoleBinding \"readers/{here}\" of Role \"reader\" to User {name:?}");
    assert_eq!(after.reason.as_deref(), Some(&*reason));
    let config_maps = ann.api::<ConfigMap>().namespace(here);
    assert!(config_maps.get("c").await.unwrap_err().is_not_found());
    config_maps.list(&ListOptions::default()).await.unwrap();
    assert!(config_maps.create(&config_map("c", "red")).await.unwrap_err().is_forbidden());
    assert!(ann.api::<ConfigMap>().list(&ListOptions::default()).await.unwrap_err().is_forbidden());

    let review: SelfSubjectRulesReview = object(json!({"spec": {"namespace": here}}));
    let rules = ann.api().create(&review).await.unwrap().status;
    assert_eq!((rules.incomplete, rules.evaluation_error), (false, None));
    let granted = rules.resource_rules.iter().find(|rule| rule.resources == ["configmaps"]).unwrap();
    assert_eq!(
        (&granted.verbs[..], &granted.api_groups[..]),
        (&["get".into(), "list".into()][..], &["".into()][..])
    );
    let own =
        rules.resource_rules.iter().find(|rule| rule.resources.contains(&"selfsubjectaccessreviews".into()));
    assert_eq!(own.unwrap().verbs, ["create"]);
    assert!(rules.non_resource_rules.iter().any(|rule| rule.non_resource_urls.contains(&"/version".into())));
}

#[tokio::test]
async fn a_user_grants_only_what_it_has() {
    let cluster = TestCluster::start().await;
    let name = cluster.unique("ann");
    let ann = cluster.user(&name, &[]).await;
    let api = "rbac.authorization.k8s.io";
    let rules = json!([
        {"apiGroups": [api], "resources": ["roles", "rolebindings"], "verbs": ["create", "get", "patch"]},
        {"apiGroups": [api], "resources": ["roles"], "resourceNames": ["bindable"], "verbs": ["bind"]},
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]},
    ]);
    cluster.grant(&name, rules).await;
    let role = |name: &str, rules: &serde_json::Value| -> Role {
        object(json!({"metadata": {"name": name}, "rules": rules}))
    };
    let binding = |role: &str| -> RoleBinding {
        object(json!({
            "metadata": {"name": role},
            "roleRef": {"apiGroup": api, "kind": "Role", "name": role},
            "subjects": [{"kind": "Group", "apiGroup": api, "name": "devs"}],
        }))
    };
    let rules = json!([
        {"apiGroups": [""], "resources": ["secrets", "configmaps"], "verbs": ["get", "list"]},
        {"apiGroups": ["apps"], "resources": ["deployments"], "resourceNames": ["web"], "verbs": ["get"]},
    ]);
    let missing = format!(
        "user {name:?} (groups=[\"system:authenticated\"]) is attempting to grant RBAC permissions not currently held:\n\
         {{APIGroups:[\"\"], Resources:[\"configmaps\"], Verbs:[\"list\"]}}\n\
         {{APIGroups:[\"\"], Resources:[\"secrets\"], Verbs:[\"get\" \"list\"]}}\n\
         {{APIGroups:[\"apps\"], Resources:[\"deployments\"], ResourceNames:[\"web\"], Verbs:[\"get\"]}}"
    );
    let refused = |error: &Error, plural: &str, name: &str| {
        let message = format!("{plural}.{api} {name:?} is forbidden: {missing}");
        assert_eq!(denial(error), (message, format!("{api}/{plural}/{name}")));
    };
    let roles = ann.api::<Role>().namespace(&cluster.namespace);
    refused(&roles.create(&role("reader", &rules)).await.unwrap_err(), "roles", "reader");
    roles.create(&role("own", &json!([]))).await.unwrap();
    let patch = Patch::Merge(json!({"rules": rules}));
    refused(&roles.patch("own", &patch).await.unwrap_err(), "roles", "own");
    let own = json!([{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}]);
    roles.patch("own", &Patch::Merge(json!({"rules": own}))).await.unwrap();

    let admin = cluster.client().api::<Role>().namespace(&cluster.namespace);
    for name in ["bindable", "other"] {
        admin.create(&role(name, &rules)).await.unwrap();
    }
    let bindings = ann.api::<RoleBinding>().namespace(&cluster.namespace);
    refused(&bindings.create(&binding("other")).await.unwrap_err(), "rolebindings", "other");
    for name in ["own", "bindable"] {
        bindings.create(&binding(name)).await.unwrap();
    }
    let none = bindings.create(&binding("none")).await.unwrap_err();
    assert!(none.is_not_found(), "{none}");
    let message = "rolebindings.rbac.authorization.k8s.io \"none\" not found";
    assert_eq!(none.as_status().unwrap().message.as_deref(), Some(message));
}
