//! Prints the definitions that kube-derive makes of the shapes in klient's tests, as one JSON object.
//!
//! ```sh
//! cargo run --manifest-path e2e/definitions/Cargo.toml > crates/klient/tests/derive/kube/definitions.json
//! ```

#[path = "../../../crates/klient/tests/derive/kube/shapes.rs"]
mod shapes;

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::{CustomResource, CustomResourceExt, KubeSchema as Schema};
use serde_json::Value;

/// The definition of a kind.
fn definition<K: CustomResourceExt>() -> Value {
    serde_json::to_value(K::crd()).expect("a definition is JSON")
}

fn main() {
    // Of a shape that kube-derive has no definition of there is the reason.
    std::panic::set_hook(Box::new(|_| {}));
    let definitions = shapes::all().into_iter().map(|(name, definition)| {
        let definition = std::panic::catch_unwind(definition).unwrap_or_else(|panic| {
            let reason = panic.downcast::<String>().map_or_else(|_| String::new(), |reason| *reason);
            Value::String(reason)
        });
        (name.to_owned(), definition)
    });
    let definitions: serde_json::Map<_, _> = definitions.collect();
    println!("{}", serde_json::to_string_pretty(&definitions).expect("they are JSON"));
}
