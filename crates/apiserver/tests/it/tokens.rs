//! Tokens of service accounts: TokenRequest, TokenReview and the documents of their issuer.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use klient_apiserver::TestServer;
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::{Value, json};

use crate::client::{Client, Identity, Protocol};
use crate::objects::{CONFIG_MAPS, PODS, named, pod, text};

const ACCOUNTS: &str = "/api/v1/namespaces/default/serviceaccounts";
const SECRETS: &str = "/api/v1/namespaces/default/secrets";
const NODES: &str = "/api/v1/nodes";
const REVIEWS: &str = "/apis/authentication.k8s.io/v1/tokenreviews";
const ISSUER: &str = "https://kubernetes.default.svc";

/// A server with the service account `robot`.
async fn start() -> (TestServer, Client) {
    let server = TestServer::start().await.expect("a server starts");
    let admin = Client::admin(&server).await;
    admin.post(ACCOUNTS, &named("robot")).await.expect(201);
    (server, admin)
}

async fn request(admin: &Client, spec: Value) -> Value {
    let request = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec});
    admin.post(&format!("{ACCOUNTS}/robot/token"), &request).await.expect(201)
}

async fn token(admin: &Client, spec: Value) -> String {
    text(&request(admin, spec).await, "/status/token").to_owned()
}

fn bound_to(kind: &str, name: &str) -> Value {
    json!({"boundObjectRef": {"apiVersion": "v1", "kind": kind, "name": name}})
}

/// A part of a token: 0 is its header, 1 its claims.
fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).expect("a token has three parts");
    serde_json::from_slice(&BASE64.decode(part).expect("it is base64")).expect("it is JSON")
}

async fn review(admin: &Client, token: &str, audiences: &[&str]) -> Value {
    let review = json!({"spec": {"token": token, "audiences": audiences}});
    admin.post(REVIEWS, &review).await.expect(201)["status"].clone()
}

/// The status of a request with a token: 403 if it authenticates, since nothing is allowed, and 401 if not.
async fn status_with(server: &TestServer, token: &str) -> u16 {
    let client = Client::connect(server, Protocol::Http2, Identity::Token(token.to_owned())).await;
    client.get(CONFIG_MAPS).await.status.as_u16()
}

