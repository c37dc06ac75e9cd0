//! Certificates and keys in PEM.

use std::time::Duration;

use klient_certificate::{Certificate, CertificateTemplate, ErrorKind, self_signed_certificate};

const EC_PAIR: &str = include_str!("ec-sec1.pem");
const RSA_PAIR: &str = include_str!("rsa-pkcs1.pem");

#[test]
fn keys_of_openssl_and_go_are_read() {
    for pem in [EC_PAIR, RSA_PAIR] {
        let certificate = Certificate::from_pem(pem, pem).unwrap();
        assert_eq!(certificate.common_name(), "old");
        assert_eq!(certificate.organizations(), ["devs", "ops"]);
        assert_eq!(certificate.dns_names(), ["old.example.com"]);
        assert_eq!(certificate.ip_addresses(), ["10.0.0.1".parse::<std::net::IpAddr>().unwrap()]);
        assert!(!certificate.is_expired());
        // Text around the blocks is not kept.
        let certificate = Certificate::from_pem(format!("bag attributes\n{pem}"), pem).unwrap();
        assert!(certificate.to_pem().starts_with("-----BEGIN CERTIFICATE-----\n"));
    }
    let error = Certificate::from_pem(EC_PAIR, RSA_PAIR).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Certificate);
    assert_eq!(error.to_string(), "certificate: the private key is not that of the certificate");
}

#[test]
fn a_template_is_satisfied_by_its_names_and_more() {
    let certificate = Certificate::from_pem(EC_PAIR, EC_PAIR).unwrap();
    let check = |change: fn(&mut CertificateTemplate), expected: bool| {
        let mut template = CertificateTemplate { common_name: "old".into(), ..Default::default() };
        change(&mut template);
        assert_eq!(template.is_satisfied_by(&certificate), expected, "{template:?}");
    };
    check(|_| {}, true);
    check(|template| template.common_name = "new".into(), false);
    check(|template| template.organizations = vec!["ops".into()], true);
    check(|template| template.organizations = vec!["ops".into(), "qa".into()], false);
    check(|template| template.dns_names = vec!["old.example.com".into()], true);
    check(|template| template.dns_names = vec!["new.example.com".into()], false);
    check(|template| template.ip_addresses = vec![[10, 0, 0, 1].into()], true);
    check(|template| template.ip_addresses = vec![[10, 0, 0, 2].into()], false);
}

#[test]
fn the_validity_of_a_certificate_is_read() {
    let expired = include_str!("expired.pem");
    let expired = Certificate::from_pem(expired, expired).unwrap();
    assert!(expired.is_expired());
    assert_eq!(expired.not_before().to_string(), "2020-01-01T00:00:00Z");
    assert_eq!(expired.not_after().to_string(), "2020-01-02T00:00:00Z");
    let fresh = self_signed_certificate(&["a"], Duration::from_secs(60)).unwrap();
    assert!(!fresh.is_expired());
    assert_eq!(fresh.not_after().unix() - fresh.not_before().unix(), 3600 + 60);
}
