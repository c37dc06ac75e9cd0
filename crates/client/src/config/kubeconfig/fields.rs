//! The fields of a kubeconfig with their types, by which it is checked as client-go's decoder does, and by which fields
//! that are not known are found.

use std::collections::HashMap;
use std::path::PathBuf;

use klient_apimachinery::go::{json_type, quoted};
use serde::{Serialize as _, Serializer};
use serde_json::{Map, Value};

use crate::error::Problem;

/// The type of a field.
pub(super) enum Type {
    String,
    Bool,
    /// Bytes in base64.
    Bytes,
    Strings,
    /// Strings by key.
    StringMap,
    /// Lists of strings by key.
    StringsMap,
    Struct(&'static Struct),
    List(&'static Struct),
    /// Any JSON.
    Any,
}

/// A struct of client-go's package `clientcmd/api/v1`.
pub(super) struct Struct {
    pub(super) name: &'static str,
    pub(super) fields: &'static [(&'static str, Type)],
}

use Type::{Any, Bool, Bytes, List, String as Text, StringMap, Strings, StringsMap};

pub(super) static CONFIG: Struct = Struct {
    name: "Config",
    fields: &[
        ("kind", Text),
        ("apiVersion", Text),
        ("preferences", Type::Struct(&PREFERENCES)),
        ("clusters", List(&NAMED_CLUSTER)),
        ("users", List(&NAMED_AUTH_INFO)),
        ("contexts", List(&NAMED_CONTEXT)),
        ("current-context", Text),
        ("extensions", List(&NAMED_EXTENSION)),
    ],
};

pub(super) static PREFERENCES: Struct =
    Struct { name: "Preferences", fields: &[("colors", Bool), ("extensions", List(&NAMED_EXTENSION))] };

pub(super) static NAMED_CLUSTER: Struct =
    Struct { name: "NamedCluster", fields: &[("name", Text), ("cluster", Type::Struct(&CLUSTER))] };

pub(super) static NAMED_AUTH_INFO: Struct =
    Struct { name: "NamedAuthInfo", fields: &[("name", Text), ("user", Type::Struct(&AUTH_INFO))] };

pub(super) static NAMED_CONTEXT: Struct =
    Struct { name: "NamedContext", fields: &[("name", Text), ("context", Type::Struct(&CONTEXT))] };

static NAMED_EXTENSION: Struct =
    Struct { name: "NamedExtension", fields: &[("name", Text), ("extension", Any)] };

static CLUSTER: Struct = Struct {
    name: "Cluster",
    fields: &[
        ("server", Text),
        ("tls-server-name", Text),
        ("insecure-skip-tls-verify", Bool),
        ("certificate-authority", Text),
        ("certificate-authority-data", Bytes),
        ("proxy-url", Text),
        ("disable-compression", Bool),
        ("extensions", List(&NAMED_EXTENSION)),
    ],
};

static AUTH_INFO: Struct = Struct {
    name: "AuthInfo",
    fields: &[
        ("client-certificate", Text),
        ("client-certificate-data", Bytes),
        ("client-key", Text),
        ("client-key-data", Bytes),
        ("token", Text),
        ("tokenFile", Text),
        ("as", Text),
        ("as-uid", Text),
        ("as-groups", Strings),
        ("as-user-extra", StringsMap),
        ("username", Text),
        ("password", Text),
        ("auth-provider", Type::Struct(&AUTH_PROVIDER)),
        ("exec", Type::Struct(&EXEC)),
        ("extensions", List(&NAMED_EXTENSION)),
    ],
};

static CONTEXT: Struct = Struct {
    name: "Context",
    fields: &[("cluster", Text), ("user", Text), ("namespace", Text), ("extensions", List(&NAMED_EXTENSION))],
};

static AUTH_PROVIDER: Struct =
    Struct { name: "AuthProviderConfig", fields: &[("name", Text), ("config", StringMap)] };

pub(super) static EXEC: Struct = Struct {
    name: "ExecConfig",
    fields: &[
        ("command", Text),
        ("args", Strings),
        ("env", List(&EXEC_ENV_VAR)),
        ("apiVersion", Text),
        ("installHint", Text),
        ("provideClusterInfo", Bool),
        ("interactiveMode", Text),
    ],
};

