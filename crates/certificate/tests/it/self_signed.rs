//! Self-signed certificates, in TLS handshakes.

use std::time::Duration;

use klient_certificate::{Certificate, CertificateAuthority, ErrorKind, self_signed_certificate};

use crate::serving::{TlsServer, handshake};

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn clients_that_trust_the_authority_connect() {
    let authority = CertificateAuthority::new("webhook-ca", 2 * HOUR).unwrap();
    let kept = authority.certificate().to_pem();
    let again = CertificateAuthority::from_certificate(Certificate::from_pem(&kept, &kept).unwrap()).unwrap();
    let other = CertificateAuthority::new("webhook-ca", 2 * HOUR).unwrap();
    for signer in [&authority, &again] {
        let serving = signer.serving_certificate(&["webhook.shop.svc", "127.0.0.1", "::1"], HOUR).unwrap();
        let server = TlsServer::start(&serving).await;
        let ca = authority.certificate().certificate_pem();
        for name in ["webhook.shop.svc", "127.0.0.1", "::1"] {
            handshake(&server, name, ca).await.unwrap();
        }
        assert!(handshake(&server, "other.shop.svc", ca).await.unwrap_err().contains("not valid for name"));
        let other = other.certificate().certificate_pem();
        handshake(&server, "127.0.0.1", other).await.unwrap_err();
    }
    assert!(!format!("{authority:?}").contains("PRIVATE KEY"));
}

#[tokio::test]
async fn a_self_signed_certificate_brings_its_authority() {
    let certificate = self_signed_certificate(&["localhost"], HOUR).unwrap();
    let server = TlsServer::start(&certificate).await;
    let second = certificate.certificate_pem().split_inclusive("-----END CERTIFICATE-----\n").nth(1).unwrap();
    handshake(&server, "localhost", second).await.unwrap();
}

#[test]
fn hosts_and_authorities_that_cannot_be_used_are_named() {
    let check = |hosts: &[&str], expected: &str| {
        let error = self_signed_certificate(hosts, HOUR).unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Template, expected));
    };
    check(&[], "a serving certificate without a host: give a DNS name or an IP address");
    check(
        &["a", ""],
        r#"DNS name "" of a certificate: it must be ASCII and not empty; write other characters in punycode"#,
    );
    let serving = self_signed_certificate(&["a"], HOUR).unwrap();
    let error = CertificateAuthority::from_certificate(serving).unwrap_err();
    assert_eq!(error.to_string(), r#"certificate "a": it is not the certificate of an authority"#);
    let check = |pem: &str, expected: &str| {
        let authority = CertificateAuthority::from_certificate(Certificate::from_pem(pem, pem).unwrap());
        let issued = authority.and_then(|authority| authority.serving_certificate(&["a"], HOUR));
        assert_eq!(issued.unwrap_err().to_string(), expected);
    };
    check(
        include_str!("ec-sec1.pem"),
        "certificate \"old\": the private key is of a form that cannot sign: convert it to PKCS#8, with `openssl pkcs8 -topk8 -nocrypt`",
    );
    check(
        include_str!("ec-pkcs8.pem"),
        r#"certificate "old": the subject of the authority has an attribute several times, which cannot be signed with"#,
    );
}
