//! [`Widget`], the custom resource that controllers reconcile, with its definition and objects.

use klient_apimachinery::meta::v1::{Condition, ObjectMeta};
use klient_apimachinery::{Map, custom_resource};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

custom_resource! {
    group: "example.com", version: "v1", kind: "Widget", plural: "widgets",
    scope: Namespaced, subresources: [Status];

    pub struct Widget {
        pub spec: WidgetSpec,
        pub status: Option<WidgetStatus>,
    }
}

custom_resource! {
    group: "rules.example.com", version: "v1", kind: "Widget", plural: "widgets",
    scope: Namespaced, subresources: [Status];

    /// A widget that the rules of its definition are evaluated for.
    pub struct RuledWidget {
        pub spec: WidgetSpec,
        pub status: Option<WidgetStatus>,
    }
}

impl From<Widget> for RuledWidget {
    fn from(Widget { metadata, spec, status, .. }: Widget) -> Self {
        RuledWidget { metadata, spec, status, ..Default::default() }
    }
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WidgetSpec {
    pub size: i64,
    pub color: String,
    pub image: String,
    pub args: Vec<String>,
    pub env: Vec<EnvVar>,
    pub resources: Resources,
    /// The time of the last change in nanoseconds of the monotonic clock; 0 before the first.
    pub token: i64,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct EnvVar {
    pub name: String,
    pub value: String,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Resources {
    pub cpu: String,
    pub memory: String,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WidgetStatus {
    pub observed_generation: i64,
    pub conditions: Vec<Condition>,
}

/// The widget of a number: 1.3 KB of JSON, and 0.8 KB of managed fields.
pub fn widget(number: usize) -> Widget {
    let name = name(number);
    let labels: Map<_> = [
        ("app.kubernetes.io/name", "widget".to_owned()),
        ("app.kubernetes.io/instance", name.clone()),
        ("app.kubernetes.io/part-of", format!("shop-{:02}", number % 50)),
        ("app.kubernetes.io/managed-by", "bench".to_owned()),
        ("example.com/team", format!("team-{:02}", number % 20)),
    ]
    .into();
    let annotations: Map<_> = [
        (
            "example.com/description",
            format!("The widget {number}, which shows what is in stock at the moment"),
        ),
        ("example.com/checksum", format!("{:064x}", number * 0x9e37_79b9)),
    ]
    .into();
    let env = |index: usize| EnvVar {
        name: format!("SETTING_{index}"),
        value: format!("value-{}", number * 10 + index),
    };
    Widget {
        metadata: ObjectMeta { labels, annotations, ..ObjectMeta::named(name) },
        spec: WidgetSpec {
            size: (number % 100) as i64,
            color: ["red", "green", "blue"][number % 3].to_owned(),
            image: format!("registry.example.com/shop/widget:1.{}", number % 7),
            args: ["--listen=:8080", "--log-level=info", "--cache-size=128Mi"].map(str::to_owned).to_vec(),
            env: (0..8).map(env).collect(),
            resources: Resources { cpu: "250m".to_owned(), memory: "128Mi".to_owned() },
            token: 0,
        },
        ..Default::default()
    }
}

pub fn name(number: usize) -> String {
    format!("widget-{number:05}")
}

/// The number in a widget's name.
pub fn number(name: &str) -> usize {
    name.strip_prefix("widget-").and_then(|number| number.parse().ok()).expect("it is a widget's name")
}

/// The CustomResourceDefinition.
pub fn definition() -> Value {
    let text = json!({"type": "string"});
    let integer = json!({"type": "integer", "format": "int64"});
    let object = |properties: Value| json!({"type": "object", "properties": properties});
    let list = |items: Value| json!({"type": "array", "items": items});
    let condition = object(json!({
        "type": text, "status": text, "reason": text, "message": text,
        "lastTransitionTime": {"type": "string", "format": "date-time"}, "observedGeneration": integer,
    }));
    let spec = object(json!({
        "size": integer, "color": text, "image": text, "args": list(text.clone()),
        "env": list(object(json!({"name": text, "value": text}))),
        "resources": object(json!({"cpu": text, "memory": text})),
        "token": integer,
    }));
    let status = object(json!({"observedGeneration": integer, "conditions": list(condition)}));
    let schema = object(json!({"spec": spec, "status": status}));
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com", "scope": "Namespaced",
            "names": {"kind": "Widget", "plural": "widgets"},
            "versions": [{
                "name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": schema}, "subresources": {"status": {}},
            }],
        },
    })
}

/// The CustomResourceDefinition of widgets with seven rules, and the limits without which those would cost too much.
pub fn ruled_definition() -> Value {
    let mut definition = definition();
    definition["metadata"]["name"] = "widgets.rules.example.com".into();
    definition["spec"]["group"] = "rules.example.com".into();
    let schema = &mut definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    let spec = &mut schema["properties"]["spec"];
    let rule = |rule: &str, message: &str| json!({"rule": rule, "message": message});
    spec["x-kubernetes-validations"] = json!([
        rule("self.size >= 0 && self.size < 1000", "size must be less than 1000"),
        rule("self.color in ['red', 'green', 'blue']", "color must be red, green or blue"),
        rule("self.image.startsWith('registry.example.com/')", "image must be one of ours"),
        rule("self.args.exists(arg, arg.startsWith('--listen='))", "args must say where to listen"),
        rule("self.env.all(one, one.name.startsWith('SETTING_'))", "env may have settings only"),
        rule("isQuantity(self.resources.cpu) && quantity(self.resources.cpu).isGreaterThan(quantity('0'))", "cpu must be positive"),
    ]);
    let properties = &mut spec["properties"];
    properties["args"]["maxItems"] = 16.into();
    properties["args"]["items"]["maxLength"] = 256.into();
    properties["image"]["maxLength"] = 256.into();
    properties["color"]["maxLength"] = 16.into();
    properties["resources"]["properties"]["cpu"]["maxLength"] = 16.into();
    let env = &mut properties["env"];
    env["maxItems"] = 16.into();
    env["items"]["properties"]["name"]["maxLength"] = 64.into();
    env["items"]["x-kubernetes-validations"] = json!([rule("self.value != ''", "value must not be empty")]);
    definition
}