static EXEC_ENV_VAR: Struct = Struct { name: "ExecEnvVar", fields: &[("name", Text), ("value", Text)] };

impl Type {
    /// The type in Go.
    fn go_name(&self) -> String {
        match self {
            Text => "string".to_owned(),
            Bool => "bool".to_owned(),
            Bytes => "[]uint8".to_owned(),
            Strings => "[]string".to_owned(),
            StringMap => "map[string]string".to_owned(),
            StringsMap => "map[string][]string".to_owned(),
            Type::Struct(one) => format!("v1.{}", one.name),
            List(one) => format!("[]v1.{}", one.name),
            Any => "interface {}".to_owned(),
        }
    }

    /// Checks a value. As in Go, `null` is the zero value, also as an item of a list; it is removed or replaced.
    ///
    /// # Errors
    ///
    /// If the value has another type; the value itself, which may be secret, is not in the error.
    fn check(&self, value: &mut Value, at: &Place<'_>) -> Result<(), Problem> {
        match (self, &mut *value) {
            (Any, _) | (Text, Value::String(_)) | (Bool, Value::Bool(_)) => Ok(()),
            (Bytes, Value::String(text)) => match corrupt_base64(text) {
                Some(at_byte) => Err(Problem(format!("illegal base64 data at input byte {at_byte}"))),
                None => Ok(()),
            },
            (Strings, Value::Array(items)) => check_strings(items, at),
            (StringMap, Value::Object(entries)) => {
                entries.values_mut().try_for_each(|value| check_string(value, at))
            }
            (StringsMap, Value::Object(entries)) => entries.values_mut().try_for_each(|value| match value {
                Value::Array(items) => check_strings(items, at),
                Value::Null => {
                    *value = Value::Array(Vec::new());
                    Ok(())
                }
                other => Err(at.wrong_type(other, &Strings)),
            }),
            (Type::Struct(one), Value::Object(fields)) => one.check(fields, at.path),
            (List(one), Value::Array(items)) => {
                for item in &mut *items {
                    if item.is_null() {
                        *item = Value::Object(Map::new());
                    }
                    Type::Struct(one).check(item, at)?;
                }
                if one.name == NAMED_EXTENSION.name { check_extensions(items, at) } else { Ok(()) }
            }
            (_, other) => Err(at.wrong_type(other, self)),
        }
    }
}

/// Refuses two extensions of one name.
fn check_extensions(items: &[Value], at: &Place<'_>) -> Result<(), Problem> {
    let mut places = HashMap::new();
    for (index, item) in items.iter().enumerate() {
        let name = item.get("name").and_then(Value::as_str).unwrap_or_default();
        if let Some(first) = places.insert(name, index) {
            return Err(duplicate(&NAMED_EXTENSION, "runtime.Object", name, at.path, [first, index]));
        }
    }
    Ok(())
}

/// The error for two items of a list that have the same name, in client-go's words but for the values.
pub(super) fn duplicate(
    item: &Struct,
    value: &str,
    name: &str,
    list: &str,
    [first, second]: [usize; 2],
) -> Problem {
    let (item, name) = (item.name, quoted(name));
    Problem(format!(
        "error converting *[]{item} into *map[string]{value}: duplicate name {name} in list: {list}[{first}] and \
         {list}[{second}]"
    ))
}

/// The byte at which Go's decoder of base64 fails.
fn corrupt_base64(text: &str) -> Option<usize> {
    let is_line_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
    let mut bytes = text.bytes().enumerate().filter(|(_, byte)| !is_line_end(byte));
    let mut in_quantum = 0;
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'=' if in_quantum < 2 => return Some(at),
            b'=' if in_quantum == 2 => match bytes.next() {
                Some((_, b'=')) => return bytes.next().map(|(at, _)| at),
                Some((at, _)) => return Some(at - 1),
                None => return Some(text.len()),
            },
            b'=' => return bytes.next().map(|(at, _)| at),
            byte if byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/') => {
                in_quantum = (in_quantum + 1) % 4;
            }
            _ => return Some(at),
        }
    }
    (in_quantum > 0).then(|| text.len() - in_quantum)
}

