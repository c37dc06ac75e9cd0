//! [`KindVersion`], a version of a kind as managed fields know it.

use std::sync::Arc;

use klient_apimachinery::Str;
use klient_apimachinery::schema::ResourceSchema;
use klient_structured_merge::Path;

/// A version of a kind.
pub(crate) struct KindVersion {
    pub(crate) api_version: Str,
    /// True if it has the status subresource.
    pub(crate) has_status: bool,
    pub(crate) fields: klient_structured_merge::Schema,
    /// The path of the number of replicas, if it has the scale subresource.
    pub(crate) replicas: Option<Path>,
}

/// The served versions of a built-in kind.
pub(crate) fn built_in_versions(group: &str, plural: &str) -> Arc<[KindVersion]> {
    let is_event = |plural: &str| plural == "events";
    let served = klient_schema::RESOURCES.iter().copied().flatten().filter(|resource| resource.served);
    let same = served.filter(|resource| {
        resource.plural == plural && (resource.group == group || is_event(resource.plural))
    });
    let has =
        |resource: &ResourceSchema, name: &str| resource.subresources.iter().any(|sub| sub.name == name);
    let version = |resource: &ResourceSchema| KindVersion {
        api_version: match resource.group {
            "" => resource.version.into(),
            group => format!("{group}/{}", resource.version).into(),
        },
        has_status: has(resource, "status"),
        fields: resource.schema.into(),
        replicas: has(resource, "scale").then(|| Path::fields(["spec", "replicas"])),
    };
    same.map(version).collect()
}
