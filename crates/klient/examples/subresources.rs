//! Requests a token of a service account, approves a certificate, reads the logs of a pod and evicts it.

#![allow(clippy::print_stdout)]

mod cluster;

use klient::api::authentication::v1::TokenRequest;
use klient::api::certificates::v1::{CertificateSigningRequest, CertificateSigningRequestSpec};
use klient::api::core::v1::{Pod, ServiceAccount};
use klient::api::policy::v1::Eviction;
use klient::{ByteString, DeleteOptions, LogOptions, ObjectMeta, Wire as _};

const POD: &str = "
apiVersion: v1
kind: Pod
metadata:
  name: klient-web
spec:
  containers:
  - name: web
    image: nginx:1.23.2
";

/// A request of a certificate for the user ann, which `openssl req -new` made.
const REQUEST: &str = "-----BEGIN CERTIFICATE REQUEST-----
MIHXMH8CAQAwHTEMMAoGA1UEAwwDYW5uMQ0wCwYDVQQKDAR0ZWFtMFkwEwYHKoZI
zj0CAQYIKoZIzj0DAQcDQgAElbOnaxSyoeYa9Rw8SSejugGPLwXeVXBNM9zN8Avq
feLQiAcAslxWLsJLhMQ3dDsns6TCFyXRzCx7no22SeK1C6AAMAoGCCqGSM49BAMC
A0gAMEUCIQCLSm/C4IfVfYmGcbd6FRxmo54T6zMavd4wM0BoL/usjAIgTSwFjLBp
q5n6AsEwc+poRZezyuAZPF+1Fqrmbo9IIBc=
-----END CERTIFICATE REQUEST-----
";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (client, _server) = cluster::connect().await?;
    let named = |name: &str| ObjectMeta::named(name);

    let accounts = client.api::<ServiceAccount>().namespace("default");
    accounts.create(&ServiceAccount { metadata: named("klient-robot"), ..Default::default() }).await?;
    let token = accounts.create_token("klient-robot", &TokenRequest::default()).await?;
    println!("a token until {:?}", token.status.expiration_timestamp);
    accounts.delete("klient-robot", &DeleteOptions::default()).await?;

    let requests = client.api::<CertificateSigningRequest>();
    let spec = CertificateSigningRequestSpec {
        request: ByteString(REQUEST.into()),
        signer_name: "kubernetes.io/kube-apiserver-client".into(),
        usages: vec!["client auth".into()],
        ..Default::default()
    };
    let request = CertificateSigningRequest { metadata: named("klient-ann"), spec, ..Default::default() };
    requests.create(&request).await?;
    let approved = requests.approve("klient-ann", "OnTheTeam", "Ann is on the team.").await?;
    println!("{:?}", approved.status.conditions);
    requests.delete("klient-ann", &DeleteOptions::default()).await?;

    let pods = client.api::<Pod>().namespace("default");
    pods.create(&Pod::from_yaml(POD)?).await?;
    // Until the pod has a node, and its image is there, there are no logs.
    match pods.logs("klient-web", &LogOptions { tail_lines: Some(10), ..Default::default() }).await {
        Ok(mut logs) => {
            while let Some(line) = logs.line().await? {
                println!("{}", String::from_utf8_lossy(&line));
            }
        }
        Err(error) => println!("no logs: {error}"),
    }
    // Other than a deletion it respects the PodDisruptionBudgets.
    match pods.evict("klient-web", &Eviction { metadata: named("klient-web"), ..Default::default() }).await {
        Ok(status) => println!("evicted: {:?}", status.status),
        Err(error) if error.is_too_many_requests() => println!("later: {error}"),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
