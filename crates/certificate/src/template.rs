//! [`CertificateTemplate`], the names of a certificate that is requested.

use std::collections::BTreeSet;
use std::net::IpAddr;

use klient_apimachinery::go::quoted;

use crate::certificate::Certificate;
use crate::error::Error;

/// The names that a certificate is to have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateTemplate {
    /// The common name: of a client, its user name.
    pub common_name: String,
    /// The organizations: of a client, its groups.
    pub organizations: Vec<String>,
    /// DNS names of a server.
    pub dns_names: Vec<String>,
    /// IP addresses of a server.
    pub ip_addresses: Vec<IpAddr>,
}

impl CertificateTemplate {
    /// Returns true if a certificate has the common name, and at least the other names. More of them do not matter, since
    /// a signer may add some.
    pub fn is_satisfied_by(&self, certificate: &Certificate) -> bool {
        fn has_all<T: Ord>(has: &[T], wanted: &[T]) -> bool {
            let has: BTreeSet<&T> = has.iter().collect();
            wanted.iter().all(|name| has.contains(name))
        }
        self.common_name == certificate.common_name()
            && has_all(certificate.organizations(), &self.organizations)
            && has_all(certificate.dns_names(), &self.dns_names)
            && has_all(certificate.ip_addresses(), &self.ip_addresses)
    }

    /// Checks that a certificate can have the names.
    ///
    /// # Errors
    ///
    /// If a DNS name is empty or not ASCII.
    pub(crate) fn check(&self) -> Result<(), Error> {
        match self.dns_names.iter().find(|name| name.is_empty() || !name.is_ascii()) {
            None => Ok(()),
            Some(name) => Err(Error::template(format!(
                "DNS name {} of a certificate: it must be ASCII and not empty; write other characters in punycode",
                quoted(name)
            ))),
        }
    }
}
