//! Keys are those of a list of type map.

use klient::ResourceSchema;
use serde::{Deserialize, Serialize};

#[derive(Deserialize, ResourceSchema, Serialize)]
struct Website {
    #[resource(list_type = "set", list_map_keys("name"))]
    pages: Vec<String>,
}

fn main() {}
