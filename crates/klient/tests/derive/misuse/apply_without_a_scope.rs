//! A kind has a scope.

use klient::{ApplyConfiguration, custom_resource};

custom_resource! {
    group: "example.com", version: "v1", kind: "Page", plural: "pages",
    scope: Namespaced;

    #[derive(ApplyConfiguration)]
    struct Page {
        text: String,
    }
}

fn main() {}
