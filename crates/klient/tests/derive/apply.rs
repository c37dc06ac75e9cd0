//! Apply configurations of derived and declared kinds.

use std::collections::BTreeMap;

use klient::api::core::v1::{ContainerPort, ResourceRequirements};
use klient::{
    ApplyConfiguration, ApplyOptions, Condition, CustomResource, IntOrString, Object as _, Quantity,
    ResourceSchema, Time, apply, custom_resource, json,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use crate::cluster::TestCluster;
use crate::definitions::install;

/// A shop.
#[derive(Clone, Debug, Default, CustomResource, Deserialize, JsonSchema, Serialize)]
#[resource(group = "example.com", version = "v1", status = ShopStatus, apply)]
#[serde(rename_all = "camelCase")]
struct ShopSpec {
    /// The number of clerks.
    #[serde(default)]
    clerk_count: u32,
    #[serde(default)]
    theme: Theme,
    #[serde(default)]
    open: Option<bool>,
    #[serde(default)]
    #[resource(list_type = "map", list_map_keys("name"))]
    shelves: Vec<Shelf>,
    #[serde(default)]
    #[resource(list_type = "set")]
    tags: Vec<String>,
    #[serde(default)]
    prices: BTreeMap<String, i64>,
}

#[derive(ApplyConfiguration, Clone, Debug, Default, PartialEq, Deserialize, ResourceSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[resource(rule("self.levels < 9", message = "too high"))]
struct Shelf {
    name: String,
    #[serde(default)]
    levels: u8,
    #[serde(default)]
    sign: Option<Box<Sign>>,
}

#[derive(ApplyConfiguration, Clone, Debug, Default, PartialEq, Deserialize, JsonSchema, Serialize)]
struct Sign {
    text: Option<String>,
    color: Option<String>,
}

#[derive(ApplyConfiguration, Clone, Debug, Default, PartialEq, Deserialize, JsonSchema, Serialize)]
enum Theme {
    #[default]
    Light,
    Dark,
}

#[derive(ApplyConfiguration, Clone, Debug, Default, Deserialize, ResourceSchema, Serialize)]
#[serde(rename_all = "camelCase", default)]
struct ShopStatus {
    customers: i64,
    #[resource(list_type = "map", list_map_keys("type"))]
    conditions: Vec<Condition>,
}

fn shop() -> ShopApplyConfiguration {
    ShopApplyConfiguration::new("corner", "default")
}

fn spec() -> ShopSpecApplyConfiguration {
    ShopSpecApplyConfiguration::new()
}

fn shelf(name: &str) -> ShelfApplyConfiguration {
    ShelfApplyConfiguration::new().name(name)
}

#[test]
fn a_configuration_has_what_was_said_and_nothing_else() {
    assert_eq!(
        shop().into_value(),
        json!({"apiVersion": "example.com/v1", "kind": "Shop", "metadata": {"name": "corner", "namespace": "default"}}),
    );
    let full = shop().labels([("app", "shop")]).finalizers(["example.com/close"]).spec(
        spec()
            .clerk_count(0)
            .theme(Theme::Dark)
            .open(false)
            .shelves([shelf("a").levels(2).sign(SignApplyConfiguration::new().text("A"))])
            .shelves([shelf("b")])
            .tags(["x", "y"])
            .tags([String::from("x")])
            .prices([("tea", 3)])
            .prices([("tea", 4), ("jam", 0)]),
    );
    assert_eq!(
        full.as_map()["spec"],
        json!({
            "clerkCount": 0, "theme": "Dark", "open": false,
            "shelves": [{"name": "a", "levels": 2, "sign": {"text": "A"}}, {"name": "b"}],
            "tags": ["x", "y", "x"], "prices": {"tea": 4, "jam": 0},
        }),
    );
    assert_eq!(full.as_map()["metadata"]["labels"], json!({"app": "shop"}));
    assert_eq!(spec().shelves([]).into_value(), json!({"shelves": []}));
    let condition = apply::meta::v1::Condition::new().type_("Open").status("True");
    let status = ShopStatusApplyConfiguration::new().conditions([condition]);
    assert_eq!(
        shop().status(status).as_map()["status"],
        json!({"conditions": [{"type": "Open", "status": "True"}]}),
    );
}

#[tokio::test]
async fn what_was_not_said_stays_with_its_owners() {
    let cluster = TestCluster::start().await;
    let client = cluster.client();
    install(&client, Shop::definition()).await;
    let shops = client.api::<Shop>().namespace("default");
    let mine = ApplyOptions::new("me");
    let applied = shops.apply(&shop().spec(spec().shelves([shelf("a").levels(2)])), &mine).await.unwrap();
    assert_eq!(applied.spec.clerk_count, 0);

    let theirs = ApplyOptions::new("them");
    let other = shop().spec(spec().clerk_count(7).shelves([shelf("b").levels(1)]));
    shops.apply(&other, &theirs).await.unwrap();
    // My shelf is changed, without a word of the others.
    let changed = shops.apply(&shop().spec(spec().shelves([shelf("a").levels(3)])), &mine).await.unwrap();
    assert_eq!(changed.spec.clerk_count, 7);
    let levels = changed.spec.shelves.iter().map(|shelf| (shelf.name.as_str(), shelf.levels));
    assert_eq!(levels.collect::<Vec<_>>(), [("a", 3), ("b", 1)]);

    let error = shops.apply(&shop().spec(spec().clerk_count(8)), &mine).await.unwrap_err();
    assert!(error.is_conflict(), "{error}");
    assert!(error.to_string().contains("conflict with \"them\": .spec.clerkCount"), "{error}");

    let error = shops.apply(&shop().spec(spec().shelves([shelf("a").levels(9)])), &mine).await.unwrap_err();
    assert!(error.to_string().contains("too high"), "{error}");

    let status = ShopStatusApplyConfiguration::new().customers(5);
    let shop = shops.apply_status(&shop().status(status), &mine).await.unwrap();
    assert_eq!(shop.status.unwrap().customers, 5);
}

#[tokio::test]
async fn what_a_manager_has_applied_is_extracted_changed_and_applied_again() {
    let cluster = TestCluster::start().await;
    let client = cluster.client();
    install(&client, Shop::definition()).await;
    let shops = client.api::<Shop>().namespace("default");
    let mine = ApplyOptions::new("me");
    let first = shop().spec(spec().shelves([shelf("a").levels(2)]).tags(["x"]).prices([("tea", 3)]));
    shops.apply(&first, &mine).await.unwrap();
    let other = shop().spec(spec().clerk_count(7).shelves([shelf("b")]).tags(["y"]).prices([("jam", 1)]));
    let object = shops.apply(&other, &ApplyOptions::new("them")).await.unwrap();

    let extracted = ShopApplyConfiguration::extract(&object, "me").unwrap();
    assert_eq!(extracted, first);
    let changed = extracted.spec(spec().tags(["z"]));
    let object = shops.apply(&changed, &mine).await.unwrap();
    // The shelf was mine alone and is gone.
    assert_eq!(object.spec.shelves, [Shelf { name: "b".into(), ..Default::default() }]);
    assert_eq!(object.spec.tags, ["y", "z"]);

    let status = shop().status(ShopStatusApplyConfiguration::new().customers(5));
    let object = shops.apply_status(&status, &mine).await.unwrap();
    assert_eq!(ShopApplyConfiguration::extract_subresource(&object, "me", "status").unwrap(), status);
    let nothing = ShopApplyConfiguration::extract(&object, "nobody").unwrap();
    assert_eq!(nothing, shop());
}

#[test]
fn documents_with_fields_that_the_structs_do_not_have_are_refused_by_name() {
    let yaml = "apiVersion: example.com/v1
kind: Shop
metadata: {name: corner, namespace: default}
spec: {clerkCount: 2, shelves: [{name: a}]}
";
    let read = ShopApplyConfiguration::from_yaml(yaml).unwrap();
    assert_eq!(read, shop().spec(spec().clerk_count(2).shelves([shelf("a")])));
    let problem = |from: &str, to: &str| {
        ShopApplyConfiguration::from_yaml(&yaml.replace(from, to)).unwrap_err().to_string()
    };
    assert_eq!(
        problem("clerkCount", "clerk_count"),
        "example.com/v1 Shop: .spec.clerk_count: field not declared in schema",
    );
    assert_eq!(
        problem("{name: a}", "{name: a, high: 1}"),
        "example.com/v1 Shop: .spec.shelves[name=\"a\"].high: field not declared in schema",
    );
    assert_eq!(problem("kind: Shop", "kind: Stall"), "example.com/v1 Shop: it is example.com/v1 Stall");
    let wrong = problem("clerkCount: 2", "clerkCount: two");
    assert!(wrong.contains(".spec.clerkCount: expected numeric"), "{wrong}");
    let error = serde_json::from_value::<ShopSpecApplyConfiguration>(json!({"clerks": 2})).unwrap_err();
    assert_eq!(error.to_string(), "ShopSpec: .clerks: field not declared in schema");
}

#[test]
fn a_configuration_is_shown_and_written_and_read_as_json() {
    let configuration = shop().spec(spec().tags(["x"]));
    let json = configuration.to_string();
    assert_eq!(serde_json::from_str::<ShopApplyConfiguration>(&json).unwrap(), configuration);
    assert_eq!(ShopApplyConfiguration::from_json(&json).unwrap(), configuration);
    assert_eq!(Value::from(configuration.clone()), serde_json::to_value(&configuration).unwrap());
    assert_eq!(format!("{:?}", spec().tags(["x"])), r#"ShopSpec {"tags": ["x"]}"#);
}

/// All that serde may say of a field.
#[derive(ApplyConfiguration, Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Fields {
    #[serde(rename = "kind-of")]
    kind: String,
    two_words: Option<Box<i32>>,
    #[serde(rename(serialize = "out", deserialize = "in"))]
    out: f64,
    r#type: String,
    #[serde(skip)]
    #[allow(dead_code, reason = "it is in no JSON")]
    skipped: u8,
    #[serde(flatten)]
    sign: Sign2,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
    #[serde(serialize_with = "hexadecimal")]
    hex: u32,
    port: Port,
    resources: ResourceRequirements,
    ports: Vec<ContainerPort>,
    size: Quantity,
    limit: IntOrString,
    at: Option<Time>,
    any: Value,
    by_shelf: BTreeMap<String, Shelf>,
    lists: BTreeMap<String, Vec<String>>,
    tree: Option<Box<Tree>>,
    #[apply(value)]
    whole: Option<Foreign>,
    new: bool,
}

#[derive(ApplyConfiguration, Clone, Debug, Default, Deserialize, Serialize)]
struct Sign2 {
    text: Option<String>,
}

#[derive(ApplyConfiguration, Clone, Debug, Default, Deserialize, Serialize)]
struct Port(u16);

#[derive(ApplyConfiguration, Clone, Debug, Default, Deserialize, Serialize)]
struct Tree {
    name: String,
    children: Vec<Tree>,
}

/// A type of another crate, as it were.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
struct Foreign {
    zero: u8,
}

fn hexadecimal<S: Serializer>(number: &u32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format!("{number:x}"))
}

