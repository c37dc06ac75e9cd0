//! Requests that are answered as if another user had sent them.

use http::Method;
use klient_apiserver::TestServer;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::client::{Client, Identity, Protocol};
use crate::objects::CONFIG_MAPS;

const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";

/// Lets ann do what rules say, everywhere, and gives a client of hers.
async fn ann(server: &TestServer, rules: Value) -> Client {
    let admin = Client::admin(server).await;
    let role = json!({"metadata": {"name": "of-ann"}, "rules": rules});
    admin.post(&format!("{RBAC}/clusterroles"), &role).await.expect(201);
    let binding = json!({
        "metadata": {"name": "of-ann"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "of-ann"},
        "subjects": [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "ann"}],
    });
    admin.post(&format!("{RBAC}/clusterrolebindings"), &binding).await.expect(201);
    Client::connect(server, Protocol::Http2, Identity::Token(server.token("ann", &[]))).await
}

async fn get(client: &Client, path: &str, headers: &[(&str, &str)]) -> Answer {
    client.send(Method::GET, path, headers, "").await
}

/// The user as which the server processes a request with these headers.
async fn whoami(client: &Client, headers: &[(&str, &str)]) -> Value {
    let review = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
    let headers: Vec<_> = headers.iter().copied().chain([("content-type", "application/json")]).collect();
    let path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    let answer = client.send(Method::POST, path, &headers, review.to_string()).await;
    answer.expect(201)["status"]["userInfo"].clone()
}

#[tokio::test]
async fn an_admin_acts_as_any_user() {
    let server = TestServer::start().await.unwrap();
    let admin = Client::admin(&server).await;
    let bob = [("impersonate-user", "bob")];
    assert_eq!(
        whoami(&admin, &bob).await,
        json!({"username": "bob", "groups": ["system:authenticated"]}),
        "bob is not in the groups of the admin"
    );
    assert_eq!(
        get(&admin, CONFIG_MAPS, &bob).await.refusal(),
        "403 configmaps is forbidden: User \"bob\" cannot list resource \"configmaps\" in API group \"\" in the \
         namespace \"default\""
    );
    let headers = [
        ("impersonate-user", "bob"),
        ("impersonate-group", "devs"),
        ("impersonate-group", "system:masters"),
        ("impersonate-uid", "u1"),
        ("impersonate-extra-acme.io%2Fscopes", "view"),
        ("impersonate-extra-acme.io%2Fscopes", "edit"),
    ];
    get(&admin, CONFIG_MAPS, &headers).await.expect(200);
    assert_eq!(
        whoami(&admin, &headers).await,
        json!({
            "username": "bob",
            "uid": "u1",
            "groups": ["devs", "system:masters", "system:authenticated"],
            "extra": {"acme.io/scopes": ["view", "edit"]},
        })
    );
}

#[tokio::test]
async fn nodes_service_accounts_and_anonymous_users_are_in_their_groups() {
    let server = TestServer::start().await.unwrap();
    let admin = Client::admin(&server).await;
    for (name, groups) in [
        ("system:node:n1", json!(["system:nodes", "system:authenticated"])),
        (
            "system:serviceaccount:shop:cart",
            json!(["system:serviceaccounts", "system:serviceaccounts:shop", "system:authenticated"]),
        ),
        ("system:serviceaccount:shop", json!(["system:authenticated"])),
    ] {
        let user = whoami(&admin, &[("impersonate-user", name)]).await;
        assert_eq!(user, json!({"username": name, "groups": groups}));
    }
    let headers = [("impersonate-user", "bob"), ("impersonate-group", "system:unauthenticated")];
    let groups = json!(["system:unauthenticated"]);
    let anonymous = [("impersonate-user", "system:anonymous")];
    assert_eq!(get(&admin, "/version", &anonymous).await.status, 200);
    let path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    for (name, headers) in [("bob", &headers[..]), ("system:anonymous", &anonymous[..])] {
        let refusal = get(&admin, CONFIG_MAPS, headers).await.refusal();
        assert!(refusal.contains(&format!("User {name:?} cannot list")), "{refusal}");
        let answer = admin.send(Method::POST, path, headers, "{}").await;
        assert_eq!(answer.status, 403, "{groups} may not ask: {}", answer.text());
    }
}

