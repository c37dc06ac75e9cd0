//! Tokens of service accounts, and tokens that are refused.

use klient_api::authentication::v1::{TokenRequest, TokenReview};
use klient_api::core::v1::{ConfigMap, Secret, ServiceAccount};
use klient_client::Client;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::test_cluster::{TestCluster, object, until, user_of};
use crate::cluster::named;

/// The default audience of the servers.
const ISSUER: &str = "https://kubernetes.default.svc";

fn token_request(spec: Value) -> TokenRequest {
    object(json!({"spec": spec}))
}

/// The answer to a TokenReview: authenticated, user name, audiences, error.
async fn review(client: &Client, token: &str, audiences: &[&str]) -> Value {
    let review: TokenReview = object(json!({"spec": {"token": token, "audiences": audiences}}));
    let status = client.api().create(&review).await.unwrap().status;
    let user = status.user.unwrap_or_default().username;
    json!([status.authenticated.unwrap_or_default(), user, status.audiences, status.error])
}

async fn until_unauthorized(client: &Client) {
    // kube-apiserver remembers for ten seconds that it has authenticated a token.
    let error = until("the end of the token", async || user_of(client).await.err()).await;
    assert!(error.is_unauthorized(), "{error}");
}

#[tokio::test]
async fn a_token_authenticates_until_its_account_is_deleted() {
    let cluster = TestCluster::start().await;
    let admin = cluster.client();
    let accounts = admin.api::<ServiceAccount>().namespace(&cluster.namespace);
    let account =
        accounts.create(&ServiceAccount { metadata: named("robot"), ..Default::default() }).await.unwrap();
    let given =
        accounts.create_token("robot", &token_request(json!({"expirationSeconds": 600}))).await.unwrap();
    assert_eq!((&given.spec.audiences[..], given.spec.expiration_seconds), (&[ISSUER.into()][..], Some(600)));
    let lifetime =
        given.status.expiration_timestamp.unwrap().unix() - given.metadata.creation_timestamp.unwrap().unix();
    assert!((599..=601).contains(&lifetime), "{lifetime} s");
    let token = given.status.token.unwrap();
    let robot = cluster.client_of(json!({"token": token}));
    let user = user_of(&robot).await.unwrap();
    let name = cluster.account_user("robot");
    assert_eq!((user.username.as_deref(), &user.uid), (Some(&*name), &account.metadata.uid));
    let group = format!("system:serviceaccounts:{}", cluster.namespace);
    assert_eq!(user.groups, ["system:serviceaccounts", &group, "system:authenticated"]);
    assert!(user.extra["authentication.kubernetes.io/credential-id"][0].starts_with("JTI="));
    assert_eq!(review(&admin, &token, &[]).await, json!([true, name, [ISSUER], null]));

    accounts.delete("robot", &Default::default()).await.unwrap();
    until_unauthorized(&robot).await;
    let error = r#"[invalid bearer token, serviceaccounts "robot" not found]"#;
    assert_eq!(review(&admin, &token, &[]).await, json!([false, null, [], error]));
}

