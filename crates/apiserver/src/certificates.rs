//! Certificates: requests for them (PKCS#10), the signers of `kubernetes.io`, and their encoding (RFC 5280).

mod request;
mod signer;
mod subject;
mod template;
mod usages;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use klient_apimachinery::go::quoted;
use klient_apimachinery::values::{Map, text_at};
use x509_parser::parse_x509_certificate;
use x509_parser::pem::Pem;

pub(crate) use request::CertificateRequest;
pub(crate) use signer::{KUBE_API_SERVER_CLIENT, check, lifetime};
pub(crate) use subject::{Subject, distinguished_name};
pub(crate) use template::Template;
pub(crate) use usages::Usages;

/// The label of a certificate in PEM.
const CERTIFICATE: &str = "CERTIFICATE";

/// A certificate as PEM.
pub(crate) fn to_pem(der: &[u8]) -> String {
    const LINE: usize = 64;
    let base64 = BASE64.encode(der);
    let lines = base64.as_bytes().chunks(LINE).map(|line| str::from_utf8(line).expect("base64 is ASCII"));
    let lines: String = lines.flat_map(|line| [line, "\n"]).collect();
    format!("-----BEGIN {CERTIFICATE}-----\n{lines}-----END {CERTIFICATE}-----\n")
}

/// Checks that the certificate of a CertificateSigningRequest is PEM with certificates alone.
///
/// # Errors
///
/// Upstream's message.
pub(crate) fn check_pem(object: &Map) -> Result<(), String> {
    let text = text_at(object, &["status", "certificate"]);
    if text.is_empty() {
        return Ok(());
    }
    let pem = BASE64.decode(text).map_err(|error| error.to_string())?;
    let mut blocks = 0;
    for block in Pem::iter_from_buffer(&pem) {
        let Ok(block) = block else { break };
        if block.label != CERTIFICATE {
            let label = quoted(block.label);
            return Err(format!("only CERTIFICATE PEM blocks are allowed, found {label}"));
        }
        parse_x509_certificate(&block.contents)
            .map_err(|error| format!("x509: malformed certificate: {error}"))?;
        blocks += 1;
    }
    if blocks == 0 {
        return Err("must contain at least one CERTIFICATE PEM block".to_owned());
    }
    Ok(())
}
