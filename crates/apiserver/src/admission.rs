//! Admission: plugins that see every write before it is validated and stored, and may change or reject it.
//!
//! Plugins may wait, as webhooks do: no lock is held meanwhile. If the object changes in between, an update is
//! retried with the new state.

mod certificate_approval;
mod certificate_signing;
mod certificate_subject_restriction;
mod conditions;
mod evaluation;
pub(crate) mod matching;
mod namespace_lifecycle;
mod patched;
mod policies;
mod policy_parameters;
pub(crate) mod registrations;
mod reinvocation;
mod role_escalation;
#[cfg(test)]
mod tests;
mod webhooks;

use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use klient_apimachinery::BoxFuture;
use klient_apimachinery::schema::Schema;
use klient_apimachinery::values::Map;
use tokio::time::Instant;

pub(crate) use certificate_approval::CertificateApproval;
pub(crate) use certificate_signing::CertificateSigning;
pub(crate) use certificate_subject_restriction::CertificateSubjectRestriction;
pub(crate) use namespace_lifecycle::NamespaceLifecycle;
pub(crate) use policies::{MutatingAdmissionPolicy, Sources, ValidatingAdmissionPolicy};
pub(crate) use policy_parameters::PolicyParameters;
pub(crate) use reinvocation::Reinvocation;
pub(crate) use role_escalation::RoleEscalation;
pub(crate) use webhooks::{Caller, MutatingAdmissionWebhook, ValidatingAdmissionWebhook};

use crate::auth::User;
use crate::handlers::options::WriteOptions;
use crate::registry::deletion::Deletion;
use crate::registry::{GroupVersionKind, Resource};
use crate::status::{Failure, Result};
use crate::warnings::Warnings;

/// The operation of a write, or the connection to a subresource such as `exec`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Create,
    Update,
    Delete,
    Connect,
}

impl Operation {
    /// The word in the rules of webhooks and policies.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Operation::Create => "CREATE",
            Operation::Update => "UPDATE",
            Operation::Delete => "DELETE",
            Operation::Connect => "CONNECT",
        }
    }
}

/// The request that a write is part of.
#[derive(Clone, Copy)]
pub(crate) struct RequestContext<'a> {
    /// The user; `None` for writes of the server itself, which no webhook and no policy sees.
    pub(crate) user: Option<&'a User>,
    pub(crate) dry_run: bool,
    pub(crate) options: OperationOptions<'a>,
    /// Warnings for the client.
    pub(crate) warnings: &'a Warnings,
    /// The time at which the request is given up.
    pub(crate) deadline: Instant,
}

/// The time after which a request is given up, as upstream.
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(34);

impl<'a> RequestContext<'a> {
    /// A write that the server makes itself.
    pub(crate) fn of_server(warnings: &'a Warnings) -> Self {
        let deadline = Instant::now() + REQUEST_TIMEOUT;
        RequestContext { user: None, dry_run: false, options: OperationOptions::None, warnings, deadline }
    }

    /// Lets other requests go on, after work of a request that did not wait for anything.
    ///
    /// # Errors
    ///
    /// 504 if the deadline has passed.
    pub(crate) async fn pause(&self) -> Result<()> {
        tokio::task::yield_now().await;
        self.check_deadline()
    }

    /// Checks that the request is not given up.
    ///
    /// # Errors
    ///
    /// 504 if the deadline has passed.
    pub(crate) fn check_deadline(&self) -> Result<()> {
        if Instant::now() < self.deadline {
            return Ok(());
        }
        Err(Failure::deadline_exceeded())
    }
}

/// The options of a request.
#[derive(Clone, Copy)]
pub(crate) enum OperationOptions<'a> {
    None,
    Write(&'a WriteOptions),
    Delete(&'a Deletion),
}

/// The attributes of a write for plugins, besides its object.
#[derive(Clone, Copy)]
pub(crate) struct Attributes<'a> {
    pub(crate) operation: Operation,
    /// The resource of the request.
    pub(crate) resource: &'a Arc<Resource>,
    /// The resource in whose version the object and the old object are: that of the request when they are admitted,
    /// and that in which they are stored when they are validated.
    pub(crate) form: &'a Arc<Resource>,
    /// The subresource that is written.
    pub(crate) subresource: Option<&'a str>,
    /// The struct of the object, if the subresource presents one of another kind, such as a Scale.
    pub(crate) presented: Option<&'static Schema>,
    pub(crate) namespace: Option<&'a str>,
    /// Empty when an object is admitted whose name the server generates.
    pub(crate) name: &'a str,
    /// The object before an update, or the deleted one.
    pub(crate) old: Option<&'a Map>,
    pub(crate) request: RequestContext<'a>,
    /// The state of the mutating admission.
    pub(crate) reinvocation: Option<&'a Reinvocation>,
}

impl Attributes<'_> {
    /// The kind of the object.
    pub(crate) fn kind(&self) -> GroupVersionKind {
        self.resource.kind_of(self.subresource)
    }

    /// The namespace as webhooks and policies see it: that of a namespace is the namespace itself. Empty without one.
    pub(crate) fn request_namespace(&self) -> &str {
        if self.resource.is_namespace() { self.name } else { self.namespace.unwrap_or_default() }
    }

    /// The options of the request, as an object of `meta.k8s.io/v1`; `None` for a connection.
    pub(crate) fn options(&self) -> Option<Map> {
        let kind = match self.operation {
            Operation::Create => "CreateOptions",
            Operation::Update => "UpdateOptions",
            Operation::Delete => "DeleteOptions",
            Operation::Connect => return None,
        };
        match self.request.options {
            OperationOptions::Write(options) => Some(options.to_object(kind)),
            OperationOptions::Delete(deletion) => Some(deletion.to_object()),
            OperationOptions::None => None,
        }
    }

    /// Records an annotation of the request, which upstream writes to the audit log.
    pub(crate) fn annotate(&self, key: &str, value: &str) {
        let (resource, name) = (&self.resource.info.plural, self.name);
        tracing::debug!(target: "klient::audit", %resource, name, key, value, "annotation");
    }

    /// Returns true if a CertificateSigningRequest is written, or this subresource of one.
    fn is_signing_request(&self, subresource: Option<&str>) -> bool {
        self.resource.is_built_in("certificates.k8s.io", "certificatesigningrequests")
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

    /// Runs the mutating part of all plugins, and again if a webhook or a policy has changed the object.
    ///
    /// # Errors
    ///
    /// The first rejection.
    pub(crate) async fn admit(
        &self,
        attributes: &Attributes<'_>,
        mut object: Option<&mut Map>,
    ) -> Result<()> {
        let reinvocation = Reinvocation::default();
        let attributes = Attributes { reinvocation: Some(&reinvocation), ..*attributes };
        self.admit_once(&attributes, object.as_deref_mut()).await?;
        if reinvocation.reinvoke() {
            self.admit_once(&attributes, object.as_deref_mut()).await?;
        }
        let warning = object.and_then(|object| reinvocation.check_managed_fields(object));
        attributes.request.warnings.add(warning.into_iter().collect());
        Ok(())
    }

    async fn admit_once(&self, attributes: &Attributes<'_>, mut object: Option<&mut Map>) -> Result<()> {
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
