//! Changes a namespace with the three kinds of patch and with server-side apply.

#![allow(clippy::print_stdout)]

mod cluster;

use klient::api::core::v1::Namespace;
use klient::{ApplyOptions, DeleteOptions, ObjectMeta, Patch, apply};
use serde_json::json;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (client, _server) = cluster::connect().await?;
    let namespaces = client.api::<Namespace>();
    let metadata = ObjectMeta::named("patched");
    namespaces.create(&Namespace { metadata, ..Default::default() }).await?;

    for patch in [
        Patch::Json(json!([{"op": "add", "path": "/metadata/labels/a", "value": "c"}])),
        Patch::Merge(json!({"metadata": {"labels": {"a": "f", "b": "g"}}})),
        Patch::Strategic(json!({"metadata": {"labels": {"b": null}}})),
    ] {
        let patched = namespaces.patch("patched", &patch).await?;
        println!("{patch:?}: {:?}", patched.metadata.labels);
    }
    let wanted = apply::core::v1::Namespace::new("patched").labels([("c", "d")]);
    let applied = namespaces.apply(&wanted, &ApplyOptions::new("example")).await?;
    println!("{wanted:?}: {:?}", applied.metadata.labels);
    namespaces.delete("patched", &DeleteOptions::default()).await?;
    Ok(())
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
