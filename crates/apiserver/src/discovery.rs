//! Discovery of the served groups, versions and resources.

mod group;
mod schema;

use std::sync::{Arc, RwLock};

use bytes::Bytes;
use http::header::{CACHE_CONTROL, ETAG, HeaderValue, IF_NONE_MATCH};
use http::{HeaderMap, Response, StatusCode};
use klient_apimachinery::meta::v1::schema::{API_GROUP, API_RESOURCE_LIST, API_VERSIONS};
use ring::digest;
use serde_json::Value;

use group::{Group, Version};
use schema::{API_GROUP_DISCOVERY_LIST, API_GROUP_LIST};

use crate::negotiate::{Clause, Format, Media, Offer, accepted, negotiate};
use crate::protobuf;
use crate::registry::Registry;
use crate::request::Query;
use crate::respond::{self, Body};
use crate::status::Result;

/// The content type of aggregated discovery.
fn aggregated_type(media: Media) -> &'static str {
    match media {
        Media::Json => "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
        Media::Yaml => "application/yaml;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
        Media::Protobuf => {
            "application/vnd.kubernetes.protobuf;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
        }
    }
}

/// Discovery documents, cached until a definition changes them.
#[derive(Default)]
pub(crate) struct Discovery(RwLock<Option<Arc<Documents>>>);

/// The documents of one state of the registry.
struct Documents {
    generation: u64,
    /// For the core group, and for all others.
    aggregated: [Aggregated; 2],
    groups: Vec<Group>,
}

struct Aggregated {
    json: Vec<u8>,
    etag: String,
}

impl Discovery {
    /// Serves a discovery document; `None` if the path is not one.
    pub(crate) fn answer(
        &self,
        registry: &Registry,
        address: &str,
        path: &str,
        headers: &HeaderMap,
        query: &Query,
    ) -> Option<Result<Response<Body>>> {
        let documents = self.documents(registry);
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let aggregate = |index: usize| {
            wants_aggregated(headers).map(|media| documents.aggregated[index].answer(headers, media))
        };
        let (json, schema) = match parts[..] {
            ["api"] => match aggregate(0) {
                Some(response) => return Some(Ok(response)),
                None => (versions(address), &API_VERSIONS),
            },
            ["apis"] => match aggregate(1) {
                Some(response) => return Some(Ok(response)),
                None => (documents.group_list(), &API_GROUP_LIST),
            },
            ["api", "v1"] => (documents.group("")?.version("v1")?.resource_list("v1"), &API_RESOURCE_LIST),
            ["apis", group] => {
                let found = documents.group(group).filter(|group| !group.name.is_empty())?;
                (found.describe(true), &API_GROUP)
            }
            ["apis", group, version] => {
                let found =
                    documents.group(group).filter(|group| !group.name.is_empty())?.version(version)?;
                (found.resource_list(&format!("{group}/{version}")), &API_RESOURCE_LIST)
            }
            _ => return None,
        };
        let unrouted = match parts[..] {
            ["apis"] | ["apis", _] => true,
            ["apis", group, _] => !registry.is_built_in(group),
            _ => false,
        };
        let format = negotiate(headers, query, Offer { unrouted, ..Offer::PLAIN });
        Some(format.map(|format: Format| respond::written(StatusCode::OK, format, json, schema)))
    }

    /// Paths of all groups and versions, for the document at `/`.
    pub(crate) fn paths(&self, registry: &Registry) -> Vec<String> {
        let documents = self.documents(registry);
        let mut paths =
            vec!["/api".to_owned(), "/api/v1".to_owned(), "/apis".to_owned(), "/apis/".to_owned()];
        for group in documents.groups.iter().filter(|group| !group.name.is_empty()) {
            paths.push(format!("/apis/{}", group.name));
            paths.extend(
                group.versions.iter().map(|version| format!("/apis/{}/{}", group.name, version.name)),
            );
        }
        paths
    }

    fn documents(&self, registry: &Registry) -> Arc<Documents> {
        let generation = registry.generation();
        let kept = self.0.read().expect("no panics while held").clone();
        if let Some(documents) = kept.filter(|documents| documents.generation == generation) {
            return documents;
        }
        let documents = Arc::new(Documents::new(registry, generation));
        *self.0.write().expect("no panics while held") = Some(documents.clone());
        documents
    }
}

/// The form of aggregated discovery that a client accepts, unless it prefers the plain one.
fn wants_aggregated(headers: &HeaderMap) -> Option<Media> {
    let is_known = |clause: &&Clause<'_>| Media::ALL.iter().any(|media| media.fits(clause.media));
    accepted(headers).iter().filter(is_known).find_map(|clause| {
        let media = Media::ALL.into_iter().find(|media| media.fits(clause.media)).unwrap_or(Media::Json);
        match ["g", "v", "as"].map(|name| clause.parameter(name)) {
            ["apidiscovery.k8s.io", "v2", "APIGroupDiscoveryList"] => Some(Some(media)),
            ["", "", ""] => Some(None),
            _ => None,
        }
    })?
}

