//! The type of a field has no configuration.

use klient::ApplyConfiguration;
use serde::{Deserialize, Serialize};

#[derive(ApplyConfiguration, Deserialize, Serialize)]
struct Page {
    theme: Theme,
}

#[derive(Deserialize, Serialize)]
enum Theme {
    Light,
}

fn main() {}
