//! Unknown fields: what was received and a type does not know, put back into what is written.

use serde_json::{Map, Value};

/// Fields by which the items of a list are recognized.
const IDENTITY: [&str; 4] = ["name", "key", "id", "type"];

/// Puts into `written` what was `received` and is not `known`: `known` is what the type makes of it.
pub(super) fn keep_unknown_fields(
    received: &Map<String, Value>,
    known: &Map<String, Value>,
    written: &mut Map<String, Value>,
) {
    for (name, received) in received {
        match (known.get(name), written.get_mut(name)) {
            (None, None) => {
                written.insert(name.clone(), received.clone());
            }
            (Some(known), Some(written)) => keep_unknown(received, known, written),
            // It was removed, or set where the type had left it out.
            _ => {}
        }
    }
}

fn keep_unknown(received: &Value, known: &Value, written: &mut Value) {
    match (received, known, written) {
        (Value::Object(received), Value::Object(known), Value::Object(written)) => {
            keep_unknown_fields(received, known, written);
        }
        (Value::Array(received), Value::Array(known), Value::Array(written))
            if received.len() == known.len() =>
        {
            for (item, origin) in origins(known, written).into_iter().enumerate() {
                if let Some(origin) = origin {
                    keep_unknown(&received[origin], &known[origin], &mut written[item]);
                }
            }
        }
        _ => {}
    }
}

/// For each item that is written, which of the known items it was.
fn origins(known: &[Value], written: &[Value]) -> Vec<Option<usize>> {
    let mut origins = vec![None; written.len()];
    let mut taken = vec![false; known.len()];
    let mut recognize = |is_same: &dyn Fn(usize, usize) -> bool| {
        for (item, origin) in origins.iter_mut().enumerate().filter(|(_, origin)| origin.is_none()) {
            *origin = (0..known.len()).find(|&at| !taken[at] && is_same(at, item));
            if let Some(at) = *origin {
                taken[at] = true;
            }
        }
    };
    recognize(&|at, item| at == item && known[at] == written[item]);
    recognize(&|at, item| known[at] == written[item]);
    recognize(&|at, item| has_identity(&known[at]) && is_identical(&known[at], &written[item]));
    if known.len() == written.len() {
        recognize(&|at, item| at == item && !has_identity(&known[at]) && !has_identity(&written[item]));
    }
    origins
}

fn has_identity(item: &Value) -> bool {
    IDENTITY.iter().any(|field| item.get(field).is_some())
}

fn is_identical(one: &Value, other: &Value) -> bool {
    IDENTITY.iter().all(|field| one.get(field) == other.get(field))
}
