//! Admission: plugins that see every write before it is validated and stored, and may change or reject it.
//!
//! Plugins may wait, as webhooks do: no lock is held meanwhile. If the object changes in between, an update is
//! retried with the new state.

mod certificate_approval;
mod certificate_signing;
mod certificate_subject_restriction;
mod namespace_lifecycle;
mod role_escalation;
#[cfg(test)]
mod tests;

use std::future::ready;
use std::sync::Arc;

use klient_apimachinery::BoxFuture;

pub(crate) use certificate_approval::CertificateApproval;
pub(crate) use certificate_signing::CertificateSigning;
pub(crate) use certificate_subject_restriction::CertificateSubjectRestriction;
use klient_apimachinery::values::Map;
pub(crate) use namespace_lifecycle::NamespaceLifecycle;
pub(crate) use role_escalation::RoleEscalation;

use crate::auth::User;
use crate::registry::Resource;
use crate::status::Result;

/// The operation of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Create,
    Update,
    Delete,
}

/// The attributes of a write for plugins, besides its object.
#[derive(Clone, Copy)]
pub(crate) struct Attributes<'a> {
    pub(crate) operation: Operation,
    pub(crate) resource: &'a Resource,
    /// The subresource that is written.
    pub(crate) subresource: Option<&'a str>,
    pub(crate) namespace: Option<&'a str>,
    /// Empty if the server generates the name.
    pub(crate) name: &'a str,
    /// The user of the request; `None` for writes of the server itself.
    pub(crate) user: Option<&'a User>,
    /// The object before an update, when it is validated.
    pub(crate) old: Option<&'a Map>,
}

impl Attributes<'_> {
    /// Returns true if a CertificateSigningRequest is written, or this subresource of one.
    fn is_signing_request(&self, subresource: Option<&str>) -> bool {
        let info = &self.resource.info;
        info.group == "certificates.k8s.io"
            && info.plural == "certificatesigningrequests"
            && self.subresource == subresource
    }
}

/// An admission plugin, with upstream's name. As upstream, all plugins admit before the object is prepared and
/// validated, and all validate before it is stored.
pub(crate) trait Plugin: Send + Sync {
    /// Changes or rejects an object, which is in the version of the request. There is none in a delete.
    ///
    /// # Errors
    ///
    /// The rejection.
    fn admit<'a>(
        &'a self,
        _attributes: &'a Attributes<'_>,
        _object: Option<&'a mut Map>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(ready(Ok(())))
    }

    /// Validates an object in the form to be stored.
    ///
    /// # Errors
    ///
    /// The rejection.
    fn validate<'a>(
        &'a self,
        _attributes: &'a Attributes<'_>,
        _object: Option<&'a Map>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(ready(Ok(())))
    }
}

/// The plugins of a server, in their order.
#[derive(Clone)]
pub(crate) struct Chain(Arc<[Arc<dyn Plugin>]>);

impl Chain {
    pub(crate) fn new(plugins: Vec<Arc<dyn Plugin>>) -> Self {
        Chain(plugins.into())
    }

    /// Runs the mutating part of all plugins.
    ///
    /// # Errors
    ///
    /// The first rejection.
    pub(crate) async fn admit(
        &self,
        attributes: &Attributes<'_>,
        mut object: Option<&mut Map>,
    ) -> Result<()> {
        for plugin in &*self.0 {
            plugin.admit(attributes, object.as_deref_mut()).await?;
        }
        Ok(())
    }

    /// Runs the validating part of all plugins.
    ///
    /// # Errors
    ///
    /// The first rejection.
    pub(crate) async fn validate(&self, attributes: &Attributes<'_>, object: Option<&Map>) -> Result<()> {
        for plugin in &*self.0 {
            plugin.validate(attributes, object).await?;
        }
        Ok(())
    }
}
