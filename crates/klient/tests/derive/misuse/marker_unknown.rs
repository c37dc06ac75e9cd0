//! Markers have names.

use klient::ResourceSchema;
use serde::{Deserialize, Serialize};

#[derive(Deserialize, ResourceSchema, Serialize)]
struct Website {
    #[resource(minimum = 3)]
    size: u32,
}

fn main() {}
