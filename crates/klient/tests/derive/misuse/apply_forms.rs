//! Attributes of apply configurations of another form than theirs.

use klient::ApplyConfiguration;
use serde::{Deserialize, Serialize};

#[derive(ApplyConfiguration, Deserialize, Serialize)]
struct Page {
    #[apply(value = true, list_type = set, list_map_keys = ["name"])]
    texts: Vec<String>,
}

#[derive(ApplyConfiguration, Deserialize, Serialize)]
#[apply(scope("Namespaced"), klient = "klient", struct_type(atomic))]
struct Part {
    text: String,
}

fn main() {}
