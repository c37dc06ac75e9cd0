//! List types are three.

use klient::ResourceSchema;
use serde::{Deserialize, Serialize};

#[derive(Deserialize, ResourceSchema, Serialize)]
struct Website {
    #[resource(list_type = "unique")]
    pages: Vec<String>,
}

fn main() {}
