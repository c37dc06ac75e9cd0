//! Custom resources with types of the program's own, on the embedded server.

use klient::api::apiextensions::v1::CustomResourceDefinition;
use klient::apimachinery::codec::{DecodeError, Encoded, Format, Wire};
use klient::apimachinery::meta::v1::ObjectMeta as Metadata;
use klient::{
    Client, Config, Informer, InformerOptions, ListOptions, Object as _, ObjectMeta, Patch, TestServer,
    Unstructured, custom_resource,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

custom_resource! {
    group: "example.com", version: "v1", kind: "Website", plural: "websites",
    scope: Namespaced, subresources: [Status, Scale];

    /// A website, of which this program knows some fields.
    #[derive(PartialEq)]
    pub(crate) struct Website {
        pub(crate) spec: Spec,
        pub(crate) status: Option<Status>,
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Spec {
    replicas: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    template: Option<Template>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pages: Vec<Page>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Template {
    theme: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Page {
    name: String,
    title: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Status {
    ready: bool,
}

/// A kind whose traits are implemented by hand, and whose struct has neither `apiVersion` nor `kind`.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Plain {
    metadata: Metadata,
    spec: Value,
}

klient::apimachinery::object!(Plain);
klient::apimachinery::resource!(Plain: Namespaced, "example.com", "v1", "Website", "websites" { Create Get Update Status });

impl Wire for Plain {
    fn from_json(bytes: &[u8]) -> Result<Self, DecodeError> {
        serde_json::from_slice(bytes).map_err(DecodeError::of_document)
    }

    fn to_json(&self, out: &mut Vec<u8>) {
        serde_json::to_writer(out, self).expect("its keys are strings");
    }
}

/// A server that serves websites, whose schema prunes nothing.
async fn websites() -> (TestServer, Client) {
    let server = TestServer::start().await.unwrap();
    let client = Client::new(Config::from_kubeconfig(&server.kubeconfig()).unwrap()).unwrap();
    let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
    let definition: CustomResourceDefinition = serde_json::from_value(json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "websites.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"kind": "Website", "plural": "websites"},
            "versions": [
                {"name": "v1", "served": true, "storage": true, "schema": schema, "subresources": {"status": {}}},
            ],
        },
    }))
    .unwrap();
    client.api::<CustomResourceDefinition>().create(&definition).await.unwrap();
    while client.api::<Website>().list(&ListOptions::default()).await.is_err() {
        tokio::task::yield_now().await;
    }
    (server, client)
}

fn website(name: &str, spec: Value) -> Unstructured {
    let mut object = Unstructured::new("example.com/v1", "Website", name);
    object["spec"] = spec;
    object
}

#[tokio::test]
async fn unknown_fields_of_a_custom_kind_survive_an_update_at_any_depth() {
    let (_server, client) = websites().await;
    let dynamic = client.dynamic(<Website as klient::Resource>::INFO).namespace("default");
    let mut shop = website(
        "shop",
        json!({
            "replicas": 1,
            "budget": {"euros": 3},
            "template": {"theme": "dark", "font": "serif"},
            "pages": [
                {"name": "a", "title": "A", "color": "red"},
                {"name": "b", "title": "B", "color": "green"},
                {"name": "c", "title": "C", "color": "blue"},
            ],
        }),
    );
    shop["owner"] = json!("ann");
    dynamic.create(&shop).await.unwrap();

    let typed = client.api::<Website>().namespace("default");
    let mut shop = typed.get("shop").await.unwrap();
    shop.spec.replicas = 2;
    shop.spec.template.as_mut().unwrap().theme = "light".into();
    // One goes, one comes, one is changed, and they change places.
    shop.spec.pages.remove(0);
    shop.spec.pages.swap(0, 1);
    shop.spec.pages[0].title = "See".into();
    shop.spec.pages.push(Page { name: "d".into(), title: "D".into() });
    let updated = typed.update(&shop).await.unwrap();
    let expected = json!({
        "replicas": 2,
        "budget": {"euros": 3},
        "template": {"theme": "light", "font": "serif"},
        "pages": [
            {"name": "c", "title": "See", "color": "blue"},
            {"name": "b", "title": "B", "color": "green"},
            {"name": "d", "title": "D"},
        ],
    });
    let stored = dynamic.get("shop").await.unwrap();
    assert_eq!((&stored["spec"], &stored["owner"]), (&expected, &json!("ann")));

    // What is removed goes with what it held, and nothing comes back.
    let mut shop = updated;
    shop.spec.template = None;
    shop.spec.pages.clear();
    typed.update(&shop).await.unwrap();
    let stored = dynamic.get("shop").await.unwrap();
    assert_eq!(stored["spec"], json!({"replicas": 2, "budget": {"euros": 3}}));

    // From a list and from a cache too.
    let mut shop = typed.list(&ListOptions::default()).await.unwrap().items.remove(0);
    shop.spec.replicas = 3;
    typed.update(&shop).await.unwrap();
    let informer = Informer::new(client.api::<Website>(), InformerOptions::default());
    informer.start();
    informer.wait_for_sync().await.unwrap();
    let mut shop = Website::clone(&informer.store().get("default/shop").unwrap());
    shop.status = Some(Status { ready: true });
    let shop = typed.update_status(&shop).await.unwrap();
    assert_eq!(shop.status, Some(Status { ready: true }));
    let stored = dynamic.get("shop").await.unwrap();
    assert_eq!(stored["spec"], json!({"replicas": 3, "budget": {"euros": 3}}));
}

#[tokio::test]
async fn a_custom_kind_has_the_api_version_and_kind_of_its_resource() {
    let (_server, client) = websites().await;
    let metadata = |name: &str| ObjectMeta::named(name);
    let declared = client.api::<Website>().namespace("default");
    let shop = Website { metadata: metadata("shop"), ..Default::default() };
    assert_eq!(declared.create(&shop).await.unwrap().name(), "shop");
    let json = serde_json::to_value(&shop).unwrap();
    assert_eq!((&json["apiVersion"], &json["kind"]), (&json!("example.com/v1"), &json!("Website")));
    assert_eq!(json.get("status"), None, "what is absent is left out");

    let plain = client.api::<Plain>().namespace("default");
    let mut shop =
        plain.create(&Plain { metadata: metadata("plain"), spec: json!({"replicas": 1}) }).await.unwrap();
    shop.spec["replicas"] = 2.into();
    let shop = plain.update(&shop).await.unwrap();
    assert_eq!(plain.update_status(&shop).await.unwrap().spec["replicas"], 2);

    let mut unstructured = Unstructured::default();
    unstructured.set_name("unstructured");
    let dynamic = client.dynamic(<Website as klient::Resource>::INFO).namespace("default");
    assert_eq!(dynamic.create(&unstructured).await.unwrap().kind(), "Website");
}

#[test]
fn objects_and_lists_of_another_kind_are_refused() {
    let error = Website::from_json(br#"{"apiVersion":"v1","kind":"Pod"}"#).unwrap_err();
    assert_eq!(error.to_string(), "expected example.com/v1 Website, found v1 Pod");
    let error = serde_json::from_value::<Website>(json!({"apiVersion": "v1", "kind": "Pod"})).unwrap_err();
    assert_eq!(error.to_string(), "expected example.com/v1 Website, found v1 Pod");
}

#[test]
fn an_object_that_does_not_fit_its_struct_says_at_which_field() {
    let check = |object: Value, path: &str, problem: &str| {
        let json = object.to_string();
        let error = Website::from_json(json.as_bytes()).unwrap_err();
        assert_eq!(error.path(), path);
        assert!(error.to_string().starts_with(problem), "{error}");
        let encoded = Encoded::<Website>::new(Format::Json, json.into_bytes());
        assert_eq!(encoded.check().unwrap_err().to_string(), error.to_string());
    };
    check(
        json!({"spec": {"replicas": "two"}}),
        "spec.replicas",
        "spec.replicas: invalid type: string, expected u32",
    );
    check(
        json!({"spec": {"pages": [{}, {"title": 3}]}}),
        "spec.pages[1].title",
        "spec.pages[1].title: invalid type: integer",
    );
    check(json!({"spec": 3}), "spec", "spec: invalid type: integer");
    check(
        json!({"status": {"ready": null}}),
        "status.ready",
        "status.ready: invalid type: null, expected a boolean",
    );
    check(
        json!({"metadata": {"labels": {"a": 1}}}),
        "metadata.labels.a",
        "metadata.labels.a: expected a string, found a number",
    );
}

/// Through an informer: which object, which field, and what became of it.
#[tokio::test]
async fn an_informer_names_the_field_that_does_not_fit() {
    let (_server, client) = websites().await;
    let dynamic = client.dynamic(<Website as klient::Resource>::INFO).namespace("default");
    for name in ["known", "unknown"] {
        let mut website = Unstructured::new("example.com/v1", "Website", name);
        website["spec"] = json!({"replicas": if name == "known" { json!(1) } else { json!(-1) }});
        dynamic.create(&website).await.unwrap();
    }
    let informer = Informer::new(client.api::<Website>(), InformerOptions::default());
    informer.start();
    informer.wait_for_sync().await.unwrap();
    let patch = Patch::Merge(json!({"spec": {"replicas": -2}}));
    let version = dynamic.patch("known", &patch).await.unwrap().resource_version().to_owned();
    informer.store().wait_for_resource_version(&version).await.unwrap();
    for (name, outcome) in [("known", "is kept in its last state that could be"), ("unknown", "is left out")]
    {
        let undecodable = informer.store().undecodable(&format!("default/{name}")).unwrap();
        assert_eq!(undecodable.error.field(), "spec.replicas");
        let text = undecodable.error.to_string();
        let begin = format!(
            "an object of websites.example.com cannot be decoded and {outcome}, default/{name} at version "
        );
        assert!(text.starts_with(&begin), "{text}");
        assert!(text.contains(": spec.replicas: invalid value: integer, expected u32"), "{text}");
    }
}

#[tokio::test]
async fn a_patch_of_a_custom_kind_gives_its_struct() {
    let (_server, client) = websites().await;
    let websites = client.api::<Website>().namespace("default");
    let metadata = ObjectMeta::named("shop");
    websites.create(&Website { metadata, ..Default::default() }).await.unwrap();
    let patched = websites.patch("shop", &Patch::Merge(json!({"spec": {"replicas": 7}}))).await.unwrap();
    assert_eq!(patched.spec, Spec { replicas: 7, ..Default::default() });
}

#[test]
fn the_json_of_a_custom_kind_has_each_field_once_and_no_null() {
    custom_resource! {
        group: "example.com", version: "v1", kind: "Loose", plural: "looses", scope: Namespaced;

        struct Loose {
            spec: Option<Spec>,
            #[serde(flatten)]
            rest: serde_json::Map<String, Value>,
        }
    }

    let written = |object: &dyn Fn(&mut Vec<u8>)| {
        let mut json = Vec::new();
        object(&mut json);
        String::from_utf8(json).unwrap()
    };
    let website = Website { metadata: ObjectMeta::named("shop"), ..Default::default() };
    let json = r#"{"apiVersion":"example.com/v1","kind":"Website","metadata":{"name":"shop"},"spec":{"replicas":0}}"#;
    assert_eq!(written(&|out| website.to_json(out)), json);

    let json = r#"{"apiVersion":"example.com/v1","kind":"Loose","metadata":{"name":"shop"},"data":{"a":1}}"#;
    let mut loose = Loose::from_json(json.as_bytes()).unwrap();
    let value =
        |object: &Loose| -> Value { serde_json::from_str(&written(&|out| object.to_json(out))).unwrap() };
    assert_eq!(value(&loose), serde_json::from_str::<Value>(json).unwrap());
    loose.rest.insert("data".to_owned(), Value::Null);
    assert_eq!(value(&loose).get("data"), None);
}

mod shapes {
    //! Types whose errors come when the value around has ended.

    use klient::custom_resource;
    use serde::{Deserialize, Serialize};

    custom_resource! {
        group: "example.com", version: "v1", kind: "Shape", plural: "shapes",
        scope: Namespaced, subresources: [];

        pub(crate) struct Shape {
            pub(crate) spec: Shapes,
        }
    }

    #[derive(Clone, Debug, Default, Serialize, Deserialize)]
    #[serde(default)]
    pub(crate) struct Shapes {
        ports: Vec<Port>,
        even: Option<Even>,
        rest: Option<Tagged>,
    }

    #[derive(Clone, Debug, Serialize, Deserialize)]
    #[serde(untagged)]
    enum Port {
        Number(u16),
        Named { name: String },
    }

    #[derive(Clone, Debug, Serialize, Deserialize)]
    #[serde(try_from = "u8", into = "u8")]
    struct Even(u8);

    #[derive(Clone, Debug, Serialize, Deserialize)]
    #[serde(tag = "type")]
    enum Tagged {
        Round { radius: u8 },
    }

    impl TryFrom<u8> for Even {
        type Error = String;

        fn try_from(number: u8) -> Result<Self, String> {
            if number.is_multiple_of(2) { Ok(Even(number)) } else { Err(format!("{number} is odd")) }
        }
    }

    impl From<Even> for u8 {
        fn from(Even(number): Even) -> u8 {
            number
        }
    }
}

#[test]
fn an_error_that_comes_late_has_the_path_of_its_value() {
    for (spec, path) in [
        (json!({"ports": ["bad", 1]}), "spec.ports[0]"),
        (json!({"ports": [1, {"name": "a"}, {"name": 1}], "even": 2}), "spec.ports[2]"),
        (json!({"ports": [1, 2, true]}), "spec.ports[2]"),
        (json!({"even": 3}), "spec.even"),
        (json!({"even": 3, "ports": []}), "spec.even"),
        (json!({"even": 2, "rest": {"type": "Square"}}), "spec.rest.type"),
        (json!({"rest": {"type": "Round", "radius": 256}, "even": 2}), "spec.rest"),
    ] {
        let document = json!({"apiVersion": "example.com/v1", "kind": "Shape", "spec": spec}).to_string();
        let error = shapes::Shape::from_json(document.as_bytes()).unwrap_err();
        assert_eq!(error.path(), path, "{spec}: {error}");
    }
}
