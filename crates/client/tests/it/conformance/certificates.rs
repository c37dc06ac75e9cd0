//! Client certificates, and the requests for them.

use klient_api::certificates::v1::CertificateSigningRequest;
use rcgen::KeyPair;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::test_cluster::{SIGNER, TestCluster, signing_request, until, user_of};
use crate::rotation;

/// Conditions as JSON, without their times.
fn conditions(request: &CertificateSigningRequest) -> Value {
    let conditions = request.status.conditions.iter();
    let known = conditions.map(|condition| {
        assert!(condition.last_update_time.is_some() && condition.last_transition_time.is_some());
        json!([condition.type_, condition.status, condition.reason, condition.message])
    });
    known.collect()
}

#[tokio::test]
async fn a_certificate_names_the_user_and_the_groups() {
    let cluster = TestCluster::start().await;
    let user = user_of(&cluster.user("ann", &["devs", "ops"]).await).await.unwrap();
    assert_eq!(user.username.as_deref(), Some("ann"));
    // They are in one part of the subject of the certificate, in the order of their DER.
    assert_eq!(user.groups, ["ops", "devs", "system:authenticated"]);
    assert_eq!(user.uid, None);
    let id = &user.extra["authentication.kubernetes.io/credential-id"][0];
    assert!(id.starts_with("X509SHA256="), "{id}");
}

#[tokio::test]
async fn a_request_is_approved_once_and_then_not_denied() {
    let cluster = TestCluster::start().await;
    let requests = cluster.client().api::<CertificateSigningRequest>();
    let (key, name) = (KeyPair::generate().unwrap(), cluster.unique("ann"));
    let created = requests.create(&signing_request(&name, &key, "ann", &[], "client auth")).await.unwrap();
    let requester = user_of(&cluster.client()).await.unwrap();
    assert_eq!((created.spec.username, created.spec.groups), (requester.username, requester.groups));

    let approved = requests.approve(&name, "OnTheTeam", "Ann is on the team.").await.unwrap();
    assert_eq!(conditions(&approved), json!([["Approved", "True", "OnTheTeam", "Ann is on the team."]]));
    let signed = until("a certificate", async || {
        Some(requests.get(&name).await.unwrap()).filter(|request| request.status.certificate.is_some())
    })
    .await;
    let again = requests.approve(&name, "Again", "").await.unwrap();
    assert_eq!(again.metadata.resource_version, signed.metadata.resource_version, "it is approved already");
    let contrary = requests.deny(&name, "Mistake", "").await.unwrap_err();
    let problem = format!("certificate signing request {name:?} is already Approved");
    assert!(contrary.to_string().contains(&problem), "{contrary}");
    assert!(requests.approve(&cluster.unique("none"), "Any", "").await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn a_request_that_is_denied_or_does_not_fit_gets_no_certificate() {
    let cluster = TestCluster::start().await;
    let requests = cluster.client().api::<CertificateSigningRequest>();
    let key = KeyPair::generate().unwrap();
    let denied = cluster.unique("denied");
    requests.create(&signing_request(&denied, &key, "ann", &[], "client auth")).await.unwrap();
    let answer = requests.deny(&denied, "NotOnTheTeam", "Ann has left.").await.unwrap();
    assert_eq!(conditions(&answer), json!([["Denied", "True", "NotOnTheTeam", "Ann has left."]]));

    let serving = cluster.unique("serving");
    requests.create(&signing_request(&serving, &key, "ann", &[], "server auth")).await.unwrap();
    requests.approve(&serving, "Test", "").await.unwrap();
    let failed = until("a failure", async || {
        Some(requests.get(&serving).await.unwrap()).filter(|request| request.status.conditions.len() == 2)
    })
    .await;
    let problem = "invalid usage for client certificate: server auth";
    assert_eq!(conditions(&failed)[1], json!(["Failed", "True", "SignerValidationFailure", problem]));
    for name in [denied, serving] {
        assert!(requests.get(&name).await.unwrap().status.certificate.is_none(), "{name}");
    }
    let masters =
        signing_request(&cluster.unique("masters"), &key, "ann", &["system:masters"], "client auth");
    let refused = requests.create(&masters).await.unwrap_err();
    let problem = format!("use of {SIGNER} signer with system:masters group is not allowed");
    assert!(refused.is_forbidden() && refused.to_string().contains(&problem), "{refused}");
}

#[tokio::test]
async fn a_user_approves_requests_to_the_signers_that_are_allowed_to_it() {
    let cluster = TestCluster::start().await;
    let name = cluster.unique("approver");
    let user = cluster.user(&name, &[]).await;
    let resources = ["certificatesigningrequests", "certificatesigningrequests/approval"];
    let rules = json!([
        {"apiGroups": ["certificates.k8s.io"], "resources": resources, "verbs": ["get", "create", "update"]},
    ]);
    cluster.grant(&name, rules).await;
    let requests = user.api::<CertificateSigningRequest>();
    let (key, request) = (KeyPair::generate().unwrap(), cluster.unique("ann"));
    requests.create(&signing_request(&request, &key, "ann", &[], "client auth")).await.unwrap();
    let refused = requests.approve(&request, "Test", "").await.unwrap_err();
    assert!(refused.is_forbidden(), "{refused}");
    assert_eq!(
        refused.as_status().unwrap().message.as_deref().unwrap(),
        format!(
            "certificatesigningrequests.certificates.k8s.io {request:?} is forbidden: user not permitted to approve \
             requests with signerName {SIGNER:?}"
        )
    );
}

/// Certificates in files are replaced while requests run.
#[tokio::test]
async fn no_request_is_lost_while_a_certificate_is_replaced() {
    let cluster = TestCluster::start().await;
    let mut identities = Vec::new();
    for rotation in 0..=rotation::ROTATIONS {
        identities.push(cluster.identity(&format!("user-{rotation}"), &[]).await);
    }
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    let write = |name: &str, text: &str| {
        std::fs::write(path("new"), text).unwrap();
        std::fs::rename(path("new"), path(name)).unwrap();
    };
    let rotate = |rotation: usize| {
        write("crt", &identities[rotation].certificate);
        write("key", &identities[rotation].key);
    };
    rotate(0);
    let user = json!({"client-certificate": path("crt"), "client-key": path("key")});
    rotation::check(cluster.config_of(user), rotate).await;
}
