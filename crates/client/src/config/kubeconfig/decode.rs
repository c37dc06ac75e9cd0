//! Decoding of a kubeconfig, with client-go's errors.

use std::collections::HashMap;

use klient_apimachinery::go::{json_type, quoted};
use klient_apimachinery::yaml;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::fields::{self, Struct};
use super::{AuthInfo, Cluster, Context, Kubeconfig, Named};
use crate::error::Problem;

/// The value of an entry.
pub(super) trait Entry: Clone + Default + PartialEq + DeserializeOwned + serde::Serialize {
    /// The field of its list.
    const LIST: &'static str;
    /// The field beside its name.
    const FIELD: &'static str;
    /// The field that is written even if it is empty.
    const REQUIRED: &'static [&'static str];
    /// The entry with its name.
    const NAMED: &'static Struct;
    /// Its list in a kubeconfig.
    fn list_mut(kubeconfig: &mut Kubeconfig) -> &mut Vec<Named<Self>>;
}

macro_rules! entry {
    ($type:ty, $list:ident, $field:literal, $required:expr, $named:expr) => {
        impl Entry for $type {
            const LIST: &'static str = stringify!($list);
            const FIELD: &'static str = $field;
            const REQUIRED: &'static [&'static str] = $required;
            const NAMED: &'static Struct = &$named;
            fn list_mut(kubeconfig: &mut Kubeconfig) -> &mut Vec<Named<Self>> {
                &mut kubeconfig.$list
            }
        }
    };
}

entry!(Cluster, clusters, "cluster", &["server"], fields::NAMED_CLUSTER);
entry!(AuthInfo, users, "user", &[], fields::NAMED_AUTH_INFO);
entry!(Context, contexts, "context", &["cluster", "user"], fields::NAMED_CONTEXT);

/// Decodes the bytes of a file. Entries that are empty or `null`, and those without a name, are accepted.
///
/// # Errors
///
/// If it is no kubeconfig; the error does not quote values, which may be secret.
pub(super) fn decode(bytes: &[u8]) -> Result<Kubeconfig, Problem> {
    let mut object = match yaml::from_slice(bytes).map_err(|error| Problem(error.to_string()))? {
        Value::Null => return Ok(Kubeconfig::default()),
        Value::Object(object) => object,
        _ => return Err(Problem("expected an object with clusters, users and contexts".to_owned())),
    };
    check_type(&object)?;
    let clusters = entries::<Cluster>(&mut object)?;
    let users = entries::<AuthInfo>(&mut object)?;
    let contexts = entries::<Context>(&mut object)?;
    fields::CONFIG.check(&mut object, "")?;
    let mut take = |name: &str| object.remove(name).unwrap_or_default();
    let current_context = take("current-context").as_str().unwrap_or_default().to_owned();
    let preferences = take("preferences");
    let extensions = take("extensions");
    object.retain(|name, _| name != "apiVersion" && name != "kind");
    Ok(Kubeconfig {
        current_context,
        clusters,
        users,
        contexts,
        preferences: if preferences.is_null() { Default::default() } else { from_value(preferences)? },
        extensions: match extensions {
            Value::Null => Default::default(),
            list => fields::extensions::deserialize(list).map_err(|error| without_values(&error))?,
        },
        unknown: object,
        files: Vec::new(),
    })
}

/// Checks `apiVersion` and `kind`, which can both be missing.
fn check_type(object: &Map<String, Value>) -> Result<(), Problem> {
    let text = |field: &str| match object.get(field) {
        None | Some(Value::Null) => Ok(""),
        Some(Value::String(text)) => Ok(text.as_str()),
        Some(other) => Err(Problem(format!(
            "couldn't get version/kind; json parse error: json: cannot unmarshal {} into Go struct field .{field} of \
             type string",
            json_type(other)
        ))),
    };
    let or = |text: &'static str, given: &str| {
        if given.is_empty() { text.to_owned() } else { given.to_owned() }
    };
    let version = or("v1", text("apiVersion")?);
    let kind = or("Config", text("kind")?);
    if version == "v1" && kind == "Config" {
        return Ok(());
    }
    Err(Problem(format!(
        "no kind {} is registered for version {} in scheme \"pkg/runtime/scheme.go:111\"",
        quoted(kind),
        quoted(version)
    )))
}

/// Takes the entries of a list.
///
/// # Errors
///
/// If an entry has a field of another type, or two have the same name; the error names them.
fn entries<T: Entry>(object: &mut Map<String, Value>) -> Result<Vec<Named<T>>, Problem> {
    let items = match object.remove(T::LIST) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(items)) => items,
        Some(other) => {
            let mut wrong = Map::from_iter([(T::LIST.to_owned(), other)]);
            return fields::CONFIG.check(&mut wrong, "").map(|()| Vec::new());
        }
    };
    let mut entries: Vec<Named<T>> = Vec::with_capacity(items.len());
    let mut places = HashMap::new();
    for (index, mut item) in items.into_iter().enumerate() {
        let place = match item.get("name").and_then(Value::as_str) {
            Some(name) => format!("{}[{index}] {}", T::LIST, quoted(name)),
            None => format!("{}[{index}]", T::LIST),
        };
        let checked = T::NAMED.check_item(&mut item, T::LIST);
        checked.map_err(|Problem(problem)| Problem(format!("{problem}, in {place}")))?;
        let Value::Object(raw) = item else { continue };
        let name = raw.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        if let Some(first) = places.insert(name.clone(), index) {
            let value = format!("*api.{}", T::NAMED.name.trim_start_matches("Named"));
            return Err(fields::duplicate(T::NAMED, &value, &name, T::LIST, [first, index]));
        }
        let value = match raw.get(T::FIELD) {
            None => T::default(),
            Some(value) => from_value(value.clone())?,
        };
        entries.push(Named { name, value, origin: None, raw });
    }
    Ok(entries)
}

/// Decodes a value that was checked.
fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, Problem> {
    T::deserialize(value).map_err(|error| without_values(&error))
}

/// A decoder's message without the values it quotes.
fn without_values(error: &serde_json::Error) -> Problem {
    let mut out = String::new();
    for (index, part) in error.to_string().split('"').enumerate() {
        out.push_str(if index % 2 == 0 { part } else { "\"***\"" });
    }
    Problem(out)
}