fn check_strings(items: &mut [Value], at: &Place<'_>) -> Result<(), Problem> {
    items.iter_mut().try_for_each(|item| check_string(item, at))
}

fn check_string(value: &mut Value, at: &Place<'_>) -> Result<(), Problem> {
    match value {
        Value::Null => {
            *value = Value::from("");
            Ok(())
        }
        other => Text.check(other, at),
    }
}

/// The place of a value: the struct around it, and the path from the beginning.
struct Place<'a> {
    of: &'static str,
    path: &'a str,
}

impl Place<'_> {
    fn wrong_type(&self, value: &Value, expected: &Type) -> Problem {
        let Place { of, path } = self;
        Problem(format!(
            "json: cannot unmarshal {} into Go struct field {of}.{path} of type {}",
            json_type(value),
            expected.go_name()
        ))
    }
}

impl Struct {
    /// Returns true for a field that is known.
    pub(super) fn has(&self, field: &str) -> bool {
        self.fields.iter().any(|(name, _)| *name == field)
    }

    /// Checks the fields that are known, and removes those that are `null`.
    ///
    /// # Errors
    ///
    /// If a field has another type, in the words of client-go's decoder. `path` leads to the struct.
    pub(super) fn check(&self, fields: &mut Map<String, Value>, path: &str) -> Result<(), Problem> {
        for (name, kind) in self.fields {
            let Some(value) = fields.get_mut(*name) else { continue };
            if value.is_null() {
                fields.remove(*name);
                continue;
            }
            let path = if path.is_empty() { (*name).to_owned() } else { format!("{path}.{name}") };
            kind.check(value, &Place { of: self.name, path: &path })?;
        }
        Ok(())
    }

    /// Checks the type of an item of a list, and its fields.
    ///
    /// # Errors
    ///
    /// As [`check`](Self::check).
    pub(super) fn check_item(&'static self, item: &mut Value, list: &'static str) -> Result<(), Problem> {
        let mut items = Value::Array(vec![item.take()]);
        let checked = List(self).check(&mut items, &Place { of: CONFIG.name, path: list });
        *item = items[0].take();
        checked
    }

    /// Adds to a struct the fields that it was read with and that are not known.
    pub(super) fn keep_unknown(&self, fields: &mut Map<String, Value>, raw: &Map<String, Value>) {
        for (name, value) in raw {
            match (self.fields.iter().find(|(field, _)| *field == name.as_str()), fields.get_mut(name)) {
                (None, _) => {
                    fields.insert(name.clone(), value.clone());
                }
                (Some((_, Type::Struct(one))), Some(Value::Object(fields))) => {
                    one.keep_unknown(fields, value.as_object().unwrap_or(&Map::new()));
                }
                (Some((_, List(one))), Some(Value::Array(items))) => {
                    for item in items.iter_mut().filter_map(Value::as_object_mut) {
                        let is_same = |raw: &&Value| raw.get("name") == item.get("name");
                        let same = value.as_array().into_iter().flatten().find(is_same);
                        if let Some(raw) = same.and_then(Value::as_object) {
                            one.keep_unknown(item, raw);
                        }
                    }
                }
                (Some(_), _) => {}
            }
        }
    }
}

/// Serializes a path, as text.
pub(super) fn path<S: Serializer>(path: &Option<PathBuf>, serializer: S) -> Result<S::Ok, S::Error> {
    path.as_ref().map(|path| path.to_string_lossy()).serialize(serializer)
}

/// Extensions by name, which files hold as a list.
pub(super) mod extensions {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use serde_json::Value;

    #[derive(Serialize, Deserialize)]
    struct NamedExtension {
        #[serde(default)]
        name: String,
        #[serde(default)]
        extension: Value,
    }

    pub(in super::super) fn serialize<S: Serializer>(
        extensions: &BTreeMap<String, Value>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let named = extensions
            .iter()
            .map(|(name, extension)| NamedExtension { name: name.clone(), extension: extension.clone() });
        serializer.collect_seq(named)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<String, Value>, D::Error> {
        let named = Vec::<NamedExtension>::deserialize(deserializer)?;
        Ok(named.into_iter().map(|named| (named.name, named.extension)).collect())
    }
}
