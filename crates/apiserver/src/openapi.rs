//! OpenAPI: the fields of all served kinds and the operations on them, for `kubectl explain`, the validation and the
//! patches of clients.
//!
//! `/openapi/v3` has a document for each group-version, and an index of them with their hashes; `/openapi/v2` is one
//! document with everything. They are built when they are first requested. Those of built-in resources are the same for
//! all servers of a process; those of custom resources are replaced when a definition changes.

mod built_in;
mod custom;
mod definition;
mod document;
mod gnostic;
mod kind;
mod route;
mod special;
mod v2;
mod v3;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, OnceLock, RwLock};

use http::{HeaderMap, Response, StatusCode};
use klient_apimachinery::schema::ResourceSchema;
use klient_schema::openapi::SCHEME;
use serde_json::{Value, json};

use crate::registry::{Registry, Resource, ResourceSource};
use crate::request::Query;
use crate::respond::{self, Body};
use definition::{Definitions, Dialect, scheme_of_clients};
use document::{Document, Encoding};

const V2: Encoding = Encoding {
    content_type: "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
    older_type: "application/com.github.proto-openapi.spec.v2@v1.0+protobuf",
    encode: gnostic::encode_v2,
};

const V3: Encoding = Encoding {
    content_type: "application/com.github.proto-openapi.spec.v3.v1.0+protobuf",
    older_type: "application/com.github.proto-openapi.spec.v3@v1.0+protobuf",
    encode: gnostic::encode_v3,
};

/// The documents, cached until a definition changes them.
#[derive(Default)]
pub(crate) struct OpenApi(RwLock<Arc<Documents>>);

/// The documents of one state of the registry.
#[derive(Default)]
struct Documents {
    generation: u64,
    /// By path, such as `apis/example.com/v1`.
    custom: BTreeMap<String, GroupVersion>,
    /// With the custom resources, if there are any.
    v2: OnceLock<Document>,
}

/// The custom resources of a group-version.
struct GroupVersion {
    resources: Vec<Arc<Resource>>,
    document: Arc<OnceLock<Document>>,
}

/// The documents of built-in resources, by path.
static BUILT_IN: LazyLock<BTreeMap<String, OnceLock<Document>>> = LazyLock::new(|| {
    let mut paths: Vec<String> = built_in::OTHER.iter().map(|path| (*path).to_owned()).collect();
    for resource in served() {
        paths.push(path(resource.group, resource.version));
        if !resource.group.is_empty() {
            paths.push(format!("apis/{}", resource.group));
        }
    }
    paths.into_iter().map(|path| (path, OnceLock::new())).collect()
});

/// The document of v2 without custom resources.
static BUILT_IN_V2: LazyLock<Document> = LazyLock::new(|| v2_document(&[]));

impl OpenApi {
    /// Serves a document; `None` if the path is not one.
    pub(crate) fn answer(
        &self,
        registry: &Registry,
        path: &str,
        headers: &HeaderMap,
        query: &Query,
    ) -> Option<Response<Body>> {
        let rest = path.strip_prefix("/openapi/")?;
        match rest.split_once('/') {
            None if rest == "v2" => {
                let documents = self.documents(registry);
                Some(documents.v2().answer(headers))
            }
            None if rest == "v3" => {
                // The type that Go detects: upstream sets none.
                let content_type = "text/plain; charset=utf-8";
                let index = respond::to_bytes(&self.documents(registry).index());
                Some(respond::plain(StatusCode::OK, content_type, index))
            }
            Some(("v3", path)) => {
                let documents = self.documents(registry);
                let answer = |document: &Document| match query.get("hash").filter(|hash| !hash.is_empty()) {
                    Some(hash) => document.answer_hash(headers, path, hash),
                    None => document.answer(headers),
                };
                Some(documents.v3(path).map_or_else(nothing, answer))
            }
            _ => None,
        }
    }

    /// The documents of the present state of the registry.
    fn documents(&self, registry: &Registry) -> Arc<Documents> {
        let generation = registry.generation();
        let kept = self.0.read().expect("no panics while held").clone();
        if kept.generation == generation {
            return kept;
        }
        let documents = Arc::new(Documents::new(registry, generation, &kept));
        *self.0.write().expect("no panics while held") = documents.clone();
        documents
    }
}

impl Documents {
    fn new(registry: &Registry, generation: u64, before: &Documents) -> Self {
        let mut custom: BTreeMap<String, GroupVersion> = BTreeMap::new();
        for resource in registry.all() {
            if matches!(resource.source, ResourceSource::BuiltIn(_)) {
                continue;
            }
            let path = path(&resource.info.group, &resource.info.version);
            let group_version = custom
                .entry(path)
                .or_insert_with(|| GroupVersion { resources: Vec::new(), document: Arc::default() });
            group_version.resources.push(resource);
        }
        for (path, group_version) in &mut custom {
            if let Some(before) = before.custom.get(path).filter(|before| before.is_same(group_version)) {
                group_version.document = before.document.clone();
            }
        }
        Documents { generation, custom, v2: OnceLock::new() }
    }

