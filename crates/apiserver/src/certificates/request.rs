//! [`CertificateRequest`], a request for a certificate (PKCS#10).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use klient_apimachinery::values::{Map, text_at};
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::cri_attributes::ParsedCriAttribute;
use x509_parser::extensions::{GeneralName, ParsedExtension, X509Extension};
use x509_parser::pem::parse_x509_pem;
use x509_parser::prelude::FromDer as _;

use super::Subject;
use super::subject::issued;

/// A request for a certificate.
pub(crate) struct CertificateRequest {
    pub(crate) subject: Subject,
    /// The DER of the subject of the certificate.
    pub(crate) name: Vec<u8>,
    /// The DER of the public key.
    pub(crate) public_key: Vec<u8>,
    pub(crate) alt_names: AltNames,
    der: Vec<u8>,
}

/// The requested subjectAltName.
#[derive(Default)]
pub(crate) struct AltNames {
    /// The DER of the extension's value; empty if it is not requested.
    pub(crate) der: Vec<u8>,
    pub(crate) has_dns: bool,
    pub(crate) has_email: bool,
    pub(crate) has_ip: bool,
    pub(crate) has_uri: bool,
}

impl CertificateRequest {
    /// The request of a CertificateSigningRequest.
    ///
    /// # Errors
    ///
    /// The reason why it is not one, in upstream's words where these do not depend on Go's parser.
    pub(crate) fn of(object: &Map) -> Result<Self, String> {
        let pem = BASE64.decode(text_at(object, &["spec", "request"])).unwrap_or_default();
        let block = parse_x509_pem(&pem).ok().map(|(_, block)| block);
        let block = block.filter(|block| block.label == "CERTIFICATE REQUEST");
        let block = block.ok_or("PEM block type must be CERTIFICATE REQUEST")?;
        let request = parse(&block.contents)?;
        let info = &request.certification_request_info;
        Ok(CertificateRequest {
            subject: Subject::of(&info.subject),
            name: issued(&info.subject),
            public_key: info.subject_pki.raw.to_vec(),
            alt_names: AltNames::of(&request),
            der: block.contents.clone(),
        })
    }

    /// Checks that the request is signed by the key that it contains.
    ///
    /// # Errors
    ///
    /// If it is not, in Go's words.
    pub(crate) fn verify(&self) -> Result<(), String> {
        const RSA: &str = "1.2.840.113549.1.1.1";
        let request = parse(&self.der)?;
        let key = &request.certification_request_info.subject_pki.algorithm.algorithm;
        let is_rsa = key.to_id_string() == RSA;
        let problem =
            if is_rsa { "crypto/rsa: verification error" } else { "x509: ECDSA verification failure" };
        request.verify_signature().map_err(|_| problem.to_owned())
    }
}

fn parse(der: &[u8]) -> Result<X509CertificationRequest<'_>, String> {
    match X509CertificationRequest::from_der(der) {
        Ok(([], request)) => Ok(request),
        Ok(_) => Err("asn1: syntax error: trailing data".to_owned()),
        Err(error) => Err(format!("asn1: structure error: {error}")),
    }
}

impl AltNames {
    fn of(request: &X509CertificationRequest<'_>) -> Self {
        let attributes = request.certification_request_info.iter_attributes();
        let requested = attributes.filter_map(|attribute| match attribute.parsed_attribute() {
            ParsedCriAttribute::ExtensionRequest(requested) => Some(&requested.extensions),
            _ => None,
        });
        requested.flatten().find_map(AltNames::of_extension).unwrap_or_default()
    }

    fn of_extension(extension: &X509Extension<'_>) -> Option<Self> {
        let ParsedExtension::SubjectAlternativeName(names) = extension.parsed_extension() else {
            return None;
        };
        let has = |is: fn(&GeneralName<'_>) -> bool| names.general_names.iter().any(is);
        Some(AltNames {
            der: extension.value.to_vec(),
            has_dns: has(|name| matches!(name, GeneralName::DNSName(_))),
            has_email: has(|name| matches!(name, GeneralName::RFC822Name(_))),
            has_ip: has(|name| matches!(name, GeneralName::IPAddress(_))),
            has_uri: has(|name| matches!(name, GeneralName::URI(_))),
        })
    }
}
