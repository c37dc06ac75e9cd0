//! schemars alone knows no markers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Deserialize, JsonSchema, Serialize)]
struct Website {
    #[resource(rule("self < 3"))]
    size: u32,
}

fn main() {}
