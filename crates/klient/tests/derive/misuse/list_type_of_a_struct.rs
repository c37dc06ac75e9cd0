//! A list type is at the field.

use klient::ResourceSchema;
use serde::{Deserialize, Serialize};

#[derive(Deserialize, ResourceSchema, Serialize)]
#[resource(list_type = "atomic")]
struct Website {
    pages: Vec<String>,
}

fn main() {}
