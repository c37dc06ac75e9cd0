//! Several versions of a resource.

use klient::Object as _;
use klient::definitions::Definition;

use crate::cluster::TestCluster;
use crate::definitions::install;

mod v1 {
    use klient::CustomResource;
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Clone, Debug, Default, CustomResource, Deserialize, JsonSchema, Serialize)]
    #[resource(group = "example.com", version = "v1", kind = "Page", deprecated)]
    pub(crate) struct PageV1 {
        pub text: String,
    }
}

mod v2 {
    use klient::CustomResource;
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Clone, Debug, Default, CustomResource, Deserialize, JsonSchema, Serialize)]
    #[resource(group = "example.com", version = "v2", kind = "Page")]
    pub(crate) struct PageV2 {
        pub text: String,
        #[serde(default)]
        pub title: Option<String>,
    }
}

/// Another scope.
mod v3 {
    use klient::CustomResource;
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Clone, Debug, Default, CustomResource, Deserialize, JsonSchema, Serialize)]
    #[resource(group = "example.com", version = "v3", kind = "Page", scope = Cluster)]
    pub(crate) struct PageV3 {}
}

#[tokio::test]
async fn versions_are_merged_and_one_is_stored() {
    let cluster = TestCluster::start().await;
    let client = cluster.client();
    let definition = Definition::merge([v1::Page::definition(), v2::Page::definition()], "v2");
    let built = definition.build().unwrap();
    let versions = built.spec.versions.iter().map(|version| (version.name.as_str(), version.storage));
    assert_eq!(versions.collect::<Vec<_>>(), [("v1", false), ("v2", true)]);
    install(&client, definition).await;
    let page = v2::PageV2 { text: "hello".into(), title: Some("A page".into()) };
    client.api::<v2::Page>().namespace("default").create(&v2::Page::new("a", page)).await.unwrap();
    // It keeps what it does not know.
    let pages = client.api::<v1::Page>().namespace("default");
    let mut page = pages.get("a").await.unwrap();
    assert_eq!((page.name(), page.spec.text.as_str()), ("a", "hello"));
    page.spec.text = "bye".into();
    pages.update(&page).await.unwrap();
}

#[test]
fn versions_that_are_not_of_one_definition_are_told() {
    let error =
        |definitions: Vec<Definition>, stored| Definition::merge(definitions, stored).build().unwrap_err();
    assert_eq!(
        error(vec![v1::Page::definition(), v2::Page::definition()], "v3").to_string(),
        "definition pages.example.com: there is no version v3 to be stored, of v1, v2",
    );
    let twice = error(vec![v1::Page::definition(), v1::Page::definition()], "v1");
    assert_eq!(twice.problems(), ["version \"v1\" is there twice"]);
    let scopes = error(vec![v1::Page::definition(), v3::Page::definition()], "v1");
    assert_eq!(
        scopes.problems(),
        ["the versions differ in spec.scope, which is one for all: \"Namespaced\" and \"Cluster\""],
    );
    assert_eq!(
        error(Vec::new(), "v1").to_string(),
        "definition: no definition is merged: Definition::merge takes one per version",
    );
}
