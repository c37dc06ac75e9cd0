//! The routes of built-in resources, and of documents.

use klient_apimachinery::meta::v1::schema::{
    API_GROUP, API_RESOURCE_LIST, API_VERSIONS, CREATE_OPTIONS, DELETE_OPTIONS, LIST_OPTIONS, PATCH_OPTIONS,
    STATUS, UPDATE_OPTIONS,
};
use klient_apimachinery::schema::{ResourceSchema, Schema, SubresourceSchema};
use klient_schema::core_v1::POD_LOG_OPTIONS;
use serde_json::{Value, json};

use super::definition::Definitions;
use super::kind::kind_value;
use super::route::{Naming, Parameter, RequestBody, Route, camel_case, options, title};
use super::special;

const ANY: &[&str] = &["*/*"];
const OBJECTS: &[&str] =
    &["application/json", "application/yaml", "application/vnd.kubernetes.protobuf", "application/cbor"];
const LOGS: &[&str] = &[
    "text/plain",
    "application/json",
    "application/yaml",
    "application/vnd.kubernetes.protobuf",
    "application/cbor",
];
const STREAMS: &[&str] = &[
    "application/json",
    "application/yaml",
    "application/vnd.kubernetes.protobuf",
    "application/cbor",
    "application/json;stream=watch",
    "application/vnd.kubernetes.protobuf;stream=watch",
    "application/cbor-seq",
];
const PATCHES: &[&str] = &[
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
    "application/apply-patch+cbor",
];

const PRETTY: Parameter = Parameter::query("pretty", "string");

/// Options of lists that have no meaning for a delete of a collection.
const OF_WATCHES: [&str; 2] = ["watch", "allowWatchBookmarks"];

/// Adds the routes of a resource.
pub(super) fn add(
    resource: &'static ResourceSchema,
    definitions: &mut Definitions<'_>,
    routes: &mut Vec<Route>,
) {
    let root = match resource.group {
        "" => format!("/api/{}", resource.version),
        group => format!("/apis/{group}/{}", resource.version),
    };
    let place = if resource.namespaced { "/namespaces/{namespace}" } else { "" };
    let mut of = Resource {
        resource,
        naming: Naming::new(resource.group, resource.version),
        all: format!("/{}", resource.plural),
        collection: format!("{place}/{}", resource.plural),
        root,
        definitions,
        routes,
    };
    of.collection();
    of.item();
    of.watches();
    for sub in resource.subresources {
        of.subresource(sub);
    }
}

struct Resource<'a, 'd> {
    resource: &'static ResourceSchema,
    naming: Naming,
    /// `/api/v1` or `/apis/GROUP/VERSION`.
    root: String,
    /// The path of all objects below the root.
    all: String,
    /// The path of the objects of a namespace, or of the cluster, below the root.
    collection: String,
    definitions: &'a mut Definitions<'d>,
    routes: &'a mut Vec<Route>,
}

impl Resource<'_, '_> {
    fn has(&self, verb: &str) -> bool {
        self.resource.verbs.contains(&verb)
    }

    /// The kind, with the scope in front.
    fn scoped(&self) -> String {
        let scope = if self.resource.namespaced { "Namespaced" } else { "" };
        format!("{scope}{}", self.resource.kind)
    }

    fn kind(&self) -> Value {
        kind_value(self.resource.group, self.resource.version, self.resource.kind)
    }

    /// A route without parameters but those of its path, to be completed.
    fn route(&self, method: &'static str, path: &str, id: String, action: &'static str) -> Route {
        let parameters = ["name", "namespace", "path"].into_iter();
        Route {
            path: format!("{}{path}", self.root),
            method,
            id,
            tag: self.naming.tag.clone(),
            action: Some(action),
            kind: Some(self.kind()),
            parameters: parameters
                .filter(|name| path.contains(&format!("{{{name}}}")))
                .map(Parameter::path)
                .collect(),
            body: None,
            consumes: ANY,
            produces: OBJECTS,
            responses: Vec::new(),
        }
    }

    fn collection(&mut self) {
        let (all, collection, kind) = (self.all.clone(), self.collection.clone(), self.resource.kind);
        if self.has("list") && self.resource.namespaced {
            self.list(&all, format!("{kind}ForAllNamespaces"));
        }
        if self.has("list") {
            self.list(&collection, self.scoped());
        }
        if self.has("create") {
            let id = self.naming.id("create", &self.scoped());
            let route = self.route("post", &collection, id, "post");
            self.write(route, self.resource.schema, &CREATE_OPTIONS, &[200, 201, 202]);
        }
        if self.has("deletecollection") {
            let id = self.naming.id("delete", &format!("Collection{}", self.scoped()));
            let mut route = self.route("delete", &collection, id, "deletecollection");
            let lists = options(&LIST_OPTIONS).into_iter();
            route.parameters.extend(lists.filter(|parameter| !OF_WATCHES.contains(&parameter.name)));
            self.delete(route, &STATUS, &[200]);
        }
    }

