//! Fields have few attributes.

use klient::ApplyConfiguration;
use serde::{Deserialize, Serialize};

#[derive(ApplyConfiguration, Deserialize, Serialize)]
struct Page {
    #[apply(atomic)]
    text: String,
}

fn main() {}
