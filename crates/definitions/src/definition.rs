//! [`Definition`]: a CustomResourceDefinition in the making.

use klient_api::apiextensions::v1::{CustomResourceDefinition, WebhookClientConfig};
use klient_apiextensions::definition;
use klient_apimachinery::codec::Wire as _;
use klient_apimachinery::validation::field::FieldError;
use klient_apimachinery::{Resource, ResourceInfo, Unstructured, yaml};
use schemars::Schema;
use serde_json::{Map, Value, json};

use crate::declaration::{Column, Declaration, Rule};
use crate::error::Error;
use crate::structural::Converter;

/// A kind that defines its custom resource, as by `#[derive(CustomResource)]`.
pub trait Defined: Resource {
    /// The definition with this version of the resource, which is served and stored.
    fn definition() -> Definition;
}

/// A CustomResourceDefinition in the making: of one version, or of several that are [merged](Self::merge).
#[derive(Clone, Debug)]
pub struct Definition {
    /// The object, as JSON.
    object: Value,
    problems: Vec<String>,
}

impl Definition {
    /// The definition of a resource in one version, which is served and stored.
    pub fn new<K: Resource>(declaration: Declaration) -> Self {
        Self::of(&K::INFO, declaration)
    }

    fn of(info: &ResourceInfo, declaration: Declaration) -> Self {
        let mut problems = Vec::new();
        let version = version(info, &declaration, &mut problems);
        let Declaration { singular, short_names, categories, .. } = declaration;
        let kind = &*info.kind;
        let mut names = json!({
            "kind": kind,
            "listKind": format!("{kind}List"),
            "plural": info.plural,
            "singular": singular.map_or_else(|| kind.to_lowercase(), str::to_owned),
        });
        for (field, values) in [("shortNames", short_names), ("categories", categories)] {
            if !values.is_empty() {
                names[field] = json!(values);
            }
        }
        let mut metadata = json!({"name": info.group_resource()});
        for (field, pairs) in [("labels", declaration.labels), ("annotations", declaration.annotations)] {
            if !pairs.is_empty() {
                metadata[field] =
                    pairs.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
            }
        }
        let object = json!({
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": metadata,
            "spec": {
                "group": info.group,
                "names": names,
                "scope": if info.namespaced { "Namespaced" } else { "Cluster" },
                "versions": [version],
            },
        });
        Definition { object, problems }
    }

    /// The definition of a resource in several versions, of which one is stored: such as `"v2"`. The names are those of the
    /// stored version.
    ///
    /// Objects are converted between them by their `apiVersion` alone, unless there is a
    /// [webhook](Self::conversion_webhook).
    pub fn merge(definitions: impl IntoIterator<Item = Definition>, stored: &str) -> Self {
        let definitions: Vec<_> = definitions.into_iter().collect();
        let is_stored =
            |definition: &&Definition| definition.versions().iter().any(|version| version["name"] == stored);
        let mut merged = match definitions.iter().find(is_stored).or(definitions.first()) {
            Some(definition) => Definition { object: definition.object.clone(), problems: Vec::new() },
            None => {
                Definition { object: json!({"metadata": {"name": ""}, "spec": {}}), problems: Vec::new() }
            }
        };
        if !definitions.iter().any(|definition| is_stored(&definition)) {
            let known: Vec<_> = definitions
                .iter()
                .flat_map(Self::versions)
                .filter_map(|version| version["name"].as_str())
                .collect();
            merged.problems.push(match known.is_empty() {
                true => "no definition is merged: Definition::merge takes one per version".to_owned(),
                false => format!("there is no version {stored} to be stored, of {}", known.join(", ")),
            });
        }
        let mut versions: Vec<Value> = Vec::new();
        for definition in definitions {
            let (name, other) = (merged.name().to_owned(), definition.name());
            if other != name {
                merged
                    .problems
                    .push(format!("{other} is another resource: each has a definition of its own"));
            }
            let (one, other) = (&merged.object["spec"]["scope"], &definition.object["spec"]["scope"]);
            if one != other {
                let problem =
                    format!("the versions differ in spec.scope, which is one for all: {one} and {other}");
                merged.problems.push(problem);
            }
            merged.problems.extend(definition.problems.iter().cloned());
            for mut version in definition.versions().iter().cloned() {
                if versions.iter().any(|other| other["name"] == version["name"]) {
                    merged.problems.push(format!("version {} is there twice", version["name"]));
                    continue;
                }
                version["storage"] = Value::Bool(version["name"] == stored);
                versions.push(version);
            }
        }
        merged.object["spec"]["versions"] = Value::Array(versions);
        merged
    }

    /// Lets a webhook at an address convert objects between the versions, with reviews of version 1. Without a `caBundle` the
    /// definition keeps the one that it has in the cluster.
    ///
    /// The webhook is to be reachable when the definition is installed in a cluster with objects of another version than the
    /// one that is stored.
    pub fn conversion_webhook(mut self, address: WebhookClientConfig) -> Self {
        let address = serde_json::to_value(address).expect("an address is JSON");
        self.object["spec"]["conversion"] = json!({
            "strategy": "Webhook",
            "webhook": {"clientConfig": address, "conversionReviewVersions": ["v1"]},
        });
        self
    }

