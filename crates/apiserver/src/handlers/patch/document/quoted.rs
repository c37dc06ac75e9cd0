//! The result of a patch, as errors quote it.

use klient_apimachinery::schema::{Schema, Type};
use klient_apimachinery::values::{Map, encode_untyped, encode_value};
use serde_json::Value;

use super::Form;

/// The result of a patch as JSON. Upstream patches JSON text: objects on the path of a change are rewritten with sorted
/// fields; others keep the fields of structs in their order.
pub(super) fn text(patch: &Form, old: &Value, new: &Value, schema: Option<&'static Schema>) -> String {
    let reached = match patch {
        Form::Json(patch) => {
            let mut reached = Value::Object(Map::new());
            for path in patch.paths() {
                reach(&mut reached, path);
            }
            reached
        }
        Form::Merge(patch) | Form::Strategic(patch) => patch.clone(),
    };
    let mut out = Vec::new();
    let root = schema.map(Type::Message);
    write(new, Some(old), root, reached.as_object(), &mut out);
    String::from_utf8(out).expect("JSON is UTF-8")
}

/// Records the objects and lists along a path.
fn reach(reached: &mut Value, path: Vec<String>) {
    let mut at = reached;
    let parents = path.len().saturating_sub(1);
    for name in path.into_iter().take(parents) {
        let Value::Object(entries) = at else { return };
        at = entries.entry(name).or_insert_with(|| Value::Object(Map::new()));
    }
}

fn write(new: &Value, old: Option<&Value>, ty: Option<Type>, reached: Option<&Map>, out: &mut Vec<u8>) {
    let below = |name: &str| reached.and_then(|reached| reached.get(name)).and_then(Value::as_object);
    match (new, old, reached) {
        (Value::Object(entries), Some(Value::Object(old)), Some(_)) => {
            out.push(b'{');
            for (index, (name, value)) in entries.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                encode_untyped(name, out);
                out.push(b':');
                write(value, old.get(name), ty.and_then(|ty| field(ty, name)), below(name), out);
            }
            out.push(b'}');
        }
        (Value::Array(items), Some(Value::Array(old)), Some(_)) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                // Items may have moved.
                let was = old.iter().find(|old| *old == item).or_else(|| old.get(index));
                write(item, was, ty.and_then(item_of), below(&index.to_string()), out);
            }
            out.push(b']');
        }
        (new, Some(old), _) if new == old => match ty {
            Some(ty) => encode_value(new, ty, out),
            None => encode_untyped(new, out),
        },
        _ => encode_untyped(new, out),
    }
}

fn field(ty: Type, name: &str) -> Option<Type> {
    match ty {
        Type::Message(schema) => schema.field(name).map(|field| field.ty),
        Type::Map(entry) => Some(*entry),
        _ => None,
    }
}

fn item_of(list: Type) -> Option<Type> {
    match list {
        Type::List(item) => Some(*item),
        _ => None,
    }
}
