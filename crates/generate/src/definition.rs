//! [`Definition`], the facts of a CustomResourceDefinition from which code is generated.

use serde_json::{Map, Value};

use crate::error::Error;

/// The kind of definitions.
pub(crate) const KIND: &str = "CustomResourceDefinition";

/// A CustomResourceDefinition, with the file that it was read from.
#[derive(Clone, Debug)]
pub struct Definition {
    pub(crate) source: String,
    pub(crate) facts: Facts,
}

/// The parts of a definition that its code depends on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Facts {
    pub(crate) name: String,
    pub(crate) group: String,
    pub(crate) kind: String,
    pub(crate) plural: String,
    pub(crate) namespaced: bool,
    /// The served versions.
    pub(crate) versions: Vec<Version>,
}

/// A served version of a definition.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Version {
    pub(crate) name: String,
    /// `openAPIV3Schema`.
    pub(crate) schema: Map<String, Value>,
    pub(crate) has_status: bool,
    pub(crate) has_scale: bool,
    /// The warning that the server gives, perhaps empty.
    pub(crate) deprecation: Option<String>,
}

impl Definition {
    /// Reads a definition. The source, such as a file, is named in errors.
    ///
    /// # Errors
    ///
    /// If the value is no definition of apiextensions.k8s.io/v1, serves no version, stores two, or has a version twice or
    /// without a schema.
    pub fn from_value(source: &str, value: &Value) -> Result<Self, Error> {
        let facts = facts(value).map_err(|error| error.within(source))?;
        Ok(Definition { source: source.to_owned(), facts })
    }

    /// The name, such as `certificates.cert-manager.io`.
    pub fn name(&self) -> &str {
        &self.facts.name
    }

    /// The API group of the kind.
    pub fn group(&self) -> &str {
        &self.facts.group
    }

    /// The kind that is defined.
    pub fn kind(&self) -> &str {
        &self.facts.kind
    }
}

/// Returns true if a value is of the kind of definitions, in any version.
pub(crate) fn is_definition(value: &Value) -> bool {
    let group = value["apiVersion"].as_str().and_then(|version| version.split_once('/'));
    value["kind"] == KIND && group.is_some_and(|(group, _)| group == "apiextensions.k8s.io")
}

fn facts(value: &Value) -> Result<Facts, Error> {
    let name = value["metadata"]["name"].as_str().unwrap_or("without a name");
    let named = |error: Error| error.within(format!("definition {name}"));
    match value["apiVersion"].as_str().unwrap_or_default() {
        "apiextensions.k8s.io/v1" => {}
        other => {
            return Err(named(Error::new(format!(
                "its version is {other}, which Kubernetes 1.22 has removed: convert it to apiextensions.k8s.io/v1"
            ))));
        }
    }
    facts_of_spec(name, &value["spec"]).map_err(named)
}

fn facts_of_spec(name: &str, spec: &Value) -> Result<Facts, Error> {
    let text = |field: &str, is_valid: fn(char) -> bool| {
        let value = spec.pointer(&format!("/{}", field.replace('.', "/"))).and_then(Value::as_str);
        let value = value.ok_or_else(|| Error::at(&format!("spec.{field}"), "it is missing"))?;
        if value.is_empty() || !value.chars().all(is_valid) {
            return Err(Error::at(&format!("spec.{field}"), format!("{value} is no name")));
        }
        Ok(value.to_owned())
    };
    let (kind, plural) =
        (text("names.kind", |c| c.is_ascii_alphanumeric() || c == '-')?, text("names.plural", is_label)?);
    let group = text("group", |c| is_label(c) || c == '.')?;
    let namespaced = match text("scope", |c| c.is_ascii_alphabetic())?.as_str() {
        "Namespaced" => true,
        "Cluster" => false,
        other => return Err(Error::at("spec.scope", format!("{other} is neither Namespaced nor Cluster"))),
    };
    let versions = spec["versions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let names: Vec<&str> = versions.iter().filter_map(|version| version["name"].as_str()).collect();
    if let Some((_, twice)) = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)) {
        return Err(Error::at("spec.versions", format!("version {twice} is there twice")));
    }
    let stored = versions.iter().filter(|version| version["storage"] == true);
    let stored: Vec<&str> = stored.filter_map(|version| version["name"].as_str()).collect();
    if let [one, .., other] = stored[..] {
        let problem = format!("{one} and {other} have storage: true, which one version can have");
        return Err(Error::at("spec.versions", problem));
    }
    let served = versions.iter().filter(|version| version["served"] == true);
    let versions = served.map(version_of).collect::<Result<Vec<_>, _>>()?;
    if versions.is_empty() {
        return Err(Error::at("spec.versions", "no version is served"));
    }
    Ok(Facts { name: name.to_owned(), group, kind, plural, namespaced, versions })
}

/// Returns true for characters of a DNS label.
fn is_label(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'
}

fn version_of(version: &Value) -> Result<Version, Error> {
    let name = version["name"].as_str().unwrap_or_default();
    if name.is_empty() || !name.chars().all(is_label) {
        return Err(Error::at("spec.versions", format!("a version has the name {name}, which is no name")));
    }
    let Some(schema) = version["schema"]["openAPIV3Schema"].as_object() else {
        return Err(Error::at(
            &format!("version {name}"),
            "it has no schema, from which types could be generated: add schema.openAPIV3Schema",
        ));
    };
    let subresources = &version["subresources"];
    let deprecation = || version["deprecationWarning"].as_str().unwrap_or_default().to_owned();
    Ok(Version {
        name: name.to_owned(),
        schema: schema.clone(),
        has_status: subresources["status"].is_object(),
        has_scale: subresources["scale"].is_object(),
        deprecation: (version["deprecated"] == true).then(deprecation),
    })
}
