//! [`RestMapper`], from a name to a resource.

use std::sync::Arc;

use klient_apimachinery::meta::v1::{GroupVersionKind, GroupVersionResource};

use super::api_resource::ApiResource;
use super::no_match::NoMatch;
use super::served::Served;

/// Finds the resource that a name or a kind means, with the priorities of client-go's `restmapper`.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use klient_client::{Client, Config, RestMapper};
/// # let server = klient_apiserver::TestServer::start().await?;
/// # let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
/// let mapper = RestMapper::new(client.discovery().resources().await?);
/// for name in ["deploy", "deployment", "deployments", "Deployment", "deployments.apps", "deployments.v1.apps"] {
///     assert_eq!(mapper.resource(name)?.info.plural, "deployments");
/// }
/// assert!(mapper.kind("apps", "Deployment", None).is_ok());
/// # Ok(()) }
/// ```
#[doc(alias = "RESTMapper")]
#[doc(alias = "DeferredDiscoveryRESTMapper")]
#[derive(Clone, Debug)]
pub struct RestMapper {
    served: Arc<Served>,
}

impl RestMapper {
    /// A mapper of served resources.
    pub fn new(served: impl Into<Arc<Served>>) -> Self {
        RestMapper { served: served.into() }
    }

    /// The groups and resources that the server serves.
    pub fn served(&self) -> &Served {
        &self.served
    }

    /// The resource that an argument of kubectl means: a plural, singular, kind or short name, alone or with a group
    /// (`NAME.GROUP`) or a version and a group (`NAME.VERSION.GROUP`, `NAME.VERSION.` in the core group). Names come
    /// before short names, the core group before others, and of a group the preferred version before others. Where no
    /// group has that name, its beginning is enough (`storageclasses.storage`).
    ///
    /// # Errors
    ///
    /// If it means nothing to the server.
    pub fn resource(&self, name: &str) -> Result<&ApiResource, NoMatch> {
        let (base, group) = name.split_once('.').unwrap_or((name, ""));
        let in_version = group.split_once('.');
        let by_name = |version: &str, group: &str| {
            self.kind_for(&GroupVersionResource::new(group, version, base))
                .ok()
                .and_then(|kind| self.find_kind(&kind.group, &kind.kind, Some(kind.version.as_str())))
        };
        let by_kind = |version: Option<&str>, group: &str| self.find_kind(group, base, version);
        let found = in_version.and_then(|(version, group)| by_name(version, group));
        let found = found.or_else(|| by_name("", group));
        let found = found.or_else(|| in_version.and_then(|(version, group)| by_kind(Some(version), group)));
        // As in kubectl, all behind the first dot is the group here.
        found
            .or_else(|| by_kind(None, group))
            .ok_or_else(|| NoMatch::Resource(base.to_owned(), (!group.is_empty()).then(|| group.to_owned())))
    }

    /// The one resource with a plural, singular or short name (client-go's `ResourceFor`). An empty group or version is
    /// any; where no group has that name, its beginning is enough.
    ///
    /// # Errors
    ///
    /// If it means nothing to the server, or several resources of a group-version
    /// ([`is_ambiguous`](NoMatch::is_ambiguous)).
    pub fn resource_for(&self, partial: &GroupVersionResource) -> Result<&ApiResource, NoMatch> {
        let found = self.matching(partial);
        let Some(first) = found.first() else { return Err(NoMatch::PartialResource(partial.clone())) };
        // The core group comes before those in front of it.
        let first = found.iter().find(|resource| is_core(resource)).unwrap_or(first);
        let of_same_version = |other: &&&ApiResource| is_of_same_version(first, other);
        match found.iter().filter(of_same_version).count() {
            1 => Ok(first),
            _ => Err(NoMatch::AmbiguousResource {
                partial: partial.clone(),
                matching: found.iter().map(|resource| resource.info.group_version_resource()).collect(),
            }),
        }
    }

    /// The kind of a resource with a plural, singular or short name (client-go's `KindFor`). An empty group or version is
    /// any; where no group has that name, its beginning is enough.
    ///
    /// # Errors
    ///
    /// If it means nothing to the server.
    pub fn kind_for(&self, partial: &GroupVersionResource) -> Result<GroupVersionKind, NoMatch> {
        let found = self.matching(partial);
        let first = found.iter().find(|resource| is_core(resource)).or(found.first());
        let first = first.ok_or_else(|| NoMatch::PartialResource(partial.clone()))?;
        // As in client-go, the last of a group-version has the name.
        let last = found.iter().rev().find(|other| is_of_same_version(first, other));
        Ok(last.unwrap_or(first).info.group_version_kind())
    }

