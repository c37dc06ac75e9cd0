//! Lists, reads, creates, replaces and deletes namespaces, and handles each kind of error.

#![allow(clippy::print_stdout)]

mod cluster;

use klient::api::core::v1::Namespace;
use klient::{DeleteOptions, ListOptions, Object, ObjectMeta};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (client, _server) = cluster::connect().await?;
    let namespaces = client.api::<Namespace>();

    for namespace in namespaces.list(&ListOptions::default()).await? {
        println!("{}", namespace.name());
    }
    println!("kube-system is there: {}", namespaces.get_opt("kube-system").await?.is_some());

    let test = Namespace { metadata: ObjectMeta::named("test"), ..Default::default() };
    match namespaces.create(&test).await {
        Ok(made) => println!("{}: created", made.name()),
        Err(error) if error.is_already_exists() => println!("test: already exists"),
        Err(error) => return Err(error.into()),
    }

    let mut test = namespaces.get("test").await?;
    test.metadata.labels.insert("a", "b".into());
    let test = namespaces.update(&test).await?;
    println!("{}: updated to version {}", test.name(), test.resource_version());

    match namespaces.delete("test", &DeleteOptions::default()).await {
        Ok(_) => println!("test: deleted"),
        Err(error) if error.is_not_found() => println!("test: already deleted"),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