#[tokio::test]
async fn a_refusal_names_what_the_requester_may_not_impersonate() {
    let server = TestServer::start().await.unwrap();
    let rule = json!({
        "apiGroups": [""], "resources": ["users"], "resourceNames": ["bob"], "verbs": ["impersonate"],
    });
    let ann = ann(&server, json!([rule])).await;
    let carol = [("impersonate-user", "carol")];
    assert_eq!(
        get(&ann, CONFIG_MAPS, &carol).await.refusal(),
        "403 configmaps is forbidden: User \"ann\" cannot impersonate-on:user-info:list resource \"configmaps\" in \
         API group \"\" in the namespace \"default\"",
        "constrained impersonation is tried first"
    );
    let path = "/apis/apps/v1/deployments";
    assert_eq!(
        get(&ann, path, &[("impersonate-user", "system:serviceaccount:shop:cart")]).await.refusal(),
        "403 deployments.apps is forbidden: User \"ann\" cannot impersonate-on:serviceaccount:list resource \
         \"deployments\" in API group \"apps\" at the cluster scope"
    );
    assert_eq!(
        get(&ann, "/metrics", &[("impersonate-user", "system:node:n1")]).await.refusal(),
        "403 forbidden: User \"ann\" cannot impersonate-on:arbitrary-node:get path \"/metrics\""
    );
    assert_eq!(whoami(&ann, &[("impersonate-user", "bob")]).await["username"], "bob");
    let refusal = get(&ann, CONFIG_MAPS, &carol).await;
    assert_eq!(
        refusal.refusal(),
        "403 users \"carol\" is forbidden: User \"ann\" cannot impersonate resource \"users\" in API group \"\" at \
         the cluster scope",
        "the mode that was successful is tried first"
    );
    assert_eq!(refusal.header("x-content-type-options"), "nosniff");
    assert_eq!(refusal.json()["details"], json!({"name": "carol", "kind": "users"}));
    for (headers, refusal) in [
        (
            [("impersonate-user", "bob"), ("impersonate-group", "devs")],
            r#"403 groups "devs" is forbidden: User "ann" cannot impersonate resource "groups" in API group """#,
        ),
        (
            [("impersonate-user", "bob"), ("impersonate-uid", "u1")],
            r#"403 uids.authentication.k8s.io "u1" is forbidden: User "ann" cannot impersonate resource "uids" in API group "authentication.k8s.io""#,
        ),
        (
            [("impersonate-user", "bob"), ("impersonate-extra-scopes", "view")],
            r#"403 userextras.authentication.k8s.io "view" is forbidden: User "ann" cannot impersonate resource "userextras/scopes" in API group "authentication.k8s.io""#,
        ),
    ] {
        let answer = get(&ann, CONFIG_MAPS, &headers).await.refusal();
        assert_eq!(answer, format!("{refusal} at the cluster scope"));
    }
    let refusal = get(&ann, CONFIG_MAPS, &[("impersonate-user", "system:serviceaccount:shop:cart")]).await;
    assert_eq!(
        refusal.refusal(),
        "403 serviceaccounts \"cart\" is forbidden: User \"ann\" cannot impersonate resource \"serviceaccounts\" in \
         API group \"\" in the namespace \"shop\""
    );
}

#[tokio::test]
async fn impersonation_can_be_constrained_to_some_requests() {
    let server = TestServer::start().await.unwrap();
    let ann = ann(
        &server,
        json!([
            {"apiGroups": ["authentication.k8s.io"], "resources": ["users"], "resourceNames": ["bob"], "verbs": ["impersonate:user-info"]},
            {"apiGroups": ["authentication.k8s.io"], "resources": ["groups"], "verbs": ["impersonate:user-info"]},
            {"apiGroups": ["authentication.k8s.io"], "resources": ["selfsubjectreviews"], "verbs": ["impersonate-on:user-info:create"]},
        ]),
    )
    .await;
    let headers = [("impersonate-user", "bob"), ("impersonate-group", "devs")];
    assert_eq!(
        whoami(&ann, &headers).await,
        json!({"username": "bob", "groups": ["devs", "system:authenticated"]})
    );
    let refusal = get(&ann, CONFIG_MAPS, &headers).await.refusal();
    assert!(refusal.contains("cannot impersonate-on:user-info:list resource \"configmaps\""), "{refusal}");
    let masters = [("impersonate-user", "bob"), ("impersonate-group", "system:masters")];
    let path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    let answer = ann.send(Method::POST, path, &masters, "{}").await;
    assert_eq!(
        answer.refusal(),
        "403 groups.authentication.k8s.io \"system:masters\" is forbidden: User \"ann\" cannot impersonate:user-info \
         resource \"groups\" in API group \"authentication.k8s.io\" at the cluster scope: impersonating the \
         system:masters group is not allowed"
    );
}

#[tokio::test]
async fn a_group_uid_or_extra_without_a_user_is_a_bad_request() {
    let server = TestServer::start().await.unwrap();
    let admin = Client::admin(&server).await;
    for (header, value, user) in [
        (
            "impersonate-group",
            "devs",
            r#"Name:"", UID:"", Groups:[]string{"devs"}, Extra:map[string][]string(nil)"#,
        ),
        (
            "impersonate-uid",
            "u1",
            r#"Name:"", UID:"u1", Groups:[]string(nil), Extra:map[string][]string(nil)"#,
        ),
        (
            "impersonate-extra-scopes",
            "view",
            r#"Name:"", UID:"", Groups:[]string(nil), Extra:map[string][]string{"scopes":[]string{"view"}}"#,
        ),
    ] {
        assert_eq!(
            get(&admin, CONFIG_MAPS, &[(header, value)]).await.refusal(),
            format!("400 requested &user.DefaultInfo{{{user}}} without impersonating a user name")
        );
    }
}

#[tokio::test]
async fn a_review_answers_for_the_impersonated_user() {
    let server = TestServer::start().await.unwrap();
    let admin = Client::admin(&server).await;
    let attributes = json!({"verb": "delete", "resource": "pods", "namespace": "default"});
    let review = json!({"spec": {"resourceAttributes": attributes}}).to_string();
    let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    for (headers, allowed) in [(&[][..], true), (&[("impersonate-user", "bob")], false)] {
        let headers: Vec<_> = headers.iter().copied().chain([("content-type", "application/json")]).collect();
        let answer = admin.send(Method::POST, path, &headers, review.clone()).await.expect(201);
        assert_eq!(answer["status"]["allowed"], allowed, "{answer}");
    }
}
