//! `CertificateSubjectRestriction`: nobody becomes a superuser by a certificate of the signer for clients.

use std::future::ready;

use klient_apimachinery::BoxFuture;
use klient_apimachinery::values::{Map, text_at};

use super::{Attributes, Plugin};
use crate::auth::SUPERUSERS;
use crate::certificates::{CertificateRequest, KUBE_API_SERVER_CLIENT};
use crate::status::{Failure, Result};

/// The admission plugin.
pub(crate) struct CertificateSubjectRestriction;

impl Plugin for CertificateSubjectRestriction {
    fn validate<'a>(
        &'a self,
        attributes: &'a Attributes<'_>,
        object: Option<&'a Map>,
    ) -> BoxFuture<'a, Result<()>> {
        let object = object.filter(|_| attributes.is_signing_request(None));
        Box::pin(ready(object.map_or(Ok(()), |object| check(attributes, object))))
    }
}

fn check(attributes: &Attributes<'_>, object: &Map) -> Result<()> {
    if text_at(object, &["spec", "signerName"]) != KUBE_API_SERVER_CLIENT {
        return Ok(());
    }
    let target = attributes.resource.target(attributes.name);
    let request = CertificateRequest::of(object)
        .map_err(|problem| Failure::forbidden(&target, &format!("failed to parse CSR: {problem}")))?;
    if request.subject.organizations.iter().any(|group| group == SUPERUSERS) {
        let problem =
            format!("use of {KUBE_API_SERVER_CLIENT} signer with {SUPERUSERS} group is not allowed");
        return Err(Failure::forbidden(&target, &problem));
    }
    Ok(())
}
