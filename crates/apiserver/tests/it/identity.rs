//! Authentication and authorization.

use klient_apiserver::{Options, Server, TestServer};
use serde_json::{Value, json};

use crate::client::{Client, Identity, Protocol};
use crate::objects::{CONFIG_MAPS, named};

const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";

async fn connect(server: &TestServer, identity: Identity) -> Client {
    Client::connect(server, Protocol::Http2, identity).await
}

async fn user(server: &TestServer, name: &str, groups: &[&str]) -> Client {
    connect(server, Identity::Token(server.token(name, groups))).await
}

/// Makes a role of this name and binds it; `scope` is `""` or `/namespaces/NAME`.
async fn allow(admin: &Client, scope: &str, name: &str, subject: Value, rule: Value) {
    let kind = if scope.is_empty() { "ClusterRole" } else { "Role" };
    let plural = kind.to_lowercase();
    let role = json!({"metadata": {"name": name}, "rules": [rule]});
    admin.post(&format!("{RBAC}{scope}/{plural}s"), &role).await.expect(201);
    let binding = json!({
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name},
        "subjects": [subject],
    });
    admin.post(&format!("{RBAC}{scope}/{plural}bindings"), &binding).await.expect(201);
}

fn the_user(name: &str) -> Value {
    json!({"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": name})
}

fn the_group(name: &str) -> Value {
    json!({"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": name})
}

/// The user as which the server authenticates a client.
async fn whoami(client: &Client) -> Value {
    let review = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
    let answer = client.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", &review).await;
    answer.expect(201)["status"]["userInfo"].clone()
}

