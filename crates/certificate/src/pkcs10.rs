//! Requests for certificates, PKCS#10 (RFC 2986). Unlike rcgen's, their subject has any number of organizations.

use std::net::IpAddr;

use rcgen::{KeyPair, PublicKeyData as _, SigningKey as _};
use yasna::models::ObjectIdentifier;
use yasna::{DERWriter, Tag};

use crate::pem;
use crate::template::CertificateTemplate;

const COMMON_NAME: [u64; 4] = [2, 5, 4, 3];
const ORGANIZATION: [u64; 4] = [2, 5, 4, 10];
const SUBJECT_ALT_NAME: [u64; 4] = [2, 5, 29, 17];
const EXTENSION_REQUEST: [u64; 7] = [1, 2, 840, 113_549, 1, 9, 14];
/// ECDSA with SHA-256 (RFC 5758).
const ECDSA_WITH_SHA256: [u64; 7] = [1, 2, 840, 10045, 4, 3, 2];

/// The PEM of a request, signed with a key for ECDSA with SHA-256.
///
/// # Errors
///
/// If the system has no randomness.
pub(crate) fn request(template: &CertificateTemplate, key: &KeyPair) -> Result<String, rcgen::Error> {
    let info = yasna::construct_der(|writer| request_info(writer, template, key));
    let signature = key.sign(&info)?;
    let der = yasna::construct_der(|writer| {
        writer.write_sequence(|writer| {
            writer.next().write_der(&info);
            writer.next().write_sequence(|writer| write_oid(writer.next(), &ECDSA_WITH_SHA256));
            writer.next().write_bitvec_bytes(&signature, signature.len() * 8);
        });
    });
    Ok(pem::encode("CERTIFICATE REQUEST", &der))
}

fn request_info(writer: DERWriter<'_>, template: &CertificateTemplate, key: &KeyPair) {
    const VERSION_1: u8 = 0;
    writer.write_sequence(|writer| {
        writer.next().write_u8(VERSION_1);
        subject(writer.next(), template);
        writer.next().write_der(&key.subject_public_key_info());
        writer.next().write_tagged_implicit(Tag::context(0), |writer| {
            writer.write_set(|writer| {
                if !template.dns_names.is_empty() || !template.ip_addresses.is_empty() {
                    extension_request(writer.next(), template);
                }
            });
        });
    });
}

fn subject(writer: DERWriter<'_>, template: &CertificateTemplate) {
    let organizations = template.organizations.iter().map(|name| (&ORGANIZATION, name));
    let common_name = Some((&COMMON_NAME, &template.common_name)).filter(|(_, name)| !name.is_empty());
    writer.write_sequence(|writer| {
        for (attribute, value) in organizations.chain(common_name) {
            writer.next().write_set(|writer| {
                writer.next().write_sequence(|writer| {
                    write_oid(writer.next(), attribute);
                    writer.next().write_utf8_string(value);
                });
            });
        }
    });
}

/// Writes the attribute that asks for subjectAltName.
fn extension_request(writer: DERWriter<'_>, template: &CertificateTemplate) {
    const DNS_NAME: u64 = 2;
    const IP_ADDRESS: u64 = 7;
    let names = yasna::construct_der(|writer| {
        writer.write_sequence(|writer| {
            for name in &template.dns_names {
                let tag = Tag::context(DNS_NAME);
                writer.next().write_tagged_implicit(tag, |writer| writer.write_ia5_string(name));
            }
            for address in &template.ip_addresses {
                let octets = match address {
                    IpAddr::V4(address) => address.octets().to_vec(),
                    IpAddr::V6(address) => address.octets().to_vec(),
                };
                let tag = Tag::context(IP_ADDRESS);
                writer.next().write_tagged_implicit(tag, |writer| writer.write_bytes(&octets));
            }
        });
    });
    writer.write_sequence(|writer| {
        write_oid(writer.next(), &EXTENSION_REQUEST);
        writer.next().write_set(|writer| {
            writer.next().write_sequence(|writer| {
                writer.next().write_sequence(|writer| {
                    write_oid(writer.next(), &SUBJECT_ALT_NAME);
                    writer.next().write_bytes(&names);
                });
            });
        });
    });
}

fn write_oid(writer: DERWriter<'_>, identifier: &[u64]) {
    writer.write_oid(&ObjectIdentifier::from_slice(identifier));
}
