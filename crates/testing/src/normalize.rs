//! [`Normalizer`], which leaves out of an object that in which two runs may differ.

use klient_apimachinery::{ByteString, Time, Unstructured};
use serde_json::{Map, Value};

use crate::known::{Known, Live, VERSION, is_version};
use crate::options::Options;

/// Leaves out of an object that in which two runs may differ: its uid, resource version, generation, managed fields and
/// times, and the order of conditions, finalizers and owners. The names of [`Known`] are replaced in values, also of secrets,
/// and in keys.
pub(crate) struct Normalizer<'a> {
    pub(crate) known: &'a Known,
    /// The objects that exist, by which references to those that are gone are told apart.
    pub(crate) live: Option<&'a Live<'a>>,
    pub(crate) options: &'a Options,
}

impl Normalizer<'_> {
    /// The normalized object of a resource.
    pub(crate) fn object(&self, resource: &str, object: &Unstructured) -> Value {
        let mut map = object.0.clone();
        let generation = object["metadata"]["generation"].as_u64();
        if let Some(Value::Object(metadata)) = map.get_mut("metadata") {
            for field in ["creationTimestamp", "generation", "managedFields", "resourceVersion", "uid"] {
                metadata.remove(field);
            }
        }
        if resource == "secrets"
            && let Some(Value::Object(data)) = map.get_mut("data")
        {
            data.values_mut().for_each(|value| self.decode(value));
        }
        let mut value = Value::Object(self.map(map, generation));
        let ignored = self.options.ignored_fields.iter().filter(|(other, _)| other == resource);
        ignored.for_each(|(_, field)| remove(&mut value, field));
        value
    }

    /// Decodes a value of a secret that is a text with something to replace.
    fn decode(&self, value: &mut Value) {
        let decoded = value.as_str().and_then(|encoded| ByteString::from_base64(encoded).ok());
        let text = decoded.and_then(|decoded| std::str::from_utf8(decoded.as_ref()).map(str::to_owned).ok());
        if let Some(text) =
            text.filter(|text| is_time(text) || self.known.replaced(text, self.live).is_some())
        {
            *value = text.into();
        }
    }

    fn map(&self, map: Map<String, Value>, generation: Option<u64>) -> Map<String, Value> {
        let mut normalized = Map::new();
        for (key, value) in map {
            let value = match (generation, value.as_u64()) {
                (Some(generation), Some(observed)) if key == "observedGeneration" => {
                    if observed == generation { "current" } else { "behind" }.into()
                }
                _ => in_order(&key, self.value(value, generation)),
            };
            let key = self.known.replaced(&key, self.live).unwrap_or(key);
            // Of keys that differ in a uid only, all are kept.
            let mut free = key.clone();
            for number in 2.. {
                if !normalized.contains_key(&free) {
                    break;
                }
                free = format!("{key}#{number}");
            }
            normalized.insert(free, value);
        }
        normalized
    }

    fn value(&self, value: Value, generation: Option<u64>) -> Value {
        match value {
            Value::Object(map) => Value::Object(self.map(map, generation)),
            Value::Array(values) => {
                values.into_iter().map(|value| self.value(value, generation)).collect::<Vec<_>>().into()
            }
            Value::String(text) if is_time(&text) => "TIME".into(),
            Value::String(text) => self.known.replaced(&text, self.live).unwrap_or(text).into(),
            Value::Number(number) if number.as_u64().is_some_and(is_version) => VERSION.into(),
            other => other,
        }
    }
}

fn is_time(text: &str) -> bool {
    text.as_bytes().get(4) == Some(&b'-') && text.len() >= 20 && text.parse::<Time>().is_ok()
}

/// The value of a field, sorted if it is a list whose order has no meaning.
fn in_order(key: &str, mut value: Value) -> Value {
    if let Value::Array(values) = &mut value {
        match key {
            "conditions" if values.iter().all(|condition| condition["type"].is_string()) => {
                values.sort_by_cached_key(|condition| condition["type"].to_string());
            }
            "finalizers" | "ownerReferences" => values.sort_by_cached_key(Value::to_string),
            _ => {}
        }
    }
    value
}

/// Removes a field at a JSON pointer, in which `*` stands for every key and index.
fn remove(value: &mut Value, pointer: &str) {
    let Some((key, rest)) = pointer.strip_prefix('/').map(|rest| rest.split_once('/').unwrap_or((rest, "")))
    else {
        return;
    };
    let key = key.replace("~1", "/").replace("~0", "~");
    let rest = if rest.is_empty() { String::new() } else { format!("/{rest}") };
    match value {
        Value::Object(map) if rest.is_empty() => map.retain(|other, _| key != "*" && *other != key),
        Value::Object(map) => {
            map.iter_mut()
                .filter(|(other, _)| key == "*" || **other == key)
                .for_each(|(_, value)| remove(value, &rest));
        }
        Value::Array(values) => {
            let is_it = |index: usize| key == "*" || key.parse() == Ok(index);
            if rest.is_empty() {
                let mut index = 0;
                values.retain(|_| (!is_it(index), index += 1).0);
            } else {
                values
                    .iter_mut()
                    .enumerate()
                    .filter(|(index, _)| is_it(*index))
                    .for_each(|(_, value)| remove(value, &rest));
            }
        }
        _ => {}
    }
}

/// The values of an object that are no objects and no lists, with the pointers of their fields, in which `*` stands for
/// every index.
pub(crate) fn leaves(value: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    collect(value, &mut String::new(), &mut found);
    found
}

fn collect(value: &Value, path: &mut String, found: &mut Vec<(String, String)>) {
    let length = path.len();
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                path.push('/');
                path.push_str(&key.replace('~', "~0").replace('/', "~1"));
                collect(value, path, found);
                path.truncate(length);
            }
        }
        Value::Array(values) if !values.is_empty() => {
            path.push_str("/*");
            values.iter().for_each(|value| collect(value, path, found));
            path.truncate(length);
        }
        other => found.push((path.clone(), other.to_string())),
    }
}