#[tokio::test]
async fn tokens_and_certificates_say_who_asks() {
    let server = TestServer::start().await.unwrap();
    let groups = json!(["devs", "ops", "system:authenticated"]);
    let by_token = user(&server, "ann", &["devs", "ops"]).await;
    let info = whoami(&by_token).await;
    assert_eq!([&info["username"], &info["groups"]], [&json!("ann"), &groups]);
    let certificate = server.client_certificate("ann", &["devs", "ops"]).unwrap();
    // One set in the subject, which DER sorts.
    let in_der = json!(["ops", "devs", "system:authenticated"]);
    let by_certificate = connect(&server, Identity::Certificate(certificate)).await;
    let info = whoami(&by_certificate).await;
    assert_eq!([&info["username"], &info["groups"]], [&json!("ann"), &in_der]);
    let many: Vec<String> = (0..100).map(|group| format!("group-{group}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let certificate = server.client_certificate("ann", &many).unwrap();
    let info = whoami(&connect(&server, Identity::Certificate(certificate)).await).await;
    assert_eq!(info["groups"].as_array().unwrap()[..100], json!(many).as_array().unwrap()[..]);
    let root = server.client_certificate("root", &["system:masters"]).unwrap();
    connect(&server, Identity::Certificate(root)).await.get("/api/v1/secrets").await.expect(200);
}

#[tokio::test]
async fn who_shows_a_wrong_token_is_nobody_at_all() {
    let server = TestServer::start().await.unwrap();
    let client = connect(&server, Identity::Token("guessed".to_owned())).await;
    for path in ["/api/v1/pods", "/healthz", "/nowhere"] {
        let answer = client.get(path).await;
        assert_eq!(
            (answer.refusal(), answer.header("www-authenticate")),
            ("401 Unauthorized".to_owned(), "")
        );
        assert_eq!(answer.json()["reason"], "Unauthorized");
    }
}

#[tokio::test]
async fn who_shows_nothing_is_anonymous() {
    let server = TestServer::start().await.unwrap();
    let client = connect(&server, Identity::Nobody).await;
    for path in ["/healthz", "/livez", "/readyz", "/version"] {
        assert_eq!(client.get(path).await.status, 200, "{path}");
    }
    assert_eq!(
        client.get("/api/v1/pods").await.refusal(),
        "403 pods is forbidden: User \"system:anonymous\" cannot list resource \"pods\" in API group \"\" at the \
         cluster scope"
    );
    assert_eq!(
        client.get("/metrics").await.refusal(),
        "403 forbidden: User \"system:anonymous\" cannot get path \"/metrics\""
    );
    let basic = [("authorization", "Basic YTpi")];
    let answer = client.send(http::Method::GET, "/version", &basic, "").await;
    assert_eq!(answer.status, 200, "a scheme that is not known says nothing");
    let token = server.admin_token();
    for (credentials, code) in [
        (format!("bearer {token}"), 200),
        (format!(" BEARER {token} "), 200),
        (format!("Bearer {token} further"), 200),
        (format!("Bearer  {token}"), 403),
        (format!("Bearer\t{token}"), 403),
        ("Bearer unknown".to_owned(), 401),
    ] {
        let answer =
            client.send(http::Method::GET, "/api/v1/pods", &[("authorization", &*credentials)], "").await;
        assert_eq!(answer.status, code, "{:?}", credentials.replace(token, "TOKEN"));
    }
}

#[tokio::test]
async fn refusals_say_what_is_missing() {
    let server = TestServer::start().await.unwrap();
    let client = user(&server, "ann", &[]).await;
    let refused = |resource: &str, verb: &str, group: &str, place: &str| {
        format!("User \"ann\" cannot {verb} resource {resource:?} in API group {group:?} {place}")
    };
    for (path, subject, words) in [
        (
            "/api/v1/namespaces/default/pods/p",
            r#"pods "p""#,
            refused("pods", "get", "", r#"in the namespace "default""#),
        ),
        (
            "/apis/apps/v1/namespaces/default/deployments/d/scale",
            r#"deployments.apps "d""#,
            refused("deployments/scale", "get", "apps", r#"in the namespace "default""#),
        ),
        ("/api/v1/nodes?watch=1", "nodes", refused("nodes", "watch", "", "at the cluster scope")),
        (
            "/api/v1/namespaces/default",
            r#"namespaces "default""#,
            refused("namespaces", "get", "", r#"in the namespace "default""#),
        ),
    ] {
        let refusal = client.get(path).await.refusal();
        assert_eq!(refusal, format!("403 {subject} is forbidden: {words}"));
    }
}

#[tokio::test]
async fn roles_allow_where_they_are_bound() {
    let server = TestServer::start().await.unwrap();
    let admin = Client::admin(&server).await;
    let read = json!({"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"]});
    allow(&admin, "/namespaces/default", "read", the_user("ann"), read).await;
    let ann = user(&server, "ann", &[]).await;
    ann.get(CONFIG_MAPS).await.expect(200);
    assert_eq!(ann.post(CONFIG_MAPS, &named("a")).await.status, 403);
    assert_eq!(ann.get("/api/v1/namespaces/kube-system/configmaps").await.status, 403);
    assert_eq!(ann.get("/api/v1/configmaps").await.status, 403);
    assert_eq!(user(&server, "bob", &[]).await.get(CONFIG_MAPS).await.status, 403);

    let write = json!({"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]});
    allow(&admin, "", "write", the_group("ops"), write).await;
    let bob = user(&server, "bob", &["ops"]).await;
    bob.post(CONFIG_MAPS, &named("a")).await.expect(201);
    bob.get("/api/v1/configmaps").await.expect(200);
    assert_eq!(bob.get("/metrics").await.status, 403, "resources are no paths");

    let one =
        json!({"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["a"], "verbs": ["update"]});
    allow(&admin, "", "one", the_user("ann"), one).await;
    ann.put(&format!("{CONFIG_MAPS}/a"), &named("a")).await.expect(200);
    assert_eq!(ann.put(&format!("{CONFIG_MAPS}/b"), &named("b")).await.status, 403);
    admin.delete(&format!("{RBAC}/clusterrolebindings/one")).await.expect(200);
    assert_eq!(ann.put(&format!("{CONFIG_MAPS}/a"), &named("a")).await.status, 403);
}

#[tokio::test]
async fn a_role_in_a_namespace_may_show_the_namespace() {
    let server = TestServer::start().await.unwrap();
    let admin = Client::admin(&server).await;
    let rule = json!({"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"]});
    allow(&admin, "/namespaces/default", "see", the_user("ann"), rule).await;
    let ann = user(&server, "ann", &[]).await;
    ann.get("/api/v1/namespaces/default").await.expect(200);
    assert_eq!(ann.get("/api/v1/namespaces/kube-system").await.status, 403);
}

#[tokio::test]
async fn reviews_answer_what_requests_meet() {
    let server = TestServer::start().await.unwrap();
    let admin = Client::admin(&server).await;
    let rule = json!({"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]});
    allow(&admin, "/namespaces/default", "read", the_user("ann"), rule.clone()).await;
    let ann = user(&server, "ann", &[]).await;
    let group = "/apis/authorization.k8s.io/v1";
    let allowed = |namespace: &str, verb: &str| {
        let attributes = json!({"namespace": namespace, "verb": verb, "resource": "configmaps"});
        json!({"spec": {"resourceAttributes": attributes}})
    };
    for (namespace, verb, expected) in
        [("default", "get", true), ("default", "list", false), ("other", "get", false)]
    {
        let mut review = allowed(namespace, verb);
        let own = ann.post(&format!("{group}/selfsubjectaccessreviews"), &review).await.expect(201);
        let reason = r#"RBAC: allowed by RoleBinding "read/default" of Role "read" to User "ann""#;
        let status =
            if expected { json!({"allowed": true, "reason": reason}) } else { json!({"allowed": false}) };
        assert_eq!(own["status"], status, "{own}");
        review["spec"]["user"] = "ann".into();
        let of_ann = admin.post(&format!("{group}/subjectaccessreviews"), &review).await.expect(201);
        assert_eq!(of_ann["status"], status, "{of_ann}");
    }
    let path = json!({"spec": {"nonResourceAttributes": {"path": "/healthz", "verb": "get"}}});
    let discovery = ann.post(&format!("{group}/selfsubjectaccessreviews"), &path).await.expect(201);
    assert_eq!(
        discovery["status"]["reason"],
        r#"RBAC: allowed by ClusterRoleBinding "system:discovery" of ClusterRole "system:discovery" to Group "system:authenticated""#
    );
    // Superusers may do everything, whatever is bound to them.
    let unbound = admin.post(&format!("{group}/selfsubjectaccessreviews"), &path).await.expect(201);
    assert_eq!(unbound["status"], json!({"allowed": true}));
    let rules = json!({"spec": {"namespace": "default"}});
    let rules = ann.post(&format!("{group}/selfsubjectrulesreviews"), &rules).await.expect(201);
    let resource_rules = rules["status"]["resourceRules"].as_array().unwrap();
    assert!(
        resource_rules.contains(&json!({"verbs": ["get"], "apiGroups": [""], "resources": ["configmaps"]}))
    );
    assert_eq!(rules["status"]["incomplete"], false);

    let review = json!({"spec": {"token": server.token("bob", &["ops"])}});
    let known = admin.post("/apis/authentication.k8s.io/v1/tokenreviews", &review).await.expect(201);
    assert_eq!(known["status"]["authenticated"], true);
    assert_eq!(known["status"]["user"]["username"], "bob");
    let review = json!({"spec": {"token": "guessed"}});
    let unknown = admin.post("/apis/authentication.k8s.io/v1/tokenreviews", &review).await.expect(201);
    assert_ne!(unknown["status"]["authenticated"], true);
}

#[tokio::test]
async fn secrets_are_not_shown_to_developers() {
    let server = TestServer::start().await.unwrap();
    let certificate = server.client_certificate("ann", &[]).unwrap();
    let shown = format!("{server:?} {certificate:?}");
    assert!(!shown.contains(server.admin_token()) && !shown.contains("PRIVATE KEY"), "{shown}");
}

#[tokio::test]
async fn a_file_of_tokens_says_who_asks() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.csv");
    let start = async |text: &str| {
        std::fs::write(&path, text).unwrap();
        Server::start(Options { token_auth_file: Some(path.clone()), ..Options::default() }).await
    };
    let server =
        start("t1,ann,u1,\"devs,ops\"\nt2,bob,u2\n,nobody,u3\nt1,root,u4,system:masters\n").await.unwrap();
    let bob = Client::connect(&server, Protocol::Http2, Identity::Token("t2".to_owned())).await;
    let info = json!({"username": "bob", "uid": "u2", "groups": ["system:authenticated"]});
    assert_eq!(whoami(&bob).await, info);
    let root = Client::connect(&server, Protocol::Http2, Identity::Token("t1".to_owned())).await;
    let info = json!({"username": "root", "uid": "u4", "groups": ["system:masters", "system:authenticated"]});
    assert_eq!(whoami(&root).await, info, "the last record of a token holds");
    let server = start("t1,ann,u1,\"devs,ops\"\n").await.unwrap();
    let ann = Client::connect(&server, Protocol::Http2, Identity::Token("t1".to_owned())).await;
    assert_eq!(whoami(&ann).await["groups"], json!(["devs", "ops", "system:authenticated"]));
    let error = start("t1,ann,u1\nt2,bob\n").await.unwrap_err();
    assert!(error.to_string().starts_with("cannot read the token file "), "{error}");
    let expected = "tokens.csv: record 2 must have at least 3 columns (token, user name, user uid), found 2";
    assert!(error.to_string().ends_with(expected), "{error}");
    let error = start("t1,ann,u1,\"devs\nt2,bob,u2\n").await.unwrap_err();
    let expected = "tokens.csv: record on line 1; parse error on line 2, column 11: extraneous or missing \" in quoted-field";
    assert!(error.to_string().ends_with(expected), "{error}");
}

#[tokio::test]
async fn a_review_asks_one_question_and_is_nothing_else() {
    let server = TestServer::start().await.unwrap();
    let admin = Client::admin(&server).await;
    let group = "/apis/authorization.k8s.io/v1";
    let pods = json!({"verb": "get", "resource": "pods"});
    let selecting = |of: &str, selector: Value| json!({"spec": {"user": "ann", "resourceAttributes": {"verb": "list", "resource": "pods", of: selector}}});
    for (path, review, problem) in [
        (
            "selfsubjectaccessreviews",
            json!({"spec": {}}),
            "spec: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified",
        ),
        (
            "subjectaccessreviews",
            json!({"spec": {"resourceAttributes": pods}}),
            "spec.user: Invalid value: \"\": at least one of user or group must be specified",
        ),
        (
            "namespaces/default/localsubjectaccessreviews",
            json!({"metadata": {"namespace": "default"}, "spec": {"user": "ann", "resourceAttributes": pods}}),
            "spec.resourceAttributes.namespace: Invalid value: \"\": must match metadata.namespace",
        ),
        (
            "namespaces/default/localsubjectaccessreviews",
            json!({"spec": {"user": "ann", "resourceAttributes": pods}}),
            "spec.resourceAttributes.namespace: Invalid value: \"\": must match metadata.namespace",
        ),
        (
            "subjectaccessreviews",
            selecting("fieldSelector", json!({})),
            "spec.resourceAttributes.fieldSelector.requirements: Required value: when \
             spec.resourceAttributes.fieldSelector is specified, requirements or rawSelector is required",
        ),
        (
            "subjectaccessreviews",
            selecting(
                "labelSelector",
                json!({"rawSelector": "a=b", "requirements": [{"key": "a", "operator": "Exists"}]}),
            ),
            "spec.resourceAttributes.labelSelector.rawSelector: Invalid value: \"a=b\": may not specified at the \
             same time as requirements",
        ),
        (
            "subjectaccessreviews",
            selecting(
                "fieldSelector",
                json!({"requirements": [
                    {"operator": "Foo"}, {"key": "a", "operator": "NotIn"}, {"key": "a", "operator": "Exists", "values": ["x"]},
                ]}),
            ),
            "[spec.resourceAttributes.fieldSelector.requirements[0].key: Required value: must be specified, \
             spec.resourceAttributes.fieldSelector.requirements[1].values: Required value: must be specified when \
             `operator` is 'In' or 'NotIn', spec.resourceAttributes.fieldSelector.requirements[2].values: \
             Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist']",
        ),
    ] {
        let refusal = admin.post(&format!("{group}/{path}"), &review).await.refusal();
        assert_eq!(refusal, format!("422 .authorization.k8s.io \"\" is invalid: {problem}"));
    }
    let named = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"resourceAttributes": pods}});
    let refusal = admin.post(&format!("{group}/selfsubjectaccessreviews"), &named).await.refusal();
    assert!(
        refusal.contains(r#"metadata: Invalid value: {"labels":{"a":"b"},"managedFields":["#),
        "{refusal}"
    );
    let asked = json!({"spec": {"resourceAttributes": pods}});
    let answer = admin.post(&format!("{group}/selfsubjectaccessreviews"), &asked).await.expect(201);
    let metadata = answer["metadata"].as_object().unwrap();
    assert_eq!(metadata.keys().collect::<Vec<_>>(), ["managedFields"], "{answer}");
    let rules = admin.post(&format!("{group}/selfsubjectrulesreviews"), &json!({"spec": {}})).await;
    assert_eq!(rules.refusal(), "400 no namespace on request");
}
