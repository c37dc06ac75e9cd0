//! The objects that go with an object.

use klient_client::{Client, Config};
use klient_gateway::{Access, Options};
use serde_json::{Value, json};

use crate::stage::{DEFINITIONS, GADGETS, MAPS, Stage};

fn owner(object: &Value) -> Value {
    json!({
        "apiVersion": object["apiVersion"], "kind": object["kind"],
        "name": object["metadata"]["name"], "uid": object["metadata"]["uid"],
    })
}

/// Creates an object with owners.
async fn create(stage: &Stage, path: &str, name: &str, owners: &[&Value]) -> Value {
    let owners: Vec<Value> = owners.iter().map(|object| owner(object)).collect();
    let mut object = json!({ "metadata": { "name": name, "ownerReferences": owners } });
    if path.ends_with("/gadgets") {
        object["apiVersion"] = "shop.example/v1".into();
        object["kind"] = "Gadget".into();
    }
    stage.create(path, object).await
}

/// The owned objects in words: kind, name, depth, and whether they stay.
fn words(found: &Value) -> Vec<String> {
    let owned = found["owned"].as_array().unwrap_or_else(|| panic!("{found}")).iter();
    owned
        .map(|item| {
            let [kind, name] = ["kind", "name"].map(|key| item[key].as_str().unwrap());
            let stays = if item["goes"] == true { "" } else { " stays" };
            format!("{kind} {name} {}{stays}", item["depth"])
        })
        .collect()
}

const ROOT: &str = "/v1/object/core/v1/configmaps/root?namespace=default";
const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/default/leases";

#[tokio::test(flavor = "multi_thread")]
async fn objects_of_any_kind_are_found_down_to_a_depth_and_those_with_other_owners_stay() {
    let stage = Stage::start(Options::default()).await;
    stage.define_gadgets().await;
    let root = create(&stage, MAPS, "root", &[]).await;
    let other = create(&stage, MAPS, "other", &[]).await;
    let gadget = create(&stage, GADGETS, "gadget", &[&root]).await;
    let lease = create(&stage, LEASES, "lease", &[&gadget]).await;
    create(&stage, MAPS, "leaf", &[&lease, &root]).await;
    let shared = create(&stage, GADGETS, "shared", &[&root, &other]).await;
    create(&stage, LEASES, "below", &[&shared]).await;
    // Not in the namespace, and of another owner.
    create(&stage, "/api/v1/namespaces/kube-system/configmaps", "elsewhere", &[&root]).await;
    create(&stage, LEASES, "foreign", &[&other]).await;

    let found = stage.get(ROOT).await.json();
    assert_eq!((&found["ownedComplete"], &found["problems"]), (&json!(true), &json!([])));
    assert_eq!(
        words(&found),
        [
            "ConfigMap leaf 1",
            "Gadget gadget 1",
            "Gadget shared 1 stays",
            "Lease below 2 stays",
            "Lease lease 2"
        ]
    );
    let shared = &found["owned"][2];
    assert_eq!(shared["others"], json!([{ "kind": "ConfigMap", "name": "other" }]));
    assert_eq!(
        (&shared["path"], &shared["owner"]),
        (&json!("shop.example/v1/gadgets"), &root["metadata"]["uid"])
    );
    let near = stage.get(&format!("{ROOT}&depth=1")).await.json();
    assert_eq!(words(&near), ["ConfigMap leaf 1", "Gadget gadget 1", "Gadget shared 1 stays"]);
    let none = stage.get(&format!("{ROOT}&depth=0")).await.json();
    assert_eq!((words(&none).len(), &none["ownedComplete"]), (0, &json!(true)));
    // Up again, and past an owner that was replaced by another object of its name.
    let lease = "/v1/object/coordination.k8s.io/v1/leases/lease?namespace=default";
    let owners = |found: Value| -> Vec<String> {
        let owners = found["owners"].as_array().unwrap().iter();
        owners.map(|owner| format!("{} {}", owner["name"], owner["error"]["code"])).collect()
    };
    assert_eq!(owners(stage.get(lease).await.json()), ["\"gadget\" null", "\"root\" null"]);
    stage.delete(&format!("{MAPS}/root")).await;
    create(&stage, MAPS, "root", &[]).await;
    assert_eq!(owners(stage.get(lease).await.json()), ["\"gadget\" null", "\"root\" \"not_found\""]);
    assert_eq!(words(&stage.get(ROOT).await.json()).len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_and_a_definition_take_what_is_theirs_along() {
    let stage = Stage::start(Options::default()).await;
    stage.define_gadgets().await;
    stage.create("/api/v1/namespaces", json!({ "metadata": { "name": "shop" } })).await;
    let maps = "/api/v1/namespaces/shop/configmaps";
    let parent = create(&stage, maps, "parent", &[]).await;
    create(&stage, maps, "child", &[&parent]).await;
    let gadget = create(&stage, &GADGETS.replace("default", "shop"), "g", &[]).await;
    create(&stage, maps, "of-gadget", &[&gadget]).await;
    let all = ["ConfigMap child 2", "ConfigMap of-gadget 2", "ConfigMap parent 1", "Gadget g 1"];
    assert_eq!(words(&stage.get("/v1/object/core/v1/namespaces/shop").await.json()), all);
    let definition = "/v1/object/apiextensions.k8s.io/v1/customresourcedefinitions/gadgets.shop.example";
    assert_eq!(words(&stage.get(definition).await.json()), ["ConfigMap of-gadget 2", "Gadget g 1"]);
    stage.delete(&format!("{DEFINITIONS}/gadgets.shop.example")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn long_lists_are_read_to_their_end() {
    let stage = Stage::start(Options::default()).await;
    let root = create(&stage, MAPS, "root", &[]).await;
    for at in 0..520 {
        create(&stage, MAPS, &format!("m{at:03}"), &[&root]).await;
    }
    assert_eq!(words(&stage.get(ROOT).await.json()).len(), 520);
}

#[tokio::test(flavor = "multi_thread")]
async fn kinds_that_the_user_may_not_list_are_told() {
    let stage = Stage::start(Options { access: Access::Bearer, ..Options::default() }).await;
    let root = create(&stage, MAPS, "root", &[]).await;
    create(&stage, MAPS, "leaf", &[&root]).await;
    stage.allow("ada", None, &["configmaps", "events"]).await;
    let token = stage.server.token("ada", &[]);
    let mut config = Config::from_url(&format!("http://{}", stage.address)).unwrap();
    config.credentials = klient_client::Credentials::token(token.as_str());
    let request = Client::new(config).unwrap().request(http::Method::GET).request_uri(ROOT);
    let found: Value = serde_json::from_slice(request.send().await.unwrap().bytes()).unwrap();
    assert_eq!(
        (words(&found), &found["ownedComplete"]),
        (vec!["ConfigMap leaf 1".to_owned()], &json!(false))
    );
    let problems = found["problems"].as_array().unwrap();
    let secrets = problems.iter().find(|problem| problem["part"] == "secrets").unwrap();
    assert_eq!(secrets["error"]["code"], "forbidden");
}
