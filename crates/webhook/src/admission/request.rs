//! [`Request`], a write that a handler decides on.

use std::fmt;
use std::time::Instant;

use klient_api::admission::v1::AdmissionRequest;
use klient_api::authentication::v1::UserInfo;
use klient_apimachinery::codec::Wire;
use klient_apimachinery::go::quoted;
use klient_apimachinery::meta::Reason;
use klient_apimachinery::meta::v1::{GroupVersionKind, GroupVersionResource};
use klient_apimachinery::{RawExtension, Str};

use super::verdict::Denied;

/// The operation of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// An object is created.
    Create,
    /// An object is updated, patched or applied.
    Update,
    /// An object is deleted.
    Delete,
    /// A connection to an object, such as `kubectl exec`.
    Connect,
}

impl Operation {
    /// The value in reviews and rules, such as `CREATE`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Operation::Create => "CREATE",
            Operation::Update => "UPDATE",
            Operation::Delete => "DELETE",
            Operation::Connect => "CONNECT",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Operation::Create, Operation::Update, Operation::Delete, Operation::Connect]
            .into_iter()
            .find(|operation| operation.as_str() == text)
    }
}

/// The value in reviews and rules.
impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A write that a handler decides on: the request of an AdmissionReview.
#[non_exhaustive]
pub struct Request<K> {
    /// The identifier of this call.
    pub uid: Str,
    /// The operation.
    pub operation: Operation,
    /// The object as it will be written; `None` for [`Operation::Delete`]. Of a subresource such as `scale` it is of another
    /// kind, for which there are dynamic webhooks.
    pub object: Option<K>,
    /// The object that there is; `None` for [`Operation::Create`] and [`Operation::Connect`].
    pub old_object: Option<K>,
    /// The name; `None` for an object whose name the server will generate.
    pub name: Option<Str>,
    /// The namespace; `None` for a cluster-scoped object.
    pub namespace: Option<Str>,
    /// The kind of the objects.
    pub kind: GroupVersionKind,
    /// The resource.
    pub resource: GroupVersionResource,
    /// The subresource, such as `status`.
    pub sub_resource: Option<Str>,
    /// The kind of the user's request, which may be of another version.
    pub request_kind: Option<GroupVersionKind>,
    /// The resource of the user's request.
    pub request_resource: Option<GroupVersionResource>,
    /// The subresource of the user's request.
    pub request_sub_resource: Option<Str>,
    /// The user who writes.
    pub user_info: UserInfo,
    /// True if nothing will be stored: side effects are to be left out.
    pub dry_run: bool,
    /// The options of the request, such as `CreateOptions`.
    pub options: Option<RawExtension>,
    /// The time at which the server stops to wait for the answer. The handler is cancelled before it.
    pub deadline: Instant,
}

impl<K> Request<K> {
    /// The object, or the one that is deleted.
    pub fn subject(&self) -> Option<&K> {
        self.object.as_ref().or(self.old_object.as_ref())
    }
}

impl<K: Wire> Request<K> {
    /// Decodes the objects of a request, and returns the object as it was received, too.
    ///
    /// # Errors
    ///
    /// 400 if one of them is of another kind, or has a field of another type.
    pub(super) fn read(
        request: AdmissionRequest,
        deadline: Instant,
    ) -> Result<(Self, Option<RawExtension>), Denied> {
        let decode = |field: &str, object: Option<&RawExtension>| match object {
            None => Ok(None),
            Some(object) if object.as_str() == "null" => Ok(None),
            Some(object) => K::from_json(object.as_str().as_bytes())
                .map(Some)
                .map_err(|error| Denied::of(Reason::BadRequest, format!("request.{field}: {error}"))),
        };
        let operation = Operation::parse(&request.operation).ok_or_else(|| {
            let problem = format!("request.operation: {} is not known", quoted(&request.operation));
            Denied::of(Reason::BadRequest, problem)
        })?;
        let given = |text: Option<Str>| text.filter(|text| !text.is_empty());
        let read = Request {
            operation,
            object: decode("object", request.object.as_ref())?,
            old_object: decode("oldObject", request.old_object.as_ref())?,
            uid: request.uid,
            name: given(request.name),
            namespace: given(request.namespace),
            kind: request.kind,
            resource: request.resource,
            sub_resource: given(request.sub_resource),
            request_kind: request.request_kind.map(|kind| *kind),
            request_resource: request.request_resource.map(|resource| *resource),
            request_sub_resource: given(request.request_sub_resource),
            user_info: request.user_info,
            dry_run: request.dry_run.unwrap_or_default(),
            options: request.options,
            deadline,
        };
        Ok((read, request.object))
    }
}

/// The operation, the kind and the name: the contents may be secret.
impl<K> fmt::Debug for Request<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ", self.operation, self.kind.kind)?;
        if let Some(namespace) = &self.namespace {
            write!(f, "{namespace}/")?;
        }
        f.write_str(self.name.as_deref().unwrap_or_default())
    }
}
