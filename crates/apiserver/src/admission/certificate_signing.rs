//! `CertificateSigning`: certificates are signed by users who may `sign` for their signer.

use std::future::ready;
use std::sync::Arc;

use klient_apimachinery::BoxFuture;
use klient_apimachinery::values::{Map, at};

use super::certificate_approval::check;
use super::{Attributes, Operation, Plugin};
use crate::auth::Rbac;
use crate::registry::Registry;
use crate::status::Result;
use crate::storage::Storage;

/// The admission plugin.
pub(crate) struct CertificateSigning {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) registry: Arc<Registry>,
}

impl Plugin for CertificateSigning {
    fn validate<'a>(
        &'a self,
        attributes: &'a Attributes<'_>,
        object: Option<&'a Map>,
    ) -> BoxFuture<'a, Result<()>> {
        let is_status =
            attributes.operation == Operation::Update && attributes.is_signing_request(Some("status"));
        let rbac = Rbac { store: &*self.storage, registry: &self.registry };
        let is_signed = is_status && changes_status(object, attributes.old);
        Box::pin(ready(if is_signed { check(&rbac, attributes, "sign") } else { Ok(()) }))
    }
}

/// Returns true if the certificate or a condition changes.
fn changes_status(new: Option<&Map>, old: Option<&Map>) -> bool {
    let (Some(new), Some(old)) = (new, old) else { return false };
    ["certificate", "conditions"]
        .iter()
        .any(|field| at(new, &["status", field]) != at(old, &["status", field]))
}
