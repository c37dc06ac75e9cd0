//! `CertificateApproval`: certificates are approved and denied by users who may `approve` for their signer.

use std::future::ready;
use std::sync::Arc;

use klient_apimachinery::BoxFuture;
use klient_apimachinery::go::quoted;
use klient_apimachinery::values::{Map, text_at};

use super::{Attributes, Operation, Plugin};
use crate::auth::{self, Rbac, User};
use crate::registry::Registry;
use crate::status::{Failure, Result};
use crate::storage::Storage;

/// The admission plugin.
pub(crate) struct CertificateApproval {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) registry: Arc<Registry>,
}

impl Plugin for CertificateApproval {
    fn validate<'a>(
        &'a self,
        attributes: &'a Attributes<'_>,
        _object: Option<&'a Map>,
    ) -> BoxFuture<'a, Result<()>> {
        let is_approval =
            attributes.operation == Operation::Update && attributes.is_signing_request(Some("approval"));
        let rbac = Rbac { store: &*self.storage, registry: &self.registry };
        Box::pin(ready(if is_approval { check(&rbac, attributes, "approve") } else { Ok(()) }))
    }
}

/// Checks that the user of a write may do this for the signer of a CertificateSigningRequest.
///
/// # Errors
///
/// 403 if not.
pub(super) fn check(rbac: &Rbac<'_>, attributes: &Attributes<'_>, verb: &str) -> Result<()> {
    let Attributes { resource, name, old: Some(old), request, .. } = *attributes else { return Ok(()) };
    let Some(user) = request.user else { return Ok(()) };
    let signer = text_at(old, &["spec", "signerName"]);
    if is_authorized(rbac, user, verb, signer) {
        return Ok(());
    }
    let problem = format!("user not permitted to {verb} requests with signerName {}", quoted(signer));
    Err(Failure::forbidden(&resource.target(name), &problem))
}

/// Returns true if a user is authorized for a signer, or for all signers of its domain.
fn is_authorized(rbac: &Rbac<'_>, user: &User, verb: &str, signer: &str) -> bool {
    let domain = signer.split('/').next().unwrap_or_default();
    [signer.to_owned(), format!("{domain}/*")].into_iter().any(|name| {
        let attributes = auth::Attributes {
            verb: verb.to_owned(),
            group: "certificates.k8s.io".to_owned(),
            resource: "signers".to_owned(),
            name,
            ..auth::Attributes::default()
        };
        rbac.allows(user, &attributes)
    })
}
