//! Encoding of a kubeconfig, as client-go writes it.

use klient_apimachinery::yaml;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::decode::Entry;
use super::{AuthInfo, Cluster, Context, Kubeconfig, Named, fields};

impl Kubeconfig {
    /// The kubeconfig as JSON: fields that klient knows, lists in order of names, secrets included. `null` stands for an
    /// empty list, as in client-go.
    ///
    /// ```
    /// use klient_client::Kubeconfig;
    /// let kubeconfig = Kubeconfig::parse("{contexts: [{name: a}, null], unknown: 1}")?;
    /// let contexts = serde_json::json!([
    ///     {"name": "", "context": {"cluster": "", "user": ""}},
    ///     {"name": "a", "context": {"cluster": "", "user": ""}},
    /// ]);
    /// assert_eq!(kubeconfig.to_value()["contexts"], contexts);
    /// # Ok::<(), klient_client::Error>(())
    /// ```
    pub fn to_value(&self) -> Value {
        Value::Object(self.encode(false))
    }

    /// The text of a file: all fields, with those that klient does not know, in YAML as client-go writes it.
    pub fn to_yaml(&self) -> String {
        yaml::to_string(&Value::Object(self.encode(true)))
    }

    fn encode(&self, with_unknown: bool) -> Map<String, Value> {
        let mut object = if with_unknown { self.unknown.clone() } else { Map::new() };
        object.insert("apiVersion".to_owned(), "v1".into());
        object.insert("kind".to_owned(), "Config".into());
        object.insert("current-context".to_owned(), self.current_context.as_str().into());
        insert_list::<Cluster>(&mut object, &self.clusters, with_unknown);
        insert_list::<AuthInfo>(&mut object, &self.users, with_unknown);
        insert_list::<Context>(&mut object, &self.contexts, with_unknown);
        let preferences = fields_of(&self.preferences, &[]);
        if !preferences.is_empty() {
            object.insert("preferences".to_owned(), preferences.into());
        }
        if !self.extensions.is_empty() {
            let extensions = self.extensions.iter();
            let list = extensions.map(|(name, extension)| json!({"name": name, "extension": extension}));
            object.insert("extensions".to_owned(), list.collect());
        }
        object
    }
}

fn insert_list<T: Entry>(object: &mut Map<String, Value>, list: &[Named<T>], with_unknown: bool) {
    let mut list: Vec<_> = list.iter().collect();
    list.sort_by(|a, b| a.name.cmp(&b.name));
    let items: Vec<Value> = list.into_iter().map(|named| item(named, with_unknown)).collect();
    let items = if items.is_empty() { Value::Null } else { items.into() };
    object.insert(T::LIST.to_owned(), items);
}

fn item<T: Entry>(named: &Named<T>, with_unknown: bool) -> Value {
    let mut entry = Map::from_iter([
        ("name".to_owned(), named.name.as_str().into()),
        (T::FIELD.to_owned(), fields_of(&named.value, T::REQUIRED).into()),
    ]);
    if with_unknown {
        T::NAMED.keep_unknown(&mut entry, &named.raw);
    }
    entry.into()
}

/// The fields of a struct, without those that are empty and not required.
fn fields_of(value: &impl Serialize, required: &[&str]) -> Map<String, Value> {
    let Ok(Value::Object(mut fields)) = serde_json::to_value(value) else { return Map::new() };
    for field in ["exec", "auth-provider"] {
        if let Some(Value::Object(plugin)) = fields.get_mut(field) {
            if field == "exec" { canonical_exec(plugin) } else { canonical_auth_provider(plugin) }
        }
    }
    fields.retain(|name, value| {
        let is_plugin = name == "exec" || name == "auth-provider";
        required.contains(&name.as_str()) || (is_plugin && value.is_object()) || !is_empty(value)
    });
    fields
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Number(_) => false,
    }
}

/// Sets the fields of a plugin that client-go always writes, with its defaults, and removes empty ones that it leaves
/// out.
fn canonical_exec(exec: &mut Map<String, Value>) {
    exec.retain(|name, _| fields::EXEC.has(name));
    for (field, default) in [
        ("command", json!("")),
        ("args", json!(null)),
        ("env", json!(null)),
        ("provideClusterInfo", json!(false)),
    ] {
        exec.entry(field).or_insert(default);
    }
    if let Some(Value::Array(env)) = exec.get_mut("env") {
        for variable in env.iter_mut().filter_map(Value::as_object_mut) {
            variable.retain(|name, _| name == "name" || name == "value");
            variable.entry("name").or_insert_with(|| "".into());
            variable.entry("value").or_insert_with(|| "".into());
        }
    }
    exec.retain(|name, value| {
        !matches!(name.as_str(), "apiVersion" | "installHint" | "interactiveMode") || !is_empty(value)
    });
    let version = exec.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
    let has_default =
        matches!(version, "client.authentication.k8s.io/v1beta1" | "client.authentication.k8s.io/v1alpha1");
    if has_default {
        exec.entry("interactiveMode").or_insert_with(|| "IfAvailable".into());
    }
}

fn canonical_auth_provider(provider: &mut Map<String, Value>) {
    provider.retain(|name, _| name == "name" || name == "config");
    provider.entry("name").or_insert_with(|| "".into());
    provider.entry("config").or_insert(Value::Null);
}
