//! The description of the gateway's own routes, in OpenAPI 3.1.

use serde_json::{Map, Value, json};

use crate::failure::Code;

/// A path with its parameters. Those in braces are of the path; the others are of the query, each with its description.
struct Operation {
    path: &'static str,
    method: &'static str,
    summary: &'static str,
    query: &'static [(&'static str, &'static str)],
    content_type: &'static str,
}

const NAMESPACE: (&str, &str) = ("namespace", "The namespace; all of them without it.");
const LABELS: (&str, &str) = ("labelSelector", "A label selector, such as app=web.");
const FIELDS: (&str, &str) = ("fieldSelector", "A field selector, such as status.phase=Running.");
const SEARCH: (&str, &str) = ("search", "A part of the name, the namespace or a cell.");

const JSON: &str = "application/json";

const OPERATIONS: &[Operation] = &[
    get("/ping", "Answers pong.", &[]),
    get("/pod/list", "All pods, with code 20000; failures have the code 40000 and the status 200.", &[]),
    get(
        "/{resource}/{group}/{version}",
        "All objects of a resource, as /pod/list; the core group is core.",
        &[],
    ),
    get("/v1/kinds", "The kinds that the cluster serves.", &[("refresh", "True to ask the cluster again.")]),
    get("/v1/namespaces", "The names of the namespaces.", &[]),
    get("/v1/contexts", "The contexts that requests choose from by X-Klient-Context or context.", &[]),
    get("/v1/session", "The user, the cluster, and what the gateway allows.", &[]),
    get("/v1/overview", "Nodes, pods and workloads by state, and the last warnings.", &[NAMESPACE]),
    Operation {
        content_type: "text/event-stream",
        ..get("/v1/overview/changes", "The event overview, when it is to be read again.", &[NAMESPACE])
    },
    get(
        "/v1/table/{group}/{version}/{resource}",
        "The rows of a resource with the server's columns, and the cursor for their changes.",
        &[
            NAMESPACE,
            LABELS,
            FIELDS,
            SEARCH,
            ("sort", "The name of a column; by namespace and name without it."),
            ("descending", "True for the opposite order."),
            ("limit", "The number of rows of a page."),
            ("continue", "The token of the page before."),
        ],
    ),
    Operation {
        content_type: "text/event-stream",
        ..get(
            "/v1/changes/{group}/{version}/{resource}",
            "The changes of the rows as server-sent events: change, reset, columns, waiting, sync, gone.",
            &[
                NAMESPACE,
                LABELS,
                FIELDS,
                SEARCH,
                ("cursor", "The cursor of a table, or the id of the last event."),
            ],
        )
    },
    get(
        "/v1/object/{group}/{version}/{resource}/{name}",
        "An object, its events, its owners and what it owns.",
        &[
            ("namespace", "The namespace of the object."),
            ("managedFields", "True to include the managed fields."),
            ("depth", "The longest chain of owned objects, 8 without it; 0 to look for none."),
        ],
    ),
    Operation {
        method: "post",
        ..get(
            "/v1/diff",
            "The object of the body before and after it is applied, without storing it.",
            &[("force", "True to take fields from other managers.")],
        )
    },
    Operation { content_type: "text/plain", ..get("/metrics", "Figures for Prometheus.", &[]) },
    Operation { content_type: "text/plain", ..get("/healthz", "Answers ok.", &[]) },
    Operation { content_type: "text/plain", ..get("/readyz", "Answers ok if the cluster answers.", &[]) },
    get("/openapi.json", "This document.", &[]),
];

const fn get(
    path: &'static str,
    summary: &'static str,
    query: &'static [(&'static str, &'static str)],
) -> Operation {
    Operation { path, method: "get", summary, query, content_type: JSON }
}

/// The document.
pub(crate) fn document() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for operation in OPERATIONS {
        paths.insert(operation.path.to_owned(), json!({ operation.method: operation.to_value() }));
    }
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    json!({
        "openapi": "3.1.0",
        "info": { "title": "klient gateway", "version": env!("CARGO_PKG_VERSION") },
        "paths": paths,
        "components": {
            "schemas": {
                "Failure": {
                    "type": "object",
                    "properties": {
                        "error": {
                            "type": "object",
                            "properties": {
                                "code": { "type": "string", "enum": codes },
                                "message": { "type": "string" },
                                "status": { "type": "integer" },
                            },
                        },
                    },
                },
            },
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
        },
        "security": [{ "token": [] }],
    })
}

impl Operation {
    fn to_value(&self) -> Value {
        let in_path = self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        let in_path = in_path.map(
            |name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }),
        );
        let in_query = self.query.iter().map(|(name, description)| {
            json!({ "name": name, "in": "query", "description": description, "schema": { "type": "string" } })
        });
        let failure = json!({ "schema": { "$ref": "#/components/schemas/Failure" } });
        let mut operation = json!({
            "summary": self.summary,
            "parameters": in_path.chain(in_query).collect::<Vec<_>>(),
            "responses": {
                "200": { "description": "Success", "content": { self.content_type: {} } },
                "default": { "description": "A failure", "content": { JSON: failure } },
            },
        });
        if self.method == "post" {
            operation["requestBody"] = json!({ "content": { "application/yaml": {}, JSON: {} } });
        }
        operation
    }
}