#[test]
fn attributes_of_serde_and_types_of_every_shape_are_honoured() {
    let fields = FieldsApplyConfiguration::new()
        .kind("a")
        .two_words(2)
        .out(0.5)
        .r#type("t")
        .sign(Sign2ApplyConfiguration::new().text("flat"))
        .rest(BTreeMap::from([("more".to_owned(), json!([1]))]))
        .hex(255)
        .port(Port(80))
        .resources(apply::core::v1::ResourceRequirements::new().limits([("cpu", Quantity::from("1"))]))
        .ports([apply::core::v1::ContainerPort::new().container_port(80)])
        .size("1Gi")
        .limit("50%")
        .at(Time::from_unix(0))
        .any(7)
        .by_shelf([("left", shelf("a"))])
        .lists([("x", vec!["y".to_owned()])])
        .tree(TreeApplyConfiguration::new().children([TreeApplyConfiguration::new().name("leaf")]))
        .whole(Foreign { zero: 0 })
        .new_(true);
    let expected = json!({
        "kind-of": "a", "two-words": 2, "out": 0.5, "type": "t", "text": "flat", "more": [1], "hex": "ff", "port": 80,
        "resources": {"limits": {"cpu": "1"}}, "ports": [{"containerPort": 80}], "size": "1Gi", "limit": "50%",
        "at": "1970-01-01T00:00:00Z", "any": 7, "by-shelf": {"left": {"name": "a"}}, "lists": {"x": ["y"]},
        "tree": {"children": [{"name": "leaf"}]}, "whole": {"zero": 0}, "new": true,
    });
    assert_eq!(fields.into_value(), expected);
    // All that serde writes can be set.
    let written = serde_json::to_value(Fields { tree: Some(Box::default()), ..Default::default() }).unwrap();
    let missing = written.as_object().unwrap().keys().find(|name| expected.get(name).is_none());
    assert_eq!(missing, None);
    // A map is flattened into it, so that any field is allowed.
    serde_json::from_value::<FieldsApplyConfiguration>(expected).unwrap();
    let tree = |value: Value| serde_json::from_value::<TreeApplyConfiguration>(value);
    tree(json!({"children": [{"children": [{"name": "a"}]}]})).unwrap();
    assert!(tree(json!({"child": 1})).is_err());
}

