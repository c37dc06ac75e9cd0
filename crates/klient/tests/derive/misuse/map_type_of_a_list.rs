//! A list is no map.

use klient::ResourceSchema;
use serde::{Deserialize, Serialize};

#[derive(Deserialize, ResourceSchema, Serialize)]
struct Website {
    #[resource(map_type = "atomic")]
    pages: Vec<String>,
}

fn main() {}
