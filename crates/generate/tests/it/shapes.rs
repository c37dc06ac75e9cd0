//! The definitions of `crds/`, which have every shape: their code, and their objects on a server.

use std::path::{Path, PathBuf};
use std::process::Command;

use klient::api::apiextensions::v1::CustomResourceDefinition;
use klient::{
    Client, Informer, InformerFactory, ListOptions, Lister, ObjectMeta, Quantity, TestClient as _,
    TestServer, serde_json,
};
use klient_generate::{Generated, Options, generate, read};
use serde_json::json;

use crate::generated::shop_example_com::v1::{
    Bakery, BakerySpec, BakerySpecHour, BakerySpecOven, BakerySpecRack,
};
use crate::generated::shop_example_com::v1beta1;
use crate::generated::words_example_com::v1 as words;
use crate::generated::{Clientset, Informers};
use crate::round_trip::{definitions, round_trip};

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/crds")
}

fn generated() -> Generated {
    let options = Options {
        command: "klient generate -f crds --apply-configurations -o generated".to_owned(),
        apply_configurations: true,
        ..Default::default()
    };
    generate(&read([folder()]).unwrap(), &options).unwrap()
}

#[test]
fn the_code_in_this_crate_is_what_is_generated() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/generated");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        generated().write(&folder).unwrap();
    }
    let differences = generated().differences(&folder).unwrap();
    assert!(differences.is_empty(), "{differences:?}: UPDATE_EXPECT=1 writes them");
}

#[test]
fn the_code_is_formatted_as_rustfmt_does() {
    let folder = tempfile::tempdir().unwrap();
    let generated = generated();
    let mut files = vec![("single.rs".to_owned(), generated.single_file())];
    files.extend(generated.files().iter().map(|file| (file.path.replace('/', "_"), file.text.as_str())));
    std::fs::write(folder.path().join("rustfmt.toml"), "").unwrap();
    for (name, text) in files.iter().filter(|(name, _)| name != "mod.rs") {
        let file = folder.path().join(name);
        let lines: Vec<&str> = text.lines().filter(|line| line.trim() != "#[rustfmt::skip]").collect();
        std::fs::write(&file, lines.join("\n") + "\n").unwrap();
        let mut rustfmt = Command::new("rustfmt");
        let output = rustfmt.args(["--check", "--edition", "2024"]).arg(&file).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}

#[tokio::test]
async fn objects_with_every_field_survive_a_round_trip() {
    let items = all_definitions();
    assert!(round_trip::<Bakery>(&items).await > 50);
    round_trip::<v1beta1::Bakery>(&items).await;
    round_trip::<words::Option>(&items).await;
    round_trip::<words::Map>(&items).await;
    round_trip::<words::Serialize>(&items).await;
}

/// The definitions of `crds/`, alone and in lists.
pub(crate) fn all_definitions() -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(folder().join("words.yaml")).unwrap();
    let list = klient::yaml::single_document(&text).unwrap();
    let mut all = definitions(&folder());
    all.extend(list["items"].as_array().unwrap().iter().cloned());
    all
}

/// Creates the definitions, and waits until a server knows their kinds.
pub(crate) async fn install(client: &Client) {
    for mut definition in all_definitions() {
        // A version that is not served needs a schema on the server.
        if let Some(versions) = definition["spec"]["versions"].as_array_mut() {
            versions.retain(|version| version["served"] == true);
        }
        let definition: CustomResourceDefinition = serde_json::from_value(definition).unwrap();
        client.api::<CustomResourceDefinition>().create(&definition).await.unwrap();
    }
    let clientset = Clientset::new(client.clone());
    while clientset.shop_example_com_v1().bakeries("default").list(&ListOptions::default()).await.is_err() {
        tokio::task::yield_now().await;
    }
    while clientset.words_example_com_v1().options().list(&ListOptions::default()).await.is_err() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_kind_has_handles_informers_listers_status_and_scale() {
    let server = TestServer::start().await.unwrap();
    let client = server.client();
    install(&client).await;
    let bakeries = Clientset::new(client.clone()).shop_example_com_v1().bakeries("default");

    let bakery = Bakery {
        metadata: ObjectMeta::named("corner"),
        spec: BakerySpec {
            name: "corner".into(),
            oven: BakerySpecOven::WoodFired,
            ovens: 2,
            racks: vec![BakerySpecRack { name: "top".into(), level: 1, ..Default::default() }],
            flour: Some(Quantity::from("20k")),
            hours: vec![BakerySpecHour::Monday],
            ..Default::default()
        },
        ..Default::default()
    };
    let mut bakery = bakeries.create(&bakery).await.unwrap();
    let written = serde_json::to_value(&bakery.spec).unwrap();
    let expected = json!({
        "name": "corner", "port": 8080, "nothing": null, "oven": "WOOD_FIRED", "ovens": 2, "flour": "20k",
        "hours": ["Monday"], "racks": [{"name": "top", "level": 1}], "prices": {},
    });
    assert_eq!(written, expected);

    bakery.status.get_or_insert_default().ovens = Some(1);
    let mut bakery = bakeries.update_status(&bakery).await.unwrap();
    let scale = bakeries.scale("corner").await.unwrap();
    assert_eq!((scale.spec.replicas, scale.status.replicas), (Some(2), 1));

    let informers = Informers::new(InformerFactory::new(client));
    let informer: Informer<Bakery> = informers.shop_example_com_v1().bakeries();
    let lister: Lister<Bakery> = informer.lister();
    informers.factory().start();
    informers.factory().wait_for_sync().await.unwrap();
    assert_eq!(lister.len(), 1);

    // The server's message names the values that a default is not among.
    bakery.spec.oven = Default::default();
    bakery.spec.name = "CORNER".into();
    let refused = bakeries.update(&bakery).await.unwrap_err();
    assert!(refused.is_invalid() && refused.to_string().contains("spec.name"), "{refused}");
}

#[test]
fn values_and_fields_that_are_newer_than_the_definition_survive() {
    let json = json!({
        "apiVersion": "shop.example.com/v1",
        "kind": "Bakery",
        "metadata": {"name": "corner"},
        "spec": {
            "name": "corner", "oven": "SOLAR", "ovens": 1, "nothing": null, "prices": {}, "new": [1], "hours": [],
            "racks": [{"name": "top", "level": 1, "new": {"a": 1}}],
        },
    });
    let mut bakery: Bakery = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(bakery.spec.oven.as_str(), "SOLAR");
    assert_eq!(serde_json::to_value(&bakery).unwrap(), json);
    bakery.spec.racks[0].level = 2;
    let written = serde_json::to_value(&bakery).unwrap();
    assert_eq!(written["spec"]["racks"][0], json!({"name": "top", "level": 2, "new": {"a": 1}}));
}

#[test]
fn an_object_without_a_spec_stays_without_one() {
    let json = json!({"apiVersion": "words.example.com/v1", "kind": "Option", "metadata": {"name": "a"}});
    let option: words::Option = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(serde_json::to_value(&option).unwrap(), json);
    assert_eq!(
        serde_json::to_value(words::Option { metadata: option.metadata, ..Default::default() }).unwrap(),
        json
    );
}
