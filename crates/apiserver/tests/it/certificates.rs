//! CertificateSigningRequests: their requester, approval, signing, and the certificates.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use klient_apiserver::{ClientCertificate, Options, Server, TestServer};
use rcgen::{CertificateParams, DnType, KeyPair, SanType};
use serde_json::{Value, json};
use x509_parser::pem::parse_x509_pem;

use crate::client::{Client, Identity, Protocol};
use crate::objects::text;

const REQUESTS: &str = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
const CLIENT: &str = "kubernetes.io/kube-apiserver-client";
const KUBELET_SERVING: &str = "kubernetes.io/kubelet-serving";

/// A PKCS#10 request, as base64 of PEM.
fn pkcs10(key: &KeyPair, user: &str, group: &str, dns: &[&str]) -> String {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, user);
    params.distinguished_name.push(DnType::OrganizationName, group);
    let name = |name: &&str| SanType::DnsName((*name).try_into().expect("it is ASCII"));
    params.subject_alt_names = dns.iter().map(name).collect();
    let request = params.serialize_request(key).expect("the key signs");
    BASE64.encode(request.pem().expect("it is DER"))
}

fn signing_request(name: &str, signer: &str, request: &str, usages: &[&str]) -> Value {
    json!({
        "metadata": {"name": name},
        "spec": {"request": request, "signerName": signer, "usages": usages},
    })
}

fn condition(ty: &str) -> Value {
    json!({"type": ty, "status": "True", "reason": "ByTest", "message": "by the test"})
}

/// Adds a condition through a subresource.
async fn decide(client: &Client, name: &str, subresource: &str, ty: &str) -> crate::answer::Answer {
    let mut request = client.get(&format!("{REQUESTS}/{name}")).await.expect(200);
    let conditions = request["status"]["conditions"].as_array().cloned().unwrap_or_default();
    request["status"]["conditions"] = conditions.into_iter().chain([condition(ty)]).collect();
    client.put(&format!("{REQUESTS}/{name}/{subresource}"), &request).await
}

fn certificate_of(request: &Value) -> String {
    let pem = BASE64.decode(text(request, "/status/certificate")).expect("it is base64");
    String::from_utf8(pem).expect("PEM is ASCII")
}

#[tokio::test]
async fn an_approved_request_is_signed_and_the_certificate_authenticates() {
    let server = TestServer::start().await.unwrap();
    let admin = Client::admin(&server).await;
    let key = KeyPair::generate().unwrap();
    let mut request = signing_request("ann", CLIENT, &pkcs10(&key, "ann", "devs", &[]), &["client auth"]);
    request["spec"]["expirationSeconds"] = 3600.into();
    request["spec"]["username"] = "root".into();
    let created = admin.post(REQUESTS, &request).await.expect(201);
    assert_eq!(created["spec"]["username"], "kubernetes-admin", "the server knows who requests");
    assert_eq!(created["spec"]["groups"], json!(["system:masters", "system:authenticated"]));
    assert_eq!(created["status"], json!({}));

    let approved = decide(&admin, "ann", "approval", "Approved").await.expect(200);
    let approval = &approved["status"]["conditions"][0];
    assert!(approval["lastUpdateTime"].is_string() && approval["lastTransitionTime"].is_string());
    let signed = admin.get(&format!("{REQUESTS}/ann")).await.expect(200);
    let pem = certificate_of(&signed);
    let (_, block) = parse_x509_pem(pem.as_bytes()).unwrap();
    let certificate = block.parse_x509().unwrap();
    let validity = certificate.validity();
    let lifetime = validity.not_after.timestamp() - validity.not_before.timestamp();
    assert_eq!(lifetime, 3600 + 300, "it begins five minutes earlier");
    assert_eq!(certificate.subject().to_string(), "O=devs, CN=ann", "Go encodes the subject anew");
    assert!(!certificate.is_ca());
    let identity = ClientCertificate { certificate_pem: pem, key_pem: key.serialize_pem() };
    let ann = Client::connect(&server, Protocol::Http2, Identity::Certificate(identity)).await;
    let review = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
    let user = ann.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", &review).await.expect(201);
    let user = &user["status"]["userInfo"];
    assert_eq!(user["username"], "ann");
    assert_eq!(user["groups"], json!(["devs", "system:authenticated"]));
    let id = user["extra"]["authentication.kubernetes.io/credential-id"][0].as_str().unwrap();
    assert!(id.starts_with("X509SHA256="), "{id}");
}

