//! The installation of definitions.

#![allow(dead_code, reason = "of specifications that are not written only the schema counts")]

use klient::definitions::{Declaration, Definition, Definitions, InstallOptions, schema_of};
use klient::{Client, CustomResource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::TestCluster;

/// A page.
#[derive(Clone, Debug, Default, CustomResource, Deserialize, JsonSchema, Serialize)]
#[resource(group = "example.com", version = "v1")]
struct PageSpec {
    text: String,
    #[serde(default)]
    theme: Option<String>,
    #[serde(default)]
    parts: Vec<Part>,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
struct Part {
    name: String,
    size: i32,
}

/// A definition of pages with another specification.
fn definition<Spec: JsonSchema>() -> Definition {
    Definition::new::<Page>(Declaration { spec: Some(schema_of::<Spec>()), ..Default::default() })
}

async fn cluster_with_a_page() -> (TestCluster, Client) {
    let cluster = TestCluster::start().await;
    let client = cluster.client();
    let installed = Definitions::install(&client, [Page::definition()], &Default::default()).await.unwrap();
    assert!(installed[0].invalid.is_empty());
    let page = PageSpec { text: "hello".into(), theme: Some("dark".into()), parts: Vec::new() };
    client.api::<Page>().namespace("default").create(&Page::new("a", page)).await.unwrap();
    (cluster, client)
}

#[tokio::test]
async fn a_definition_that_drops_fields_is_refused_unless_that_is_wished() {
    #[derive(JsonSchema)]
    struct Smaller {
        text: String,
        #[serde(default)]
        parts: Vec<SmallerPart>,
    }
    #[derive(JsonSchema)]
    struct SmallerPart {
        name: String,
    }
    let (_server, client) = cluster_with_a_page().await;
    let install = async |options: &InstallOptions| {
        Definitions::install(&client, [definition::<Smaller>()], options).await
    };
    assert_eq!(
        install(&InstallOptions::default()).await.unwrap_err().to_string(),
        "definition pages.example.com: it drops fields that objects may have in the cluster: spec.parts[].size, spec.theme; \
         keep them in the schema, or set InstallOptions::drop_fields",
    );
    install(&InstallOptions { drop_fields: true, ..Default::default() }).await.unwrap();
    let pages = client.api::<Page>().namespace("default");
    let page = pages.get("a").await.unwrap();
    assert_eq!((page.spec.text.as_str(), page.spec.theme), ("hello", None));
}

#[tokio::test]
async fn objects_that_a_new_schema_does_not_allow_are_told() {
    #[derive(JsonSchema)]
    struct Stricter {
        #[schemars(length(max = 3))]
        text: String,
        theme: Option<String>,
        #[serde(default)]
        parts: Vec<Part>,
    }
    let (_server, client) = cluster_with_a_page().await;
    let installed =
        Definitions::install(&client, [definition::<Stricter>()], &Default::default()).await.unwrap();
    let [(key, problem)] = &installed[0].invalid[..] else { panic!("{:?}", installed[0].invalid) };
    assert_eq!(key.to_string(), "default/a");
    assert_eq!(problem, "spec.text: Too long: may not be more than 3 bytes");
}

#[tokio::test]
async fn a_definition_of_another_owner_is_a_conflict_unless_it_is_forced() {
    let cluster = TestCluster::start().await;
    let client = cluster.client();
    let other = InstallOptions { field_manager: "helm".into(), ..Default::default() };
    Definitions::install(&client, [definition::<Part>()], &other).await.unwrap();
    let options = InstallOptions { drop_fields: true, ..Default::default() };
    let error = Definitions::install(&client, [Page::definition()], &options).await.unwrap_err();
    assert!(error.to_string().contains("conflict with \"helm\""), "{error}");
    let options = InstallOptions { force: true, ..options };
    Definitions::install(&client, [Page::definition()], &options).await.unwrap();
}

#[tokio::test]
async fn nothing_is_sent_if_one_definition_is_not_valid() {
    #[derive(JsonSchema)]
    struct Invalid {
        pair: (i32, String),
    }
    let cluster = TestCluster::start().await;
    let client = cluster.client();
    let definitions = [Page::definition(), definition::<Invalid>()];
    let error = Definitions::install(&client, definitions, &Default::default()).await.unwrap_err();
    assert_eq!(error.problems().len(), 1);
    assert!(error.to_string().starts_with("definition pages.example.com: spec.pair: a tuple"), "{error}");
    let error = client.api::<Page>().list(&Default::default()).await.unwrap_err();
    assert!(error.is_not_found(), "{error}");
}
