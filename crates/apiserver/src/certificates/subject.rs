//! [`Subject`], the parts of a certificate's subject that identify a user.

use x509_parser::x509::X509Name;
use yasna::models::ObjectIdentifier;

/// The attribute of a subject that is the UID of a user: that of Kubernetes, `uid`.
const UID: &str = "1.3.6.1.4.1.57683.2";

/// Attributes, by their number below 2.5.4.
const COMMON_NAME: u64 = 3;
const SERIAL_NUMBER: u64 = 5;
const ORGANIZATION: u64 = 10;

/// The attributes of an issued certificate, which are those of Go's `pkix.Name`, in its order: country, organization, its
/// unit, locality, province, street, postal code, common name, serial number.
const ISSUED: [u64; 9] = [6, ORGANIZATION, 11, 7, 8, 9, 17, COMMON_NAME, SERIAL_NUMBER];

/// The parts of a subject that identify a user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Subject {
    pub(crate) common_name: String,
    pub(crate) organizations: Vec<String>,
    pub(crate) uids: Vec<String>,
}

impl Subject {
    pub(crate) fn of(name: &X509Name<'_>) -> Self {
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        let uids = name.iter_attributes().filter(|attribute| attribute.attr_type().to_id_string() == UID);
        Subject {
            // As Go, which takes the last one.
            common_name: name.iter_common_name().last().map(|name| text(name.as_slice())).unwrap_or_default(),
            organizations: name.iter_organization().map(|name| text(name.as_slice())).collect(),
            uids: uids.map(|uid| text(uid.as_slice())).collect(),
        }
    }
}

/// The DER of the subject of the certificate that is issued for a requested subject, as Go encodes it.
pub(crate) fn issued(name: &X509Name<'_>) -> Vec<u8> {
    let parts = ISSUED.map(|number| {
        let id = format!("2.5.4.{number}");
        let attributes =
            name.iter_attributes().filter(|attribute| attribute.attr_type().to_id_string() == id);
        let mut values: Vec<&str> =
            attributes.filter_map(|attribute| str::from_utf8(attribute.as_slice()).ok()).collect();
        if matches!(number, COMMON_NAME | SERIAL_NUMBER) {
            // As Go, which takes the last one.
            values.drain(..values.len().saturating_sub(1));
        }
        (number, values)
    });
    encode(&parts)
}

/// The DER of a subject with a common name and organizations.
pub(crate) fn distinguished_name(common_name: &str, organizations: &[String]) -> Vec<u8> {
    let organizations = organizations.iter().map(String::as_str).collect();
    encode(&[(ORGANIZATION, organizations), (COMMON_NAME, vec![common_name])])
}

/// The DER of attributes with their values. All values of an attribute are one set, which DER sorts.
fn encode(parts: &[(u64, Vec<&str>)]) -> Vec<u8> {
    yasna::construct_der(|writer| {
        writer.write_sequence(|writer| {
            for (number, values) in parts.iter().filter(|(_, values)| !values.is_empty()) {
                writer.next().write_set_of(|writer| {
                    for value in values {
                        writer.next().write_sequence(|writer| {
                            let oid = ObjectIdentifier::from_slice(&[2, 5, 4, *number]);
                            writer.next().write_oid(&oid);
                            if is_printable(value) {
                                writer.next().write_printable_string(value);
                            } else {
                                writer.next().write_utf8_string(value);
                            }
                        });
                    }
                });
            }
        });
    })
}

/// Returns true for the characters of a PrintableString.
fn is_printable(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&byte))
}
