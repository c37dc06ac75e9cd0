//! [`RestMapper`], from a name to a resource.

use klient_apimachinery::go::quoted;
use std::fmt;

use super::{ApiResource, Served};

/// Finds the resource that a name or a kind means.
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
    served: Served,
}

/// A name or kind that means nothing to the server.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoMatch {
    /// No resource has this name; the second part is the group it was looked for in, if one was named.
    Resource(String, Option<String>),
    /// No resource serves this kind; the version is `group/version`.
    Kind {
        /// The kind.
        kind: String,
        /// The `apiVersion` it was looked for in.
        api_version: String,
    },
}

/// In kubectl's words.
impl fmt::Display for NoMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoMatch::Resource(name, None) => {
                write!(f, "the server doesn't have a resource type {}", quoted(name))
            }
            NoMatch::Resource(name, Some(group)) => {
                write!(
                    f,
                    "the server doesn't have a resource type {} in group {}",
                    quoted(name),
                    quoted(group)
                )
            }
            NoMatch::Kind { kind, api_version } => {
                write!(f, "no matches for kind {} in version {}", quoted(kind), quoted(api_version))
            }
        }
    }
}

impl std::error::Error for NoMatch {}

impl RestMapper {
    /// A mapper of served resources.
    pub fn new(served: Served) -> Self {
        RestMapper { served }
    }

    /// The resources that the server serves.
    pub fn served(&self) -> &Served {
        &self.served
    }

    /// The resource a name means: its plural, singular, kind or a short name, alone or with a group (`NAME.GROUP`)
    /// or a version and a group (`NAME.VERSION.GROUP`, `NAME.VERSION.` in the core group); of a short name the version
    /// is not looked at. Names come before short names, the core group before others, and of a group the preferred
    /// version before others. Where no group has that name, its beginning is enough (`storageclasses.storage`).
    ///
    /// # Errors
    ///
    /// If it means nothing to the server.
    pub fn resource(&self, name: &str) -> Result<&ApiResource, NoMatch> {
        let lower = name.to_lowercase();
        let (base, rest) = lower.split_once('.').unwrap_or((&lower, ""));
        let found = match rest.split_once('.') {
            Some((version, group)) => self.find_in_version(base, version, group),
            None => None,
        };
        let found = found.or_else(|| match rest {
            "" => self.find(base, |_| true),
            group => self
                .find(base, |resource| resource.info.group == group)
                .or_else(|| self.find_in_prefixed_groups(base, group)),
        });
        // As kubectl, which takes all behind the first dot for the group here.
        found.ok_or_else(|| {
            let (base, group) = name.split_once('.').unwrap_or((name, ""));
            NoMatch::Resource(base.to_owned(), (!group.is_empty()).then(|| group.to_owned()))
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
        if candidates().any(|resource| resource.info.plural == short || resource.singular == short) {
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

    fn find(&self, name: &str, inside: impl Fn(&ApiResource) -> bool) -> Option<&ApiResource> {
        let candidates = || self.served.resources.iter().filter(|resource| inside(resource));
        let by_name = candidates().find(|resource| has_name(resource, name));
        by_name.or_else(|| candidates().find(|resource| has_short_name(resource, name)))
    }

    /// As client-go: the version of a short name is passed over, and an empty group is any.
    fn find_in_version(&self, name: &str, version: &str, group: &str) -> Option<&ApiResource> {
        let all = || self.served.resources.iter();
        let serves = |resource: &&ApiResource| {
            resource.info.version == version && resource.info.group == group && has_name(resource, name)
        };
        let of_short_name = |resource: &&ApiResource| {
            (group.is_empty() || resource.info.group == group) && has_short_name(resource, name)
        };
        let in_prefixed_group = |resource: &&ApiResource| {
            resource.info.group.starts_with(group) && has_short_name(resource, name)
        };
        all().find(serves).or_else(|| all().find(of_short_name)).or_else(|| all().find(in_prefixed_group))
    }

    /// As client-go: short names first here.
    fn find_in_prefixed_groups(&self, name: &str, prefix: &str) -> Option<&ApiResource> {
        let candidates =
            || self.served.resources.iter().filter(|resource| resource.info.group.starts_with(prefix));
        let by_short_name = candidates().find(|resource| has_short_name(resource, name));
        by_short_name.or_else(|| candidates().find(|resource| has_name(resource, name)))
    }

    /// The resource that serves a kind: in one version, or in the one the group prefers.
    ///
    /// # Errors
    ///
    /// If none does.
    pub fn kind(&self, group: &str, kind: &str, version: Option<&str>) -> Result<&ApiResource, NoMatch> {
        let serves = |resource: &&ApiResource| {
            resource.info.group == group
                && resource.info.kind == kind
                && version.is_none_or(|version| resource.info.version == version)
        };
        self.served.resources.iter().find(serves).ok_or_else(|| NoMatch::Kind {
            kind: kind.to_owned(),
            api_version: match (group, version) {
                ("", version) => version.unwrap_or_default().to_owned(),
                (group, None) => group.to_owned(),
                (group, Some(version)) => format!("{group}/{version}"),
            },
        })
    }

    /// The resources of a category, such as `all`, each in its group's preferred version.
    pub fn category<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a ApiResource> {
        self.preferred().filter(move |resource| resource.categories.iter().any(|category| category == name))
    }

    /// Every resource, in the version its group prefers.
    pub fn preferred(&self) -> impl Iterator<Item = &ApiResource> {
        let resources = &self.served.resources;
        resources.iter().enumerate().filter_map(move |(index, resource)| {
            let same = |other: &ApiResource| {
                other.info.group == resource.info.group && other.info.plural == resource.info.plural
            };
            (!resources[..index].iter().any(same)).then_some(resource)
        })
    }
}

fn has_name(resource: &ApiResource, name: &str) -> bool {
    resource.info.plural == name || resource.singular == name || resource.info.kind.eq_ignore_ascii_case(name)
}

fn has_short_name(resource: &ApiResource, name: &str) -> bool {
    resource.short_names.iter().any(|short| short == name)
}