    /// The resource that serves a kind: in one version, or in the one the group prefers (client-go's `RESTMapping`).
    ///
    /// # Errors
    ///
    /// If none does.
    pub fn kind(&self, group: &str, kind: &str, version: Option<&str>) -> Result<&ApiResource, NoMatch> {
        self.find_kind(group, kind, version).ok_or_else(|| NoMatch::Kind {
            kind: kind.to_owned(),
            group: group.to_owned(),
            version: version.map(ToOwned::to_owned),
        })
    }

    /// The resources that a short name could mean too, alone or with a group, beside the one that
    /// [`resource`](Self::resource) finds; none where it is the name of a resource.
    pub fn lower_priority(&self, short_name: &str) -> Vec<&ApiResource> {
        let (short, group) = short_name.split_once('.').unwrap_or((short_name, ""));
        let candidates = || {
            let resources = self.served.resources.iter();
            resources.filter(move |resource| group.is_empty() || resource.info.group == group)
        };
        if candidates().any(|resource| has_name(resource, short)) {
            return Vec::new();
        }
        let mut found: Vec<&ApiResource> = Vec::new();
        for resource in candidates().filter(|resource| has_short_name(resource, short)) {
            let is_other = |other: &&ApiResource| {
                (&other.info.group, &other.info.plural) != (&resource.info.group, &resource.info.plural)
            };
            if found.iter().all(is_other) {
                found.push(resource);
            }
        }
        found.into_iter().skip(1).collect()
    }

    /// The resources of a category, such as `all`, each in its group's preferred version (client-go's
    /// `CategoryExpander`).
    pub fn category<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a ApiResource> {
        self.preferred().filter(move |resource| resource.categories.iter().any(|category| category == name))
    }

    /// Every resource, in the version its group prefers.
    pub fn preferred(&self) -> impl Iterator<Item = &ApiResource> {
        self.served.preferred()
    }

    fn find_kind(&self, group: &str, kind: &str, version: Option<&str>) -> Option<&ApiResource> {
        let serves = |resource: &&ApiResource| {
            resource.info.group == group
                && (resource.info.kind == kind || resource.info.kind.to_lowercase() == kind)
                && version.is_none_or(|version| resource.info.version == version)
        };
        let first = self.served.resources.iter().find(serves)?;
        // As in client-go, the last of a group-version serves the kind: on OpenShift there are `templates` behind
        // `processedtemplates`.
        self.served.resources.iter().rev().filter(serves).find(|other| is_of_same_version(first, other))
    }

    /// The resources with these names, in order.
    fn matching(&self, partial: &GroupVersionResource) -> Vec<&ApiResource> {
        let GroupVersionResource { group, version, resource: name, .. } = self.expand(partial);
        let name = name.to_lowercase();
        let matches = |resource: &&ApiResource| {
            let info = &resource.info;
            let of_group = match version.is_empty() {
                true => info.group.starts_with(group.as_str()),
                false => group.is_empty() || info.group == group.as_str(),
            };
            of_group && (version.is_empty() || info.version == version.as_str()) && has_name(resource, &name)
        };
        self.served.resources.iter().filter(matches).collect()
    }

    /// Puts the plural in the place of a short name (client-go's `ShortcutExpander`). The version of one is passed over,
    /// unless the group is only the beginning of a name.
    fn expand(&self, partial: &GroupVersionResource) -> GroupVersionResource {
        let GroupVersionResource { group, version, resource: name, .. } = partial;
        let in_group = || {
            let resources = self.served.resources.iter();
            resources.filter(move |resource| group.is_empty() || resource.info.group == group.as_str())
        };
        if in_group().any(|resource| has_name(resource, name)) {
            return partial.clone();
        }
        let expanded = |resource: &ApiResource, version: &str| {
            GroupVersionResource::new(&*resource.info.group, version, &*resource.info.plural)
        };
        if let Some(resource) = in_group().find(|resource| has_short_name(resource, name)) {
            return expanded(resource, "");
        }
        let mut resources = self.served.resources.iter();
        let by_prefix = resources.find(|resource| {
            !group.is_empty()
                && resource.info.group.starts_with(group.as_str())
                && has_short_name(resource, name)
        });
        by_prefix.map_or_else(|| partial.clone(), |resource| expanded(resource, version))
    }
}

fn has_name(resource: &ApiResource, name: &str) -> bool {
    resource.info.plural == name || resource.singular == name
}

fn has_short_name(resource: &ApiResource, name: &str) -> bool {
    resource.short_names.iter().any(|short| short == name)
}

fn is_core(resource: &ApiResource) -> bool {
    resource.info.group.is_empty() && resource.info.version == "v1"
}

fn is_of_same_version(one: &ApiResource, other: &ApiResource) -> bool {
    one.info.group == other.info.group && one.info.version == other.info.version
}
