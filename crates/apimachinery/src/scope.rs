//! Scopes of resources, and the namespaces of handles: [`Scope`], [`Place`].

/// Cluster-scoped or namespaced.
pub trait Scope: Send + Sync + 'static {
    /// The place of a handle before `.namespace(…)`: all namespaces, or the cluster.
    type Root: Place + Default;

    /// True for namespaced resources, false for cluster-scoped ones.
    const NAMESPACED: bool;
}

/// The scope of kinds with namespaced objects: [`Namespaced`].
#[diagnostic::on_unimplemented(
    message = "objects of a cluster-scoped kind live in no namespace",
    label = "leave out `.namespace(…)`"
)]
pub trait NamespacedScope: Scope {}

impl NamespacedScope for Namespaced {}

/// The scope of cluster-scoped kinds.
#[derive(Clone, Copy, Debug)]
pub struct Cluster;

/// The scope of namespaced kinds.
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

/// The place of a handle's requests: the cluster, all namespaces, or one.
pub trait Place: Clone + Send + Sync + 'static {
    /// The one namespace, if it is one.
    fn namespace(&self) -> Option<&str>;
}

/// The scope of requests for cluster-scoped objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WholeCluster;

/// All namespaces: objects can be listed and watched, but not addressed by name.
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

/// A place in which a single object can be addressed by name.
#[diagnostic::on_unimplemented(
    message = "one object of a namespaced kind needs a namespace",
    label = "this handle spans all namespaces",
    note = "say which one with `.namespace(\"…\")`"
)]
pub trait Addressable: Place {}

impl Addressable for WholeCluster {}
impl Addressable for InNamespace {}

/// An argument for one namespace or all of them: `"shop"` or [`AllNamespaces`].
pub trait IntoPlace {
    /// The resulting place.
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
