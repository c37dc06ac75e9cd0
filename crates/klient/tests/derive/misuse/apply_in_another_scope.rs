//! The scope of a configuration is that of its kind.

use klient::{ApplyConfiguration, custom_resource};

custom_resource! {
    group: "example.com", version: "v1", kind: "Page", plural: "pages",
    scope: Namespaced;

    #[derive(ApplyConfiguration)]
    #[apply(scope = Cluster)]
    struct Page {
        text: String,
    }
}

fn main() {}