    /// The name, such as `websites.example.com`.
    pub fn name(&self) -> &str {
        self.object["metadata"]["name"].as_str().unwrap_or_default()
    }

    fn versions(&self) -> &[Value] {
        self.object["spec"]["versions"].as_array().map_or(&[], Vec::as_slice)
    }

    /// Checks the definition by the rules of the server, with the rules in CEL, and returns it.
    ///
    /// # Errors
    ///
    /// All reasons for which a server would not accept it, each with its field.
    pub fn build(&self) -> Result<CustomResourceDefinition, Error> {
        let object = self.object()?;
        let object = Unstructured(object);
        object.to_typed().map_err(|error| Error::new(self.name(), vec![error.to_string()]))
    }

    /// The checked definition as a document in YAML, for `kubectl apply`.
    ///
    /// # Errors
    ///
    /// Those of [`build`](Self::build).
    pub fn to_yaml(&self) -> Result<String, Error> {
        let mut json = Vec::new();
        Unstructured(self.object()?).to_json(&mut json);
        let object: Value = serde_json::from_slice(&json).unwrap_or_default();
        Ok(yaml::to_string(&object))
    }

    /// The checked definition as JSON.
    pub(crate) fn object(&self) -> Result<Map<String, Value>, Error> {
        let mut problems = self.problems.clone();
        let object = self.object.as_object().cloned().unwrap_or_default();
        // What cannot be converted has an incomplete schema, which is not to be told of.
        if problems.is_empty() {
            let mut defaulted = object.clone();
            definition::default(&mut defaulted);
            problems.extend(definition::validate(&defaulted).iter().map(FieldError::brief));
        }
        if problems.is_empty() { Ok(object) } else { Err(Error::new(self.name(), problems)) }
    }
}

/// A version of a definition.
fn version(info: &ResourceInfo, declaration: &Declaration, problems: &mut Vec<String>) -> Value {
    let mut subresources = Map::new();
    if declaration.status.is_some() {
        subresources.insert("status".into(), json!({}));
    }
    if let Some(scale) = &declaration.scale {
        let mut paths = json!({"specReplicasPath": scale.spec, "statusReplicasPath": scale.status});
        if let Some(selector) = scale.selector {
            paths["labelSelectorPath"] = selector.into();
        }
        subresources.insert("scale".into(), paths);
    }
    let mut version = json!({
        "name": info.version,
        "served": !declaration.is_not_served,
        "storage": true,
        "schema": {"openAPIV3Schema": schema(declaration, problems)},
    });
    if !subresources.is_empty() {
        version["subresources"] = subresources.into();
    }
    if !declaration.columns.is_empty() {
        version["additionalPrinterColumns"] = declaration.columns.iter().map(column).collect();
    }
    if !declaration.selectable_fields.is_empty() {
        let field = |path: &&str| json!({"jsonPath": path});
        version["selectableFields"] = declaration.selectable_fields.iter().map(field).collect();
    }
    if let Some(warning) = declaration.deprecated {
        version["deprecated"] = true.into();
        if !warning.is_empty() {
            version["deprecationWarning"] = warning.into();
        }
    }
    version
}

/// The schema of an object.
fn schema(declaration: &Declaration, problems: &mut Vec<String>) -> Value {
    let mut converter = Converter::default();
    let mut convert = |schema: &Option<Schema>, field: &str| {
        schema.as_ref().map(|schema| Value::Object(converter.convert(schema.clone().to_value(), field)))
    };
    let (spec, status) = (convert(&declaration.spec, "spec"), convert(&declaration.status, "status"));
    problems.extend(converter.problems);
    let mut schema = json!({"type": "object"});
    if let Some(description) = spec.as_ref().and_then(|spec| spec.get("description")) {
        schema["description"] = description.clone();
    }
    if spec.is_some() {
        schema["required"] = json!(["spec"]);
    }
    let fields = [("spec", spec), ("status", status)];
    schema["properties"] =
        fields.into_iter().filter_map(|(name, schema)| Some((name.to_owned(), schema?))).collect();
    if !declaration.rules.is_empty() {
        schema["x-kubernetes-validations"] = declaration.rules.iter().map(rule).collect();
    }
    schema
}

fn column(column: &Column) -> Value {
    let Column { name, ty, path, description, format, priority } = column;
    let mut object = json!({"name": name, "type": ty, "jsonPath": path});
    for (field, value) in [("description", description), ("format", format)] {
        if !value.is_empty() {
            object[field] = json!(value);
        }
    }
    if *priority != 0 {
        object["priority"] = json!(priority);
    }
    object
}

fn rule(rule: &Rule) -> Value {
    let mut object = json!({"rule": rule.rule});
    let fields = [
        ("message", rule.message),
        ("messageExpression", rule.message_expression),
        ("reason", rule.reason),
        ("fieldPath", rule.field_path),
    ];
    for (field, value) in fields {
        if !value.is_empty() {
            object[field] = value.into();
        }
    }
    if rule.optional_old_self {
        object["optionalOldSelf"] = true.into();
    }
    object
}