    fn list(&mut self, path: &str, object: String) {
        let mut route = self.route("get", path, self.naming.id("list", &object), "list");
        route.parameters.extend(options(&LIST_OPTIONS));
        route.parameters.push(PRETTY);
        route.produces = if self.has("watch") || self.has("list") { STREAMS } else { OBJECTS };
        route.responses.push((200, self.definitions.add_list(self.resource.schema)));
        self.routes.push(route);
    }

    fn item(&mut self) {
        let (path, scoped) = (format!("{}/{{name}}", self.collection), self.scoped());
        let schema = self.resource.schema;
        if self.has("get") {
            self.read(&path, &scoped, schema);
        }
        if self.has("update") {
            let route = self.route("put", &path, self.naming.id("replace", &scoped), "put");
            self.write(route, schema, &UPDATE_OPTIONS, &[200, 201]);
        }
        if self.has("patch") {
            self.patch(&path, &scoped, schema);
        }
        if self.has("delete") {
            let route = self.route("delete", &path, self.naming.id("delete", &scoped), "delete");
            // A namespace is returned, too, but upstream does not say so.
            let returns_object = self.resource.returns_deleted && self.resource.kind != "Namespace";
            let result = if returns_object { schema } else { &STATUS };
            self.delete(route, result, &[200, 202]);
        }
    }

    fn read(&mut self, path: &str, object: &str, schema: &'static Schema) {
        let mut route = self.route("get", path, self.naming.id("read", object), "get");
        route.parameters.push(PRETTY);
        route.responses.push((200, self.definitions.add(schema)));
        self.routes.push(route);
    }

    fn patch(&mut self, path: &str, object: &str, schema: &'static Schema) {
        let mut route = self.route("patch", path, self.naming.id("patch", object), "patch");
        route.parameters.extend(options(&PATCH_OPTIONS));
        route.parameters.push(PRETTY);
        route.consumes = PATCHES;
        route.body =
            Some(RequestBody { schema: self.definitions.add_special(special::PATCH), required: true });
        let result = self.definitions.add(schema);
        route.responses = vec![(200, result.clone()), (201, result)];
        self.routes.push(route);
    }

    /// Completes a POST or PUT.
    fn write(&mut self, mut route: Route, schema: &'static Schema, query: &'static Schema, codes: &[u16]) {
        route.parameters.extend(options(query));
        route.parameters.push(PRETTY);
        let object = self.definitions.add(schema);
        route.responses = codes.iter().map(|code| (*code, object.clone())).collect();
        route.body = Some(RequestBody { schema: object, required: true });
        self.routes.push(route);
    }

    /// Completes a DELETE.
    fn delete(&mut self, mut route: Route, schema: &'static Schema, codes: &[u16]) {
        route.parameters.extend(options(&DELETE_OPTIONS));
        route.parameters.push(PRETTY);
        route.body = Some(RequestBody { schema: self.definitions.add(&DELETE_OPTIONS), required: false });
        let result = self.definitions.add(schema);
        route.responses = codes.iter().map(|code| (*code, result.clone())).collect();
        self.routes.push(route);
    }

    /// The deprecated paths below `watch`.
    fn watches(&mut self) {
        if !self.has("watch") {
            return;
        }
        let (kind, scoped) = (self.resource.kind, self.scoped());
        let (all, collection) = (format!("/watch{}", self.all), format!("/watch{}", self.collection));
        if self.resource.namespaced {
            self.watch(&all, &format!("{kind}ListForAllNamespaces"), "watchlist");
        }
        self.watch(&collection, &format!("{scoped}List"), "watchlist");
        if self.has("get") {
            self.watch(&format!("{collection}/{{name}}"), &scoped, "watch");
        }
    }

    fn watch(&mut self, path: &str, object: &str, action: &'static str) {
        let mut route = self.route("get", path, self.naming.id("watch", object), action);
        route.parameters.extend(options(&LIST_OPTIONS));
        route.parameters.push(PRETTY);
        route.produces = STREAMS;
        route.responses.push((200, self.definitions.add_special(special::WATCH_EVENT)));
        self.routes.push(route);
    }

    fn subresource(&mut self, sub: &'static SubresourceSchema) {
        let path = format!("{}/{{name}}/{}", self.collection, sub.name);
        let object = format!("{}{}", self.scoped(), title(sub.name));
        let (group, version) = match sub.version {
            "" => (self.resource.group, self.resource.version),
            version => (sub.group, version),
        };
        let Some(schema) = klient_schema::kind(group, version, sub.kind) else { return };
        let first = self.routes.len();
        match sub.name {
            "log" => self.log(&path, &object),
            _ if sub.kind.ends_with("Options") => self.connect(sub, schema, &path, &object),
            _ => self.read_and_write(sub, schema, &path, &object),
        }
        for route in &mut self.routes[first..] {
            route.kind = Some(kind_value(group, version, sub.kind));
        }
    }