#[tokio::test]
async fn a_denied_request_and_one_to_another_signer_are_not_signed() {
    let server = TestServer::start().await.unwrap();
    let admin = Client::admin(&server).await;
    let key = KeyPair::generate().unwrap();
    let pkcs10 = pkcs10(&key, "ann", "devs", &[]);
    admin.post(REQUESTS, &signing_request("denied", CLIENT, &pkcs10, &["client auth"])).await.expect(201);
    decide(&admin, "denied", "approval", "Denied").await.expect(200);
    let other = signing_request("other", "example.com/signer", &pkcs10, &["client auth"]);
    admin.post(REQUESTS, &other).await.expect(201);
    decide(&admin, "other", "approval", "Approved").await.expect(200);
    for name in ["denied", "other"] {
        let request = admin.get(&format!("{REQUESTS}/{name}")).await.expect(200);
        assert_eq!(request["status"].get("certificate"), None, "{name}");
    }
    // The signer of the program sets the certificate, and only once.
    let pem = server.client_certificate("ann", &[]).unwrap().certificate_pem;
    let patch = |pem: &str| json!({"status": {"certificate": BASE64.encode(pem)}});
    let path = format!("{REQUESTS}/other/status");
    admin.patch(&path, "merge", &patch(&pem)).await.expect(200);
    let again = server.client_certificate("ann", &[]).unwrap().certificate_pem;
    assert_eq!(
        admin.patch(&path, "merge", &patch(&again)).await.refusal(),
        r#"422 CertificateSigningRequest.certificates.k8s.io "other" is invalid: status.certificate: Forbidden: updates may not modify existing certificate content"#
    );
}

#[tokio::test]
async fn a_request_that_does_not_fit_its_signer_fails() {
    let server = TestServer::start().await.unwrap();
    let admin = Client::admin(&server).await;
    let key = KeyPair::generate().unwrap();
    let serving = ["digital signature", "server auth"];
    for (index, (signer, user, group, dns, usages, problem)) in [
        (
            CLIENT,
            "ann",
            "devs",
            &[][..],
            &["server auth"][..],
            "invalid usage for client certificate: server auth",
        ),
        (
            KUBELET_SERVING,
            "system:node:n1",
            "devs",
            &["n1"][..],
            &serving[..],
            "subject organization is not system:nodes",
        ),
        (
            KUBELET_SERVING,
            "system:node:n1",
            "system:nodes",
            &[][..],
            &serving[..],
            "DNS or IP subjectAltName is required",
        ),
        (
            KUBELET_SERVING,
            "ann",
            "system:nodes",
            &["n1"][..],
            &serving[..],
            "subject common name does not begin with system:node:",
        ),
        (
            KUBELET_SERVING,
            "system:node:n1",
            "system:nodes",
            &["n1"][..],
            &["server auth"][..],
            "usages did not match [digital signature key encipherment server auth]",
        ),
        (
            "kubernetes.io/kube-apiserver-client-kubelet",
            "system:node:n1",
            "system:nodes",
            &["n1"][..],
            &["client auth", "digital signature"][..],
            "DNS subjectAltNames are not allowed",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("r{index}");
        let request = signing_request(&name, signer, &pkcs10(&key, user, group, dns), usages);
        admin.post(REQUESTS, &request).await.expect(201);
        decide(&admin, &name, "approval", "Approved").await.expect(200);
        let request = admin.get(&format!("{REQUESTS}/{name}")).await.expect(200);
        let failed = &request["status"]["conditions"][1];
        assert_eq!(
            [&failed["type"], &failed["reason"], &failed["message"]],
            ["Failed", "SignerValidationFailure", problem],
        );
    }
    let request = pkcs10(&key, "system:node:n1", "system:nodes", &["n1", "n1.example"]);
    admin.post(REQUESTS, &signing_request("n1", KUBELET_SERVING, &request, &serving)).await.expect(201);
    decide(&admin, "n1", "approval", "Approved").await.expect(200);
    let signed = admin.get(&format!("{REQUESTS}/n1")).await.expect(200);
    let pem = certificate_of(&signed);
    let (_, block) = parse_x509_pem(pem.as_bytes()).unwrap();
    let certificate = block.parse_x509().unwrap();
    let names = certificate.subject_alternative_name().unwrap().unwrap().value;
    assert_eq!(names.general_names.len(), 2);
}

#[tokio::test]
async fn only_who_may_approve_and_sign_for_a_signer_does() {
    let server = TestServer::start().await.unwrap();
    let admin = Client::admin(&server).await;
    let key = KeyPair::generate().unwrap();
    let request =
        signing_request("a", "example.com/signer", &pkcs10(&key, "ann", "devs", &[]), &["client auth"]);
    admin.post(REQUESTS, &request).await.expect(201);
    let rbac = "/apis/rbac.authorization.k8s.io/v1";
    let resources = [
        "certificatesigningrequests",
        "certificatesigningrequests/approval",
        "certificatesigningrequests/status",
    ];
    let rule =
        json!({"apiGroups": ["certificates.k8s.io"], "resources": resources, "verbs": ["get", "update"]});
    let role = json!({"metadata": {"name": "approver"}, "rules": [rule]});
    admin.post(&format!("{rbac}/clusterroles"), &role).await.expect(201);
    let binding = json!({
        "metadata": {"name": "approver"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "approver"},
        "subjects": [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "bob"}],
    });
    admin.post(&format!("{rbac}/clusterrolebindings"), &binding).await.expect(201);
    let bob = Client::connect(&server, Protocol::Http2, Identity::Token(server.token("bob", &[]))).await;
    let refused = |verb: &str| {
        format!(
            r#"403 certificatesigningrequests.certificates.k8s.io "a" is forbidden: user not permitted to {verb} requests with signerName "example.com/signer""#
        )
    };
    assert_eq!(decide(&bob, "a", "approval", "Approved").await.refusal(), refused("approve"));
    assert_eq!(decide(&bob, "a", "status", "Other").await.refusal(), refused("sign"));
    let signers = json!({"apiGroups": ["certificates.k8s.io"], "resources": ["signers"], "resourceNames": ["example.com/*"], "verbs": ["approve", "sign"]});
    let patch = json!([{"op": "add", "path": "/rules/-", "value": signers}]);
    admin.patch(&format!("{rbac}/clusterroles/approver"), "json", &patch).await.expect(200);
    decide(&bob, "a", "approval", "Approved").await.expect(200);
    decide(&bob, "a", "status", "Other").await.expect(200);
}

