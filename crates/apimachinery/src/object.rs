//! What every object and every resource has: [`Object`], [`Resource`], [`ResourceInfo`].

use std::borrow::Cow;
use std::fmt;

use crate::Time;
use crate::codec::Wire;
use crate::meta::v1::{GroupVersionKind, GroupVersionResource, ObjectMeta, OwnerReference};

/// Read access to the metadata of an API object, whatever its kind.
///
/// Built-in types, [`Unstructured`](crate::Unstructured), `PartialObjectMetadata`, objects of
/// [`custom_resource!`](crate::custom_resource) and the handles of caches implement it. Those whose metadata is an
/// [`ObjectMeta`], which are all but `Unstructured`, have [`Metadata`] too, to change it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no object of the Kubernetes API",
    label = "this has no metadata that klient knows of",
    note = "declare the struct of a custom resource with `klient::custom_resource!`",
    note = "`klient::Unstructured` is an object of any kind"
)]
pub trait Object: Send + Sync + 'static {
    /// `metadata.name`; empty for one that has not been named yet.
    fn name(&self) -> &str;

    /// `metadata.namespace`; `None` for cluster-scoped objects.
    fn namespace(&self) -> Option<&str>;

    /// `metadata.uid`; empty before the object is created.
    fn uid(&self) -> &str;

    /// `metadata.resourceVersion`; empty before the object is created.
    fn resource_version(&self) -> &str;

    /// `metadata.labels`.
    fn labels(&self) -> impl Iterator<Item = (&str, &str)>;

    /// `metadata.annotations`.
    fn annotations(&self) -> impl Iterator<Item = (&str, &str)>;

    /// `metadata.finalizers`.
    fn finalizers(&self) -> impl Iterator<Item = &str>;

    /// `metadata.ownerReferences`.
    fn owner_references(&self) -> Cow<'_, [OwnerReference]>;

    /// `metadata.generation`: the version of the desired state, for kinds that count it.
    fn generation(&self) -> Option<i64>;

    /// `metadata.deletionTimestamp`: set once the object is being deleted and waits for its finalizers or its grace
    /// period.
    fn deletion_timestamp(&self) -> Option<Time>;

    /// The owner whose `controller` is true, as metav1.GetControllerOf.
    fn controller(&self) -> Option<OwnerReference> {
        self.owner_references().iter().find(|owner| owner.controller == Some(true)).cloned()
    }
}

/// An object whose metadata is an [`ObjectMeta`]: built-in types, `PartialObjectMetadata`, and what
/// [`custom_resource!`](crate::custom_resource) declares.
pub trait Metadata: Object {
    /// The object's metadata.
    fn metadata(&self) -> &ObjectMeta;

    /// The object's metadata, to be changed.
    fn metadata_mut(&mut self) -> &mut ObjectMeta;
}

/// A kind with the verbs of an ordinary resource, for code that works on any kind: built-in types and those of
/// [`custom_resource!`](crate::custom_resource). It does not ask for `deletecollection`, which namespaces lack; kinds
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

impl Object for ObjectMeta {
    fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref().filter(|namespace| !namespace.is_empty())
    }

    fn uid(&self) -> &str {
        self.uid.as_deref().unwrap_or_default()
    }

    fn resource_version(&self) -> &str {
        self.resource_version.as_deref().unwrap_or_default()
    }

    fn labels(&self) -> impl Iterator<Item = (&str, &str)> {
        self.labels.iter().map(|(key, value)| (key, value.as_str()))
    }

    fn annotations(&self) -> impl Iterator<Item = (&str, &str)> {
        self.annotations.iter().map(|(key, value)| (key, value.as_str()))
    }

    fn finalizers(&self) -> impl Iterator<Item = &str> {
        self.finalizers.iter().map(crate::Str::as_str)
    }

    fn owner_references(&self) -> Cow<'_, [OwnerReference]> {
        Cow::Borrowed(&self.owner_references)
    }

    fn generation(&self) -> Option<i64> {
        self.generation
    }

    fn deletion_timestamp(&self) -> Option<Time> {
        self.deletion_timestamp
    }
}

/// What discovery says of a resource; known at compile time for built-in kinds, found at run time for others.
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
    /// Whether objects live in namespaces.
    pub namespaced: bool,
}

impl ResourceInfo {
    /// Of a resource known at compile time.
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

/// A kind that is served under a known name.
#[diagnostic::on_unimplemented(
    message = "it is not known where objects of `{Self}` are served",
    label = "this is no resource of the Kubernetes API",
    note = "declare the struct of a custom resource with `klient::custom_resource!`",
    note = "resources that are found at run time have handles of their own: `client.dynamic(..)`"
)]
pub trait Resource: Object {
    /// Whether its objects live in namespaces.
    type Scope: Scope;

    /// Where it is served.
    const INFO: ResourceInfo;
}

