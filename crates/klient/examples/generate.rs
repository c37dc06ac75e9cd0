//! Types, a clientset and informers that `klient generate -f website.yaml -o crds.rs` has made from a CustomResourceDefinition.

#![allow(clippy::print_stdout)]

mod cluster;
#[path = "generate/crds.rs"]
mod crds;

use crds::example_com::v1::{Website, WebsiteSpec, WebsiteSpecPage, WebsiteSpecTheme};
use crds::{Clientset, Informers};
use klient::api::apiextensions::v1::CustomResourceDefinition;
use klient::controller::wait::{conditions, wait_for};
use klient::{InformerFactory, ObjectMeta, Wire as _};

const DEFINITION: &str = include_str!("generate/website.yaml");

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (client, _server) = cluster::connect().await?;
    let definition = CustomResourceDefinition::from_yaml(DEFINITION)?;
    let definitions = client.api::<CustomResourceDefinition>();
    definitions.create(&definition).await?;
    wait_for(&definitions, "websites.example.com", conditions::established(), Default::default()).await?;

    let websites = Clientset::new(client.clone()).example_com_v1().websites("default");
    let shop = Website {
        metadata: ObjectMeta::named("shop"),
        spec: WebsiteSpec {
            host: "shop.example".into(),
            theme: Some(WebsiteSpecTheme::Dark),
            pages: vec![WebsiteSpecPage { path: "/".into(), title: Some("Welcome".into()) }],
            ..Default::default()
        },
        ..Default::default()
    };
    let shop = websites.create(&shop).await?;
    println!("{} has {:?} replicas, by default", shop.spec.host, shop.spec.replicas);

    let informers = Informers::new(InformerFactory::new(client));
    let lister = informers.example_com_v1().websites().lister();
    informers.factory().start();
    informers.factory().wait_for_sync().await?;
    for website in lister.list() {
        for page in &website.spec.pages {
            println!(
                "{}{} in {}",
                website.spec.host,
                page.path,
                website.spec.theme.clone().unwrap_or_default()
            );
        }
    }
    informers.factory().shutdown().await;
    Ok(())
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}

#[test]
fn the_code_is_what_is_generated() -> Result<(), Box<dyn std::error::Error>> {
    let options = klient_generate::Options {
        command: "klient generate -f website.yaml -o crds.rs".to_owned(),
        ..Default::default()
    };
    let generated =
        klient_generate::generate(&klient_generate::parse("website.yaml", DEFINITION)?, &options)?;
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        generated.write("examples/generate/crds.rs")?;
    }
    assert!(generated.differences("examples/generate/crds.rs")?.is_empty(), "UPDATE_EXPECT=1 writes it");
    Ok(())
}