#[tokio::test]
async fn a_token_of_a_service_account_authenticates_until_the_account_is_deleted() {
    let (server, admin) = start().await;
    let account = admin.get(&format!("{ACCOUNTS}/robot")).await.expect(200);
    let uid = text(&account, "/metadata/uid");
    let created = request(&admin, json!({"expirationSeconds": 600})).await;
    let spec = json!({"audiences": [ISSUER], "boundObjectRef": null, "expirationSeconds": 600});
    assert_eq!(created["spec"], spec);
    for (field, value) in [("name", "robot"), ("namespace", "default"), ("uid", uid)] {
        assert_eq!(created["metadata"][field], value);
    }
    let token = text(&created, "/status/token");
    let claims = part(token, 1);
    let account = json!({"name": "robot", "uid": uid});
    assert_eq!(claims["kubernetes.io"], json!({"namespace": "default", "serviceaccount": account}));
    assert_eq!([&claims["aud"], &claims["iss"]], [&json!([ISSUER]), &json!(ISSUER)]);
    assert_eq!(claims["sub"], "system:serviceaccount:default:robot");
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 600);
    assert_eq!(claims["nbf"], claims["iat"]);

    let robot = Client::connect(&server, Protocol::Http2, Identity::Token(token.to_owned())).await;
    assert_eq!(
        robot.get(CONFIG_MAPS).await.refusal(),
        r#"403 configmaps is forbidden: User "system:serviceaccount:default:robot" cannot list resource "configmaps" in API group "" in the namespace "default""#
    );
    let known = review(&admin, token, &[]).await;
    assert_eq!(known["authenticated"], true);
    assert_eq!(known["audiences"], json!([ISSUER]));
    let groups = json!(["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"]);
    assert_eq!([&known["user"]["groups"], &known["user"]["uid"]], [&groups, &json!(uid)]);
    let id = format!("JTI={}", claims["jti"].as_str().unwrap());
    assert_eq!(known["user"]["extra"], json!({"authentication.kubernetes.io/credential-id": [id]}));

    admin.delete(&format!("{ACCOUNTS}/robot")).await.expect(200);
    assert_eq!(robot.get(CONFIG_MAPS).await.refusal(), "401 Unauthorized");
    let unknown = review(&admin, token, &[]).await;
    assert_eq!(
        unknown,
        json!({"user": {}, "error": r#"[invalid bearer token, serviceaccounts "robot" not found]"#})
    );
    admin.post(ACCOUNTS, &named("robot")).await.expect(201);
    assert_eq!(robot.get(CONFIG_MAPS).await.refusal(), "401 Unauthorized", "it is another account");
}

#[tokio::test]
async fn a_token_ends_with_the_object_to_which_it_is_bound() {
    let (server, admin) = start().await;
    let mut web = pod("web");
    web["spec"]["serviceAccountName"] = "robot".into();
    web["spec"]["nodeName"] = "n1".into();
    admin.post(NODES, &named("n1")).await.expect(201);
    let web = admin.post(PODS, &web).await.expect(201);
    admin.post(SECRETS, &named("key")).await.expect(201);
    let of_pod = token(&admin, bound_to("Pod", "web")).await;
    let claims = part(&of_pod, 1);
    let uid = text(&web, "/metadata/uid");
    assert_eq!(claims["kubernetes.io"]["pod"], json!({"name": "web", "uid": uid}));
    assert_eq!(claims["kubernetes.io"]["node"]["name"], "n1");
    let user = review(&admin, &of_pod, &[]).await["user"].clone();
    assert_eq!(user["extra"]["authentication.kubernetes.io/pod-name"], json!(["web"]));
    assert_eq!(user["extra"]["authentication.kubernetes.io/node-name"], json!(["n1"]));
    let of_secret = request(&admin, bound_to("Secret", "key")).await;
    let reference = json!({"f:apiVersion": {}, "f:kind": {}, "f:name": {}});
    let fields = json!({"f:boundObjectRef": reference, "f:expirationSeconds": {}});
    assert_eq!(of_secret["metadata"]["managedFields"][0]["fieldsV1"], json!({"f:spec": fields}));
    let of_secret = text(&of_secret, "/status/token").to_owned();
    let of_node = token(&admin, bound_to("Node", "n1")).await;
    for (token, object) in [
        (of_pod, format!("{PODS}/web?gracePeriodSeconds=0")),
        (of_secret, format!("{SECRETS}/key")),
        (of_node, format!("{NODES}/n1")),
    ] {
        assert_eq!(status_with(&server, &token).await, 403, "{object}");
        admin.delete(&object).await.expect(200);
        assert_eq!(status_with(&server, &token).await, 401, "{object}");
        let status = review(&admin, &token, &[]).await;
        assert_eq!(
            status["error"], "[invalid bearer token, service account token has been invalidated]",
            "{object}"
        );
    }
}

#[tokio::test]
async fn a_token_is_valid_for_its_audiences() {
    let (server, admin) = start().await;
    let token = token(&admin, json!({"audiences": ["vault", "consul"]})).await;
    assert_eq!(status_with(&server, &token).await, 401, "the server is not its audience");
    let known = review(&admin, &token, &["consul", "other"]).await;
    assert_eq!([&known["authenticated"], &known["audiences"]], [&json!(true), &json!(["consul"])]);
    let unknown = review(&admin, &token, &["other"]).await;
    let problem = r#"[invalid bearer token, token audiences ["vault" "consul"] is invalid for the target audiences ["other"]]"#;
    assert_eq!(unknown, json!({"user": {}, "error": problem}));
    let static_token = server.token("ann", &[]);
    let elsewhere = review(&admin, &static_token, &["other"]).await;
    assert_eq!(elsewhere, json!({"user": {}, "error": "invalid bearer token"}));
}

#[tokio::test]
async fn tokens_of_pods_are_valid_for_a_year() {
    let (_server, admin) = start().await;
    let mut web = pod("web");
    web["spec"]["serviceAccountName"] = "robot".into();
    admin.post(PODS, &web).await.expect(201);
    let mut spec = bound_to("Pod", "web");
    spec["expirationSeconds"] = 3607.into();
    let claims = part(&token(&admin, spec).await, 1);
    let number = |value: &Value| value.as_i64().unwrap();
    assert_eq!(number(&claims["exp"]) - number(&claims["iat"]), 365 * 24 * 3600);
    assert_eq!(number(&claims["kubernetes.io"]["warnafter"]) - number(&claims["iat"]), 3607);
}

#[tokio::test]
async fn a_request_that_is_not_valid_is_refused() {
    let (_server, admin) = start().await;
    admin.post(PODS, &pod("web")).await.expect(201);
    let invalid =
        |problem: &str| format!(r#"422 TokenRequest.authentication.k8s.io "" is invalid: {problem}"#);
    let mut wrong_uid = bound_to("Secret", "key");
    wrong_uid["boundObjectRef"]["uid"] = "u".into();
    admin.post(SECRETS, &named("key")).await.expect(201);
    for (spec, refusal) in [
        (
            json!({"expirationSeconds": 599}),
            invalid("spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes"),
        ),
        (
            json!({"expirationSeconds": 4_294_967_297_i64}),
            invalid(
                "spec.expirationSeconds: Invalid value: 4294967297: may not specify a duration larger than 2^32 seconds",
            ),
        ),
        (bound_to("Pod", "none"), r#"404 pods "none" not found"#.to_owned()),
        (
            bound_to("Pod", "web"),
            r#"400 cannot bind token for serviceaccount "robot" to pod running with different serviceaccount name."#
                .to_owned(),
        ),
        (
            bound_to("ConfigMap", "c"),
            "400 cannot bind token to object of type /v1, Kind=ConfigMap".to_owned(),
        ),
        (
            wrong_uid,
            "409 Operation cannot be fulfilled on Secret \"key\": the UID in the bound object reference (u) does not match \
             the UID in record. The object might have been deleted and then recreated"
                .to_owned(),
        ),
    ] {
        let answer = admin.post(&format!("{ACCOUNTS}/robot/token"), &json!({"spec": spec})).await;
        assert_eq!(answer.refusal(), refusal, "{spec}");
    }
    let missing = admin.post(&format!("{ACCOUNTS}/none/token"), &json!({"spec": {}})).await;
    assert_eq!(missing.refusal(), r#"404 serviceaccounts "none" not found"#);
    let other = json!({"metadata": {"name": "other"}, "spec": {}});
    assert_eq!(
        admin.post(&format!("{ACCOUNTS}/robot/token"), &other).await.refusal(),
        r#"422 TokenRequest.authentication.k8s.io "robot" is invalid: metadata.name: Invalid value: "other": must match the service account name if specified"#
    );
    assert_eq!(admin.get(&format!("{ACCOUNTS}/robot/token")).await.status, 405);
}

#[tokio::test]
async fn the_issuer_publishes_the_key_that_verifies_its_tokens() {
    let (server, admin) = start().await;
    let configuration = admin.get("/.well-known/openid-configuration").await;
    assert_eq!(configuration.header("cache-control"), "public, max-age=3600");
    let configuration = configuration.expect(200);
    let address = server.address();
    let expected = json!({
        "issuer": ISSUER,
        "jwks_uri": format!("https://{address}/openid/v1/jwks"),
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
    });
    assert_eq!(configuration, expected);
    let keys = admin.get("/openid/v1/jwks").await;
    assert_eq!(keys.header("content-type"), "application/jwk-set+json");
    let key = keys.expect(200)["keys"][0].clone();
    let token = token(&admin, json!({})).await;
    assert_eq!(part(&token, 0), json!({"alg": "ES256", "kid": key["kid"]}));
    let coordinate = |name: &str| BASE64.decode(key[name].as_str().unwrap()).unwrap();
    let point = [vec![4], coordinate("x"), coordinate("y")].concat();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let verified = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
        .verify(signed.as_bytes(), &BASE64.decode(signature).unwrap());
    assert!(verified.is_ok(), "{key}");
    // A restart keeps the key.
    server.restart().await.unwrap();
    assert_eq!(status_with(&server, &token).await, 403);
}

#[tokio::test]
async fn a_changed_token_is_not_valid() {
    let (server, admin) = start().await;
    let token = token(&admin, json!({})).await;
    let parts: Vec<&str> = token.split('.').collect();
    let claims = part(&token, 1).to_string().replace("robot", "root");
    let forged = format!("{}.{}.{}", parts[0], BASE64.encode(claims), parts[2]);
    assert_eq!(status_with(&server, &forged).await, 401);
    let status = review(&admin, &forged, &[]).await;
    assert_eq!(status["error"], "[invalid bearer token, go-jose/go-jose: error in cryptographic primitive]");
}
