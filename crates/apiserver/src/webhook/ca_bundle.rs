//! The certificate authorities that a webhook's `caBundle` trusts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use klient_apimachinery::values::{Map, text_at};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use x509_parser::parse_x509_certificate;

/// The path of the bundle of a definition's conversion webhook.
pub(crate) const OF_CONVERSION: [&str; 5] = ["spec", "conversion", "webhook", "clientConfig", "caBundle"];

/// The certificates of a bundle in PEM. Those that cannot be parsed are left out.
///
/// # Errors
///
/// In the words of Go's packages, if there is none.
pub(super) fn certificates(bundle: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let sections: Vec<_> = CertificateDer::pem_slice_iter(bundle).filter_map(Result::ok).collect();
    let is_parsed = |certificate: &CertificateDer<'_>| {
        parse_x509_certificate(certificate).is_ok_and(|(rest, _)| rest.is_empty())
    };
    let (parsed, others): (Vec<_>, Vec<_>) = sections.into_iter().partition(is_parsed);
    if !parsed.is_empty() {
        return Ok(parsed);
    }
    let problem = if !others.is_empty() {
        "failed to parse certificate: x509: malformed certificate"
    } else if memchr::memmem::find(bundle, b"-----BEGIN ").is_some() {
        "no valid certificate authority data seen"
    } else {
        "unable to parse bytes as PEM block"
    };
    Err(format!("unable to load root certificates: {problem}"))
}

/// The problem of the bundle of a definition's conversion webhook, if it has one.
pub(crate) fn conversion_problem(definition: &Map) -> Option<String> {
    let bundle = BASE64.decode(text_at(definition, &OF_CONVERSION)).unwrap_or_default();
    certificates(&bundle).err().filter(|_| !bundle.is_empty())
}
