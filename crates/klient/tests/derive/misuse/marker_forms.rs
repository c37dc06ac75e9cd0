//! Markers of another form than theirs.

use klient::ResourceSchema;
use serde::{Deserialize, Serialize};

#[derive(Deserialize, ResourceSchema, Serialize)]
struct Website {
    #[resource(list_type(set), list_type, list_map_keys = "name", list_map_keys, list_map_keys(name))]
    #[resource(default(3), default, nullable = true, rule = "self > 1", preserve_unknown_fields("all"))]
    pages: Vec<String>,
}

fn main() {}
