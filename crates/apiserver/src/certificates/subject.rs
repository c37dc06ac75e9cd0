//! [`Subject`], the parts of a certificate's subject that identify a user.

use x509_parser::x509::X509Name;
use yasna::models::ObjectIdentifier;

/// The attribute of a subject that is the UID of a user: that of Kubernetes, `uid`.
const UID: &str = "1.3.6.1.4.1.57683.2";

const COMMON_NAME: [u64; 4] = [2, 5, 4, 3];
const ORGANIZATION: [u64; 4] = [2, 5, 4, 10];

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

/// The DER of a subject with a common name and organizations.
pub(crate) fn distinguished_name(common_name: &str, organizations: &[String]) -> Vec<u8> {
    let organizations = organizations.iter().map(|organization| (&ORGANIZATION, organization.as_str()));
    yasna::construct_der(|writer| {
        writer.write_sequence(|writer| {
            for (ty, value) in organizations.chain([(&COMMON_NAME, common_name)]) {
                writer.next().write_set(|writer| {
                    writer.next().write_sequence(|writer| {
                        writer.next().write_oid(&ObjectIdentifier::from_slice(ty));
                        writer.next().write_utf8_string(value);
                    });
                });
            }
        });
    })
}
