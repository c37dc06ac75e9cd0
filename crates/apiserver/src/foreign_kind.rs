//! Objects that name another kind than their own, with the errors of Go's decoders.

use klient_apimachinery::go::{json_type, quoted};
use klient_apimachinery::schema::Schema;
use klient_apimachinery::values::{self, Map};
use serde_json::Value;

/// The error, in the words of Go's JSON decoder, of a value without a readable kind and apiVersion.
pub(crate) fn no_kind(value: &Value) -> Option<String> {
    let object = match value {
        Value::Object(object) => object,
        // As Go, which reads null as an object in which nothing is set.
        Value::Null => return None,
        _ => {
            return Some(format!(
                r#"json: cannot unmarshal {} into Go value of type struct {{ APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }}"#,
                json_type(value)
            ));
        }
    };
    let is_text = |value: &Value| matches!(value, Value::String(_) | Value::Null);
    let wrong = ["apiVersion", "kind"].into_iter().find_map(|name| {
        let value = object.get(name).filter(|value| !is_text(value))?;
        Some((name, json_type(value)))
    });
    wrong.map(|(name, found)| {
        format!("json: cannot unmarshal {found} into Go struct field .{name} of type string")
    })
}

/// The version of an object of a built-in kind that names none.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unversioned {
    /// That of the kind that is expected.
    Expected,
    /// That which upstream uses itself, in which no field has a name.
    Internal,
}

/// The built-in kind that an object names, where one is expected. Upstream decodes the object by it, and converts what it
/// has decoded to the expected one.
pub(crate) struct NamedKind<'a> {
    expected: (&'a str, &'a str),
    pub(crate) kind: &'a str,
    group: &'a str,
    /// `None` for the internal version; empty if there is only a group.
    version: Option<&'a str>,
}

impl<'a> NamedKind<'a> {
    /// Reads a kind and apiVersion; that which is empty is as in the expected ones.
    ///
    /// # Errors
    ///
    /// If the apiVersion has more than two parts.
    pub(crate) fn new(
        expected: (&'a str, &'a str),
        (kind, api_version): (&'a str, &'a str),
        unversioned: Unversioned,
    ) -> Result<Self, String> {
        let (group, version) =
            parts(api_version).ok_or_else(|| format!("unexpected GroupVersion string: {api_version}"))?;
        let (expected_group, expected_version) = parts(expected.1).unwrap_or_default();
        let kind = if kind.is_empty() { expected.0 } else { kind };
        if version.is_empty() && (group.is_empty() || group == expected_group) {
            let version = (unversioned == Unversioned::Expected).then_some(expected_version);
            return Ok(NamedKind { expected, kind, group: expected_group, version });
        }
        Ok(NamedKind { expected, kind, group, version: Some(version) })
    }

    /// Returns true if it is the expected one in the expected version.
    pub(crate) fn is_expected(&self) -> bool {
        self.kind == self.expected.0
            && Some((self.group, self.version())) == parts(self.expected.1)
            && !self.is_internal()
    }

    /// Returns true if it is in the version that upstream uses itself.
    pub(crate) fn is_internal(&self) -> bool {
        self.version.is_none()
    }

    /// The version, without its group.
    pub(crate) fn version(&self) -> &'a str {
        self.version.unwrap_or_default()
    }

    /// The struct of the kind, if it is known.
    pub(crate) fn schema(&self) -> Option<&'static Schema> {
        let (_, expected) = parts(self.expected.1).unwrap_or_default();
        // The internal version has the kinds of all.
        klient_schema::kind(self.group, self.version.unwrap_or(expected), self.kind)
    }

    /// Decodes an object as this kind. `text` is the object as errors quote it.
    ///
    /// # Errors
    ///
    /// If the kind is not known, or the object is none.
    pub(crate) fn decode(&self, object: &Map, text: impl FnOnce() -> String) -> Result<(), String> {
        self.check_known(text)?;
        match self.schema().filter(|_| !self.is_internal()) {
            Some(schema) => {
                values::decode(object.clone(), schema).map(drop).map_err(|mismatch| mismatch.of_json)
            }
            None => Ok(()),
        }
    }

    /// Checks that the kind is known. `text` is the object as errors quote it.
    ///
    /// # Errors
    ///
    /// If it is not.
    pub(crate) fn check_known(&self, text: impl FnOnce() -> String) -> Result<(), String> {
        if self.version == Some("") {
            return Err(format!("Object 'apiVersion' is missing in '{}'", text()));
        }
        if self.schema().is_some() {
            return Ok(());
        }
        let (kind, scheme) = (quoted(self.kind), r#"in scheme "pkg/runtime/scheme.go:111""#);
        Err(match (self.version, self.group) {
            (None, group) => format!(
                "no kind {kind} is registered for the internal version of group {} {scheme}",
                quoted(group)
            ),
            (Some(version), "") => {
                format!("no kind {kind} is registered for version {} {scheme}", quoted(version))
            }
            (Some(version), group) => {
                let version = quoted(format!("{group}/{version}"));
                format!("no kind {kind} is registered for version {version} {scheme}")
            }
        })
    }

    /// Checks that what is decoded can be converted to the expected kind: it is the same in another version.
    ///
    /// # Errors
    ///
    /// If it is another.
    pub(crate) fn check_convertible(&self) -> Result<(), String> {
        let (expected, _) = self.expected;
        if self.kind == expected {
            return Ok(());
        }
        let package = package(parts(self.expected.1).unwrap_or_default().0);
        let (kind, own) = (self.kind, self.version.unwrap_or(package));
        Err(format!("converting ({own}.{kind}) to ({package}.{expected}): unknown conversion"))
    }
}

/// The Go package of the internal version of a group.
fn package(group: &str) -> &str {
    match group.split_once('.').map_or(group, |(first, _)| first) {
        "" => "core",
        first => first,
    }
}

/// The group and version of an apiVersion, as Go reads it; `None` if it has more parts.
fn parts(api_version: &str) -> Option<(&str, &str)> {
    match api_version.split_once('/') {
        None => Some(("", api_version)),
        Some((_, version)) if version.contains('/') => None,
        parts => parts,
    }
}