/// Cluster-scoped or namespaced.
pub trait Scope: Send + Sync + 'static {
    /// Where a handle points before a namespace is named.
    type Root: Place + Default;

    /// Whether objects live in namespaces.
    const NAMESPACED: bool;
}

/// The scope of kinds that live outside namespaces.
#[derive(Clone, Copy, Debug)]
pub struct Cluster;

/// The scope of kinds that live in namespaces.
#[derive(Clone, Copy, Debug)]
pub struct Namespaced;

impl Cluster {
    /// See [`Scope::NAMESPACED`].
    pub const NAMESPACED: bool = false;
}

impl Namespaced {
    /// See [`Scope::NAMESPACED`].
    pub const NAMESPACED: bool = true;
}

impl Scope for Cluster {
    type Root = WholeCluster;
    const NAMESPACED: bool = false;
}

impl Scope for Namespaced {
    type Root = AllNamespaces;
    const NAMESPACED: bool = true;
}

/// Where a handle points.
pub trait Place: Clone + Send + Sync + 'static {
    /// The one namespace, if it is one.
    fn namespace(&self) -> Option<&str>;
}

/// The place of cluster-scoped objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WholeCluster;

/// All namespaces at once: objects can be listed and watched there, but not named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AllNamespaces;

/// One namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InNamespace(pub Box<str>);

impl Place for WholeCluster {
    fn namespace(&self) -> Option<&str> {
        None
    }
}

impl Place for AllNamespaces {
    fn namespace(&self) -> Option<&str> {
        None
    }
}

impl Place for InNamespace {
    fn namespace(&self) -> Option<&str> {
        Some(&self.0)
    }
}

/// A place in which one object can be named.
#[diagnostic::on_unimplemented(
    message = "one object of a namespaced kind needs a namespace",
    label = "this handle spans all namespaces",
    note = "say which one with `.namespace(\"…\")`"
)]
pub trait Addressable: Place {}

impl Addressable for WholeCluster {}
impl Addressable for InNamespace {}

/// What can be given where a namespace or all of them are asked for: `"shop"` or [`AllNamespaces`].
pub trait IntoPlace {
    /// What it becomes.
    type Place: Place;

    /// The place.
    fn into_place(self) -> Self::Place;
}

impl IntoPlace for AllNamespaces {
    type Place = AllNamespaces;

    fn into_place(self) -> AllNamespaces {
        self
    }
}

impl<T: Into<Box<str>>> IntoPlace for T {
    type Place = InNamespace;

    fn into_place(self) -> InNamespace {
        InNamespace(self.into())
    }
}

/// Which verbs the API server offers for a kind; implemented by generated code from discovery's facts.
pub mod verbs {
    /// One object can be read.
    #[diagnostic::on_unimplemented(
        message = "`{Self}` has no verb `get`",
        note = "the API server does not offer it for this resource"
    )]
    pub trait Get {}

    /// Objects can be listed.
    #[diagnostic::on_unimplemented(
        message = "`{Self}` has no verb `list`",
        note = "the API server does not offer it for this resource"
    )]
    pub trait List {}

    /// Objects can be watched.
    #[diagnostic::on_unimplemented(
        message = "`{Self}` has no verb `watch`",
        note = "the API server does not offer it for this resource"
    )]
    pub trait Watch {}

    /// Objects can be created.
    #[diagnostic::on_unimplemented(
        message = "`{Self}` has no verb `create`",
        note = "the API server does not offer it for this resource"
    )]
    pub trait Create {}

    /// Objects can be replaced.
    #[diagnostic::on_unimplemented(
        message = "`{Self}` has no verb `update`",
        note = "the API server does not offer it for this resource"
    )]
    pub trait Update {}

    /// Objects can be patched.
    #[diagnostic::on_unimplemented(
        message = "`{Self}` has no verb `patch`",
        note = "the API server does not offer it for this resource"
    )]
    pub trait Patch {}

    /// Objects can be deleted.
    #[diagnostic::on_unimplemented(
        message = "`{Self}` has no verb `delete`",
        note = "the API server does not offer it for this resource"
    )]
    pub trait Delete {}

    /// Many objects can be deleted at once.
    #[diagnostic::on_unimplemented(
        message = "`{Self}` has no verb `deletecollection`",
        note = "the API server does not offer it for this resource"
    )]
    pub trait DeleteCollection {}

    /// The kind has a status that is written apart.
    #[diagnostic::on_unimplemented(
        message = "`{Self}` has no subresource `status`",
        note = "the API server does not offer it for this resource"
    )]
    pub trait Status {}

    /// The kind can be scaled.
    #[diagnostic::on_unimplemented(
        message = "`{Self}` has no subresource `scale`",
        note = "the API server does not offer it for this resource"
    )]
    pub trait Scale {}
}