fn versions(address: &str) -> Vec<u8> {
    let address = Value::from(address);
    format!(
        r#"{{"kind":"APIVersions","versions":["v1"],"serverAddressByClientCIDRs":[{{"clientCIDR":"0.0.0.0/0","serverAddress":{address}}}]}}"#
    )
    .into_bytes()
}

/// A list of JSON documents; `head` precedes its items.
fn list(head: &str, items: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let items: Vec<Vec<u8>> = items.collect();
    [head.as_bytes(), b"[", &items.join(&b","[..]), b"]}"].concat()
}

impl Documents {
    fn new(registry: &Registry, generation: u64) -> Self {
        let mut groups: Vec<Group> = Vec::new();
        for resource in registry.all() {
            let name = &*resource.info.group;
            let at = groups.iter().position(|group| group.name == name).unwrap_or_else(|| {
                groups.push(Group { name: name.to_owned(), versions: Vec::new() });
                groups.len() - 1
            });
            let versions = &mut groups[at].versions;
            let name = &*resource.info.version;
            let at = versions.iter().position(|version| version.name == name).unwrap_or_else(|| {
                versions.push(Version { name: name.to_owned(), resources: Vec::new() });
                versions.len() - 1
            });
            versions[at].resources.push(resource);
        }
        for group in &mut groups {
            group.versions.sort_by_key(|version| std::cmp::Reverse(priority(&version.name)));
        }
        let (core, others): (Vec<&Group>, Vec<&Group>) =
            groups.iter().partition(|group| group.name.is_empty());
        let aggregated = [Aggregated::new(&core), Aggregated::new(&others)];
        Documents { generation, aggregated, groups }
    }

    fn group(&self, name: &str) -> Option<&Group> {
        self.groups.iter().find(|group| group.name == name)
    }

    fn group_list(&self) -> Vec<u8> {
        let groups = self.groups.iter().filter(|group| !group.name.is_empty());
        list(
            r#"{"kind":"APIGroupList","apiVersion":"v1","groups":"#,
            groups.map(|group| group.describe(false)),
        )
    }
}

/// Kubernetes' order of versions: stable before beta before alpha, then by number.
fn priority(version: &str) -> (u8, u32, u32) {
    let Some(rest) = version.strip_prefix('v') else { return (0, 0, 0) };
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let major = rest[..digits].parse().unwrap_or(0);
    match &rest[digits..] {
        "" => (3, major, 0),
        stage => match (stage.strip_prefix("beta"), stage.strip_prefix("alpha")) {
            (Some(minor), _) => (2, major, minor.parse().unwrap_or(0)),
            (_, Some(minor)) => (1, major, minor.parse().unwrap_or(0)),
            _ => (0, 0, 0),
        },
    }
}

impl Aggregated {
    fn new(groups: &[&Group]) -> Self {
        const HEAD: &str =
            r#"{"kind":"APIGroupDiscoveryList","apiVersion":"apidiscovery.k8s.io/v2","metadata":{},"items":"#;
        let mut json = list(HEAD, groups.iter().map(|group| group.aggregated()));
        json.push(b'\n');
        Aggregated { etag: etag(&json), json }
    }

    fn answer(&self, headers: &HeaderMap, media: Media) -> Response<Body> {
        let known =
            headers.get_all(IF_NONE_MATCH).iter().any(|value| value.as_bytes() == self.etag.as_bytes());
        let mut response = if known {
            let mut response = Response::new(respond::whole(Bytes::new()));
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response
        } else {
            let body = match media {
                Media::Protobuf => protobuf::object(&self.json, &API_GROUP_DISCOVERY_LIST),
                Media::Yaml => respond::yaml(&self.json),
                Media::Json => self.json.clone(),
            };
            respond::plain(StatusCode::OK, aggregated_type(media), body)
        };
        respond::vary(&mut response);
        if let Ok(etag) = HeaderValue::from_str(&self.etag) {
            response.headers_mut().insert(ETAG, etag);
        }
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public"));
        response
    }
}

/// A quoted hash of a document.
pub(crate) fn etag(document: &[u8]) -> String {
    format!("\"{}\"", hash(document))
}

/// A hash of a document in capital hexadecimal digits.
pub(crate) fn hash(document: &[u8]) -> String {
    digest::digest(&digest::SHA512, document).as_ref().iter().map(|byte| format!("{byte:02X}")).collect()
}
