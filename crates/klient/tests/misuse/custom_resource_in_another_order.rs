use klient::custom_resource;

custom_resource! {
    kind: "Website", group: "example.com", version: "v1", plural: "websites", scope: Namespaced;

    pub struct Website {
        pub spec: u32,
    }
}

fn main() {}