    fn read_and_write(&mut self, sub: &SubresourceSchema, schema: &'static Schema, path: &str, object: &str) {
        for verb in sub.verbs {
            match *verb {
                "get" => self.read(path, object, schema),
                "patch" => self.patch(path, object, schema),
                "update" => {
                    let route = self.route("put", path, self.naming.id("replace", object), "put");
                    self.write(route, schema, &UPDATE_OPTIONS, &[200, 201]);
                }
                _ => {
                    let route = self.route("post", path, self.naming.id("create", object), "post");
                    self.write(route, schema, &CREATE_OPTIONS, &[200, 201, 202]);
                }
            }
        }
    }

    fn log(&mut self, path: &str, object: &str) {
        let mut route = self.route("get", path, self.naming.id("read", object), "get");
        route.parameters.extend(options(&POD_LOG_OPTIONS));
        route.parameters.push(PRETTY);
        route.produces = LOGS;
        route.responses.push((200, json!({"type": "string"})));
        self.routes.push(route);
    }

    /// A subresource that is a connection to a pod, node or service.
    fn connect(&mut self, sub: &SubresourceSchema, schema: &'static Schema, path: &str, object: &str) {
        let is_proxy = sub.verbs.contains(&"delete");
        let methods: &[&str] = match is_proxy {
            true => &["get", "put", "post", "patch", "delete", "head", "options"],
            false => &["get", "post"],
        };
        let below = format!("{path}/{{path}}");
        let paths = [(path, ""), (&below, "WithPath")];
        for (path, suffix) in paths.into_iter().take(if is_proxy { 2 } else { 1 }) {
            for method in methods {
                let id = self.naming.id("connect", &format!("{}{object}{suffix}", title(method)));
                let mut route = self.route(method, path, id, "connect");
                route.parameters.extend(options(schema));
                route.produces = ANY;
                route.responses.push((200, json!({"type": "string"})));
                self.routes.push(route);
            }
        }
    }
}

/// A route of a document.
fn document(
    path: String,
    id: String,
    tag: String,
    produces: &'static [&'static str],
    schema: Value,
) -> Route {
    Route {
        path,
        method: "get",
        id,
        tag,
        action: None,
        kind: None,
        parameters: Vec::new(),
        body: None,
        consumes: produces,
        produces,
        responses: vec![(200, schema)],
    }
}

/// The route of the resources of a group-version.
pub(super) fn resources(group: &str, version: &str, definitions: &mut Definitions<'_>) -> Route {
    let naming = Naming::new(group, version);
    let path = match group {
        "" => format!("/api/{version}/"),
        group => format!("/apis/{group}/{version}/"),
    };
    let schema = definitions.add(&API_RESOURCE_LIST);
    document(path, naming.id("get", "APIResources"), naming.tag, OBJECTS, schema)
}

/// The route of the versions of a group.
pub(super) fn group(group: &str, definitions: &mut Definitions<'_>) -> Route {
    let naming = Naming::new(group, "");
    let schema = definitions.add(&API_GROUP);
    document(format!("/apis/{group}/"), naming.id("get", "APIGroup"), naming.tag, OBJECTS, schema)
}

/// The documents that belong to no group, by their path without slashes around it.
pub(super) fn other(path: &str, definitions: &mut Definitions<'_>) -> Option<Route> {
    const JSON: &[&str] = &["application/json"];
    const KEYS: &[&str] = &["application/jwk-set+json"];
    let (id, produces, schema) = match path {
        "api" => ("getCoreAPIVersions", OBJECTS, definitions.add(&API_VERSIONS)),
        "apis" => ("getAPIVersions", OBJECTS, definitions.add_special(special::GROUP_LIST)),
        "version" => ("getCodeVersion", JSON, definitions.add_special(special::VERSION)),
        ".well-known/openid-configuration" => {
            ("getServiceAccountIssuerOpenIDConfiguration", JSON, json!({"type": "string"}))
        }
        "openid/v1/jwks" => ("getServiceAccountIssuerOpenIDKeyset", KEYS, json!({"type": "string"})),
        _ => return None,
    };
    let tag = match path {
        "api" => "core".to_owned(),
        path => camel_case(path.split('/').next().unwrap_or_default(), false),
    };
    let mut route = document(format!("/{path}/"), id.to_owned(), tag, produces, schema);
    if id.contains("OpenID") {
        route.consumes = &[];
    }
    Some(route)
}

/// The paths of [`other`].
pub(super) const OTHER: [&str; 5] =
    ["api", "apis", "version", ".well-known/openid-configuration", "openid/v1/jwks"];