#[tokio::test]
async fn a_token_ends_with_the_object_to_which_it_is_bound() {
    let cluster = TestCluster::start().await;
    let admin = cluster.client();
    cluster.account_token("robot").await;
    let accounts = admin.api::<ServiceAccount>().namespace(&cluster.namespace);
    let secrets = admin.api::<Secret>().namespace(&cluster.namespace);
    let bound = |name: &str| {
        token_request(json!({"boundObjectRef": {"apiVersion": "v1", "kind": "Secret", "name": name}}))
    };
    let missing = accounts.create_token("robot", &bound("key")).await.unwrap_err();
    assert!(
        missing.is_not_found() && missing.to_string().contains(r#"secrets "key" not found"#),
        "{missing}"
    );
    let secret = secrets.create(&Secret { metadata: named("key"), ..Default::default() }).await.unwrap();
    let given = accounts.create_token("robot", &bound("key")).await.unwrap();
    assert_eq!(given.spec.bound_object_ref.unwrap().uid, None, "as it was asked");
    let token = given.status.token.unwrap();
    let robot = cluster.client_of(json!({"token": token}));
    user_of(&robot).await.unwrap();
    assert!(secret.metadata.uid.is_some());
    secrets.delete("key", &Default::default()).await.unwrap();
    until_unauthorized(&robot).await;
    let error = "[invalid bearer token, service account token has been invalidated]";
    assert_eq!(review(&admin, &token, &[]).await, json!([false, null, [], error]));
}

#[tokio::test]
async fn a_token_is_valid_for_its_audiences() {
    let cluster = TestCluster::start().await;
    let admin = cluster.client();
    cluster.account_token("robot").await;
    let accounts = admin.api::<ServiceAccount>().namespace(&cluster.namespace);
    let request = token_request(json!({"audiences": ["vault", "consul"]}));
    let token = accounts.create_token("robot", &request).await.unwrap().status.token.unwrap();
    let error = user_of(&cluster.client_of(json!({"token": token}))).await.unwrap_err();
    assert!(error.is_unauthorized(), "{error}");
    let name = cluster.account_user("robot");
    assert_eq!(review(&admin, &token, &["consul", "other"]).await, json!([true, name, ["consul"], null]));
    let problem = r#"[invalid bearer token, token audiences ["vault" "consul"] is invalid for the target audiences ["other"]]"#;
    assert_eq!(review(&admin, &token, &["other"]).await, json!([false, null, [], problem]));
}

#[tokio::test]
async fn a_token_request_that_is_not_valid_is_refused() {
    let cluster = TestCluster::start().await;
    cluster.account_token("robot").await;
    let accounts = cluster.client().api::<ServiceAccount>().namespace(&cluster.namespace);
    let config_map = json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "c"});
    for (spec, code, message) in [
        (
            json!({"expirationSeconds": 599}),
            422,
            r#"TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes"#,
        ),
        (
            json!({"boundObjectRef": config_map}),
            400,
            "cannot bind token to object of type /v1, Kind=ConfigMap",
        ),
    ] {
        let error = accounts.create_token("robot", &token_request(spec)).await.unwrap_err();
        let status = error.as_status().unwrap();
        assert_eq!((status.code, status.message.as_deref()), (Some(code), Some(message)));
    }
    let missing = accounts.create_token("none", &TokenRequest::default()).await.unwrap_err();
    assert!(
        missing.is_not_found() && missing.to_string().contains(r#"serviceaccounts "none" not found"#),
        "{missing}"
    );
}

#[tokio::test]
async fn an_unknown_token_is_unauthorized_and_no_token_is_anonymous() {
    let cluster = TestCluster::start().await;
    let url = cluster.config().url;
    let client = cluster.client_of(json!({"token": "s3cret"}));
    let error = client.api::<ConfigMap>().namespace("default").get("c").await.unwrap_err();
    assert!(error.is_unauthorized(), "{error}");
    assert_eq!(error.to_string(), format!("GET {url}api/v1/namespaces/default/configmaps/c: Unauthorized"));
    let status = error.as_status().unwrap();
    assert_eq!(
        (status.code, status.reason.as_deref(), status.message.as_deref()),
        (Some(401), Some("Unauthorized"), Some("Unauthorized"))
    );
    // Passwords are not known to Kubernetes since 1.19.
    for user in [json!({}), json!({"username": "ann", "password": "s3cret"})] {
        let anonymous = cluster.client_of(user);
        anonymous.discovery().version().await.unwrap();
        let error = anonymous.api::<ConfigMap>().namespace("default").get("c").await.unwrap_err();
        assert!(error.is_forbidden(), "{error}");
        assert!(error.to_string().contains(r#"User "system:anonymous" cannot get"#), "{error}");
    }
    assert_eq!(
        review(&cluster.client(), "s3cret", &[]).await,
        json!([false, null, [], "invalid bearer token"])
    );
}

#[tokio::test]
async fn a_token_in_a_file_is_replaced() {
    let cluster = TestCluster::start().await;
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, cluster.account_token("one").await).unwrap();
    let client = cluster.client_of(json!({"tokenFile": path}));
    let name = async || user_of(&client).await.unwrap().username.unwrap().to_string();
    assert_eq!(name().await, cluster.account_user("one"));
    std::fs::write(&path, cluster.account_token("two").await).unwrap();
    tokio::time::pause();
    tokio::time::advance(std::time::Duration::from_secs(61)).await;
    tokio::time::resume();
    assert_eq!(name().await, cluster.account_user("two"));
}