    fn v2(&self) -> &Document {
        if self.custom.is_empty() {
            return &BUILT_IN_V2;
        }
        let resources: Vec<&Arc<Resource>> =
            self.custom.values().flat_map(|custom| &custom.resources).collect();
        self.v2.get_or_init(|| v2_document(&resources))
    }

    fn v3(&self, path: &str) -> Option<&Document> {
        match BUILT_IN.get(path) {
            Some(document) => Some(document.get_or_init(|| built_in_document(path))),
            None => self.custom.get(path).map(GroupVersion::document),
        }
    }

    /// The URLs of the documents of v3.
    fn index(&self) -> Value {
        let paths = BUILT_IN.keys().chain(self.custom.keys());
        let entries = paths.filter_map(|path| {
            Some((path.clone(), json!({ "serverRelativeURL": self.v3(path)?.url(path) })))
        });
        json!({ "paths": entries.collect::<serde_json::Map<_, _>>() })
    }
}

impl GroupVersion {
    fn document(&self) -> &Document {
        self.document.get_or_init(|| custom_document(&self.resources))
    }

    /// Returns true if the resources are defined as those of another state of the registry.
    fn is_same(&self, other: &GroupVersion) -> bool {
        self.resources.len() == other.resources.len()
            && self.resources.iter().zip(&other.resources).all(|(a, b)| a.is_defined_as(b))
    }
}

/// The built-in resources that are served.
fn served() -> impl Iterator<Item = &'static ResourceSchema> {
    klient_schema::RESOURCES.iter().copied().flatten().filter(|resource| resource.served)
}

/// The path of the document of a group-version.
fn path(group: &str, version: &str) -> String {
    match group {
        "" => format!("api/{version}"),
        group => format!("apis/{group}/{version}"),
    }
}

fn built_in_document(path: &str) -> Document {
    let mut routes = Vec::new();
    let resources: Vec<&ResourceSchema> =
        served().filter(|resource| self::path(resource.group, resource.version) == path).collect();
    let own = resources.first().filter(|resource| !resource.group.is_empty());
    let own = own.map(|resource| format!("{}/{}", resource.group, resource.version));
    let shared_by: Vec<&str> = ["v1"].into_iter().chain(own.as_deref()).collect();
    let mut definitions = Definitions::new(Dialect::V3, &shared_by);
    if let Some(resource) = resources.first() {
        routes.push(built_in::resources(resource.group, resource.version, &mut definitions));
        resources.iter().for_each(|resource| built_in::add(resource, &mut definitions, &mut routes));
    } else if let Some(route) = built_in::other(path, &mut definitions) {
        routes.push(route);
    } else {
        routes.push(built_in::group(path.trim_start_matches("apis/"), &mut definitions));
    }
    Document::new(&v3::document(&routes, definitions.schemas, info(), true), &V3)
}

fn custom_document(resources: &[Arc<Resource>]) -> Document {
    let mut routes = Vec::new();
    let shared_by = scheme_of_clients();
    let mut definitions = Definitions::new(Dialect::V3, &shared_by);
    resources.iter().for_each(|resource| add_custom(resource, &mut definitions, &mut routes));
    let info = json!({"title": "Kubernetes CRD Swagger", "version": "v0.1.0"});
    Document::new(&v3::document(&routes, definitions.schemas, info, false), &V3)
}

fn v2_document(custom: &[&Arc<Resource>]) -> Document {
    let mut routes = Vec::new();
    let mut definitions = Definitions::new(Dialect::V2, SCHEME);
    for path in BUILT_IN.keys() {
        let parts: Vec<&str> = path.split('/').collect();
        match parts[..] {
            ["api", version] => routes.push(built_in::resources("", version, &mut definitions)),
            ["apis", group, version] => routes.push(built_in::resources(group, version, &mut definitions)),
            ["apis", group] => routes.push(built_in::group(group, &mut definitions)),
            _ => routes.extend(built_in::other(path, &mut definitions)),
        }
    }
    served().for_each(|resource| built_in::add(resource, &mut definitions, &mut routes));
    custom.iter().for_each(|resource| add_custom(resource, &mut definitions, &mut routes));
    Document::new(&v2::document(&routes, definitions.schemas, info()), &V2)
}

fn add_custom(resource: &Resource, definitions: &mut Definitions<'_>, routes: &mut Vec<route::Route>) {
    if let ResourceSource::Custom { definition, version } = &resource.source {
        custom::add(definition, &definition.versions[*version], definitions, routes);
    }
}

/// The subject of the documents: Kubernetes, in a minor version.
fn info() -> Value {
    let version = klient_schema::KUBERNETES_VERSION.trim_start_matches('v');
    let minor = version.rsplit_once('.').map_or(version, |(minor, _)| minor);
    json!({"title": "Kubernetes", "version": minor})
}

/// The description of a response by its status.
fn status_text(code: u16) -> &'static str {
    StatusCode::from_u16(code).ok().and_then(|code| code.canonical_reason()).unwrap_or_default()
}

/// The answer for a path without a document.
fn nothing() -> Response<Body> {
    let mut response = Response::new(respond::whole(bytes::Bytes::new()));
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}
