//! A number is no list.

use klient::ResourceSchema;
use serde::{Deserialize, Serialize};

#[derive(Deserialize, ResourceSchema, Serialize)]
struct Website {
    #[resource(list_type = "set")]
    size: Option<u32>,
}

fn main() {}