#[tokio::test]
async fn a_request_is_validated() {
    let server = TestServer::start().await.unwrap();
    let admin = Client::admin(&server).await;
    let key = KeyPair::generate().unwrap();
    let good = pkcs10(&key, "ann", "devs", &[]);
    let pem = BASE64.encode("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let invalid = |problem: &str| {
        format!(r#"422 CertificateSigningRequest.certificates.k8s.io "a" is invalid: {problem}"#)
    };
    for (request, refusal) in [
        (
            signing_request("a", CLIENT, &pem, &["client auth"]),
            invalid(&format!(
                "spec.request: Invalid value: \"{pem}\": PEM block type must be CERTIFICATE REQUEST"
            )),
        ),
        (signing_request("a", CLIENT, &good, &[]), invalid("spec.usages: Required value")),
        (
            signing_request("a", CLIENT, &good, &["client auth", "client auth"]),
            invalid("spec.usages[1]: Duplicate value: \"client auth\""),
        ),
        (
            signing_request("a", "signer", &good, &["client auth"]),
            invalid(
                "spec.signerName: Invalid value: \"signer\": must be a fully qualified domain and path of the form 'example.com/signer-name'",
            ),
        ),
        (
            signing_request("a", "kubernetes.io/legacy-unknown", &good, &["client auth"]),
            invalid(
                "spec.signerName: Invalid value: \"kubernetes.io/legacy-unknown\": the legacy signerName is not allowed via this API version",
            ),
        ),
        (
            signing_request("a", CLIENT, &pkcs10(&key, "ann", "system:masters", &[]), &["client auth"]),
            "403 certificatesigningrequests.certificates.k8s.io \"a\" is forbidden: use of \
             kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed"
                .to_owned(),
        ),
    ] {
        assert_eq!(admin.post(REQUESTS, &request).await.refusal(), refusal);
    }
    let mut short = signing_request("a", CLIENT, &good, &["client auth"]);
    short["spec"]["expirationSeconds"] = 599.into();
    assert_eq!(
        admin.post(REQUESTS, &short).await.refusal(),
        invalid(
            "spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 600 seconds (10 minutes)"
        )
    );
}

#[tokio::test]
async fn decisions_are_final_and_exclude_each_other() {
    let options = Options { controller_manager: false, ..Options::default() };
    let server = Server::start(options).await.unwrap();
    let admin = Client::admin(&server).await;
    let key = KeyPair::generate().unwrap();
    let request = signing_request("a", CLIENT, &pkcs10(&key, "ann", "devs", &[]), &["client auth"]);
    admin.post(REQUESTS, &request).await.expect(201);
    let invalid = |problem: &str| {
        format!(r#"422 CertificateSigningRequest.certificates.k8s.io "a" is invalid: {problem}"#)
    };
    assert_eq!(
        decide(&admin, "a", "status", "Approved").await.refusal(),
        invalid(r#"status.conditions: Forbidden: updates may not add a condition of type "Approved""#)
    );
    decide(&admin, "a", "approval", "Approved").await.expect(200);
    assert_eq!(
        decide(&admin, "a", "approval", "Denied").await.refusal(),
        invalid(
            r#"status.conditions: Invalid value: "{conditions[{\"type\": \"Approved\"}], conditions[{\"type\": \"Denied\"}]}": must specify at most one of: `conditions[{"type": "Approved"}]`, `conditions[{"type": "Denied"}]`"#
        )
    );
    let approved = admin.get(&format!("{REQUESTS}/a")).await.expect(200);
    assert_eq!(approved["status"].get("certificate"), None, "no controller signs it");
    let mut undone = approved.clone();
    undone["status"]["conditions"] = json!([]);
    assert_eq!(
        admin.put(&format!("{REQUESTS}/a/approval"), &undone).await.refusal(),
        invalid(r#"status.conditions: Forbidden: updates may not remove a condition of type "Approved""#)
    );
    // The object itself takes neither another spec nor a decision.
    let mut changed = approved.clone();
    changed["spec"]["usages"] = json!(["server auth"]);
    changed["status"]["conditions"] = json!([]);
    let unchanged = admin.put(&format!("{REQUESTS}/a"), &changed).await.expect(200);
    assert_eq!([&unchanged["spec"], &unchanged["status"]], [&approved["spec"], &approved["status"]]);
}
