//! Resources: [`ResourceInfo`], [`Resource`], [`Kind`].

use std::borrow::Cow;
use std::fmt;

use crate::codec::Wire;
use crate::meta::v1::{GroupVersionKind, GroupVersionResource};
use crate::object::{Metadata, Object};
use crate::scope::Scope;
use crate::verbs;

/// The names and the scope of an API resource: known at compile time for built-in kinds, from discovery for others.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ResourceInfo {
    /// The API group; empty for the core group.
    pub group: Cow<'static, str>,
    /// The version, such as `v1`.
    pub version: Cow<'static, str>,
    /// The kind, such as `Deployment`.
    pub kind: Cow<'static, str>,
    /// The plural, such as `deployments`, as in URLs.
    pub plural: Cow<'static, str>,
    /// True if the resource is namespaced, false if it is cluster-scoped.
    pub namespaced: bool,
}

impl ResourceInfo {
    /// The names of a resource known at compile time.
    pub const fn from_static(
        group: &'static str,
        version: &'static str,
        kind: &'static str,
        plural: &'static str,
        namespaced: bool,
    ) -> Self {
        Self {
            group: Cow::Borrowed(group),
            version: Cow::Borrowed(version),
            kind: Cow::Borrowed(kind),
            plural: Cow::Borrowed(plural),
            namespaced,
        }
    }

    /// `v1` or `apps/v1`, as in `apiVersion`.
    pub fn api_version(&self) -> String {
        api_version(&self.group, &self.version)
    }

    /// The group, version and kind.
    pub fn group_version_kind(&self) -> GroupVersionKind {
        GroupVersionKind::new(&*self.group, &*self.version, &*self.kind)
    }

    /// The group, version and plural.
    pub fn group_version_resource(&self) -> GroupVersionResource {
        GroupVersionResource::new(&*self.group, &*self.version, &*self.plural)
    }

    /// The plural with its group, as kubectl and the server print it: `deployments.apps`, `pods`.
    pub fn group_resource(&self) -> String {
        qualified(&self.plural, &self.group)
    }

    /// The kind in lower case with its group, as kubectl prints it: `deployment.apps`, `pod`.
    pub fn qualified_kind(&self) -> String {
        qualified(&self.kind.to_lowercase(), &self.group)
    }
}

impl fmt::Debug for ResourceInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.api_version(), self.plural)
    }
}

pub(crate) fn api_version(group: &str, version: &str) -> String {
    if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") }
}

pub(crate) fn qualified(name: &str, group: &str) -> String {
    if group.is_empty() { name.to_owned() } else { format!("{name}.{group}") }
}

/// A kind with the names of the resource that serves it.
#[diagnostic::on_unimplemented(
    message = "it is not known where objects of `{Self}` are served",
    label = "this is no resource of the Kubernetes API",
    note = "declare the struct of a custom resource with `klient::custom_resource!`",
    note = "resources that are found at run time have handles of their own: `client.dynamic(..)`"
)]
pub trait Resource: Object {
    /// The scope: [`Namespaced`](crate::Namespaced) or [`Cluster`](crate::Cluster).
    type Scope: Scope;

    /// The group, version, kind and plural under which the API server serves it.
    const INFO: ResourceInfo;
}

/// A kind with the verbs of an ordinary resource, for code that works on any kind: built-in types and those of
/// [`custom_resource!`](crate::custom_resource). It does not require `deletecollection`, which namespaces lack; kinds
/// that lack another verb, such as `TokenReview` and `Binding`, do not implement it.
///
/// ```
/// use klient_apimachinery::Kind;
///
/// /// Marks an object as managed by this program, and tells whether that changed it.
/// fn ensure_label<K: Kind>(object: &mut K) -> bool {
///     let labels = &mut object.metadata_mut().labels;
///     labels.insert("app.kubernetes.io/managed-by", "shop".into()).as_deref() != Some("shop")
/// }
/// ```
pub trait Kind:
    Resource
    + Metadata
    + Wire
    + Clone
    + Default
    + fmt::Debug
    + verbs::Create
    + verbs::Delete
    + verbs::Get
    + verbs::List
    + verbs::Patch
    + verbs::Update
    + verbs::Watch
{
}

impl<K> Kind for K where
    K: Resource
        + Metadata
        + Wire
        + Clone
        + Default
        + fmt::Debug
        + verbs::Create
        + verbs::Delete
        + verbs::Get
        + verbs::List
        + verbs::Patch
        + verbs::Update
        + verbs::Watch
{
}