custom_resource! {
    group: "example.com", version: "v1", kind: "Island", plural: "islands",
    scope: Cluster, subresources: [Status];

    /// An island.
    #[derive(ApplyConfiguration)]
    #[apply(scope = Cluster)]
    pub(crate) struct Island {
        pub(crate) spec: IslandSpec,
        pub(crate) labels: BTreeMap<String, String>,
    }
}

#[derive(ApplyConfiguration, Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct IslandSpec {
    people: Option<u32>,
    #[apply(list_type = "map", list_map_keys("name"))]
    beaches: Vec<Beach>,
}

#[derive(ApplyConfiguration, Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Beach {
    name: String,
    meters: Option<u32>,
}

#[test]
fn a_declared_kind_has_a_configuration_without_a_schema() {
    let beach = |name: &str| BeachApplyConfiguration::new().name(name);
    let island = IslandApplyConfiguration::new("far")
        .labels([("a", "b")])
        .labels_([("c", "d")])
        .spec(IslandSpecApplyConfiguration::new().people(0).beaches([beach("north").meters(3)]));
    assert_eq!(
        island.clone().into_value(),
        json!({
            "apiVersion": "example.com/v1", "kind": "Island", "metadata": {"name": "far", "labels": {"a": "b"}},
            "labels": {"c": "d"}, "spec": {"people": 0, "beaches": [{"name": "north", "meters": 3}]},
        }),
    );
    let mut object = island.into_value();
    object["spec"]["beaches"].as_array_mut().unwrap().push(json!({"name": "south"}));
    object["metadata"]["managedFields"] = json!([{
        "manager": "me", "operation": "Apply", "apiVersion": "example.com/v1", "fieldsType": "FieldsV1",
        "fieldsV1": {"f:spec": {"f:beaches": {"k:{\"name\":\"south\"}": {".": {}, "f:name": {}}}}},
    }]);
    let object: Island = serde_json::from_value(object).unwrap();
    assert_eq!(object.name(), "far");
    let extracted = IslandApplyConfiguration::extract(&object, "me").unwrap();
    let expected = IslandApplyConfiguration::new("far")
        .spec(IslandSpecApplyConfiguration::new().beaches([beach("south")]));
    assert_eq!(extracted, expected);
}
