//! Formats and limits of numbers and strings.

use serde_json::{Map, Value, json};

/// The formats that a server checks, or that say how a number is stored.
const KNOWN: [&str; 19] = [
    "byte",
    "cidr",
    "date",
    "date-time",
    "double",
    "email",
    "float",
    "hostname",
    "int32",
    "int64",
    "ipv4",
    "ipv6",
    "mac",
    "password",
    "uri",
    "uuid",
    "uuid3",
    "uuid4",
    "uuid5",
];

/// Replaces the formats of Rust's numbers by those of OpenAPI, with limits where these are wider, and drops unknown ones.
pub(super) fn convert(schema: &mut Map<String, Value>) {
    let Some(format) = schema.get("format").and_then(Value::as_str).map(str::to_owned) else { return };
    let (known, limits) = match format.as_str() {
        "int8" => ("int32", Some((json!(i8::MIN), json!(i8::MAX)))),
        "int16" => ("int32", Some((json!(i16::MIN), json!(i16::MAX)))),
        "uint8" => ("int32", Some((json!(0), json!(u8::MAX)))),
        "uint16" => ("int32", Some((json!(0), json!(u16::MAX)))),
        "uint32" => ("int64", Some((json!(0), json!(u32::MAX)))),
        "int" | "uint" | "uint64" => ("int64", None),
        format => match KNOWN.contains(&format) {
            true => return,
            false => {
                schema.remove("format");
                return;
            }
        },
    };
    schema.insert("format".into(), known.into());
    if let Some((minimum, maximum)) = limits {
        for (keyword, limit) in [("minimum", minimum), ("maximum", maximum)] {
            schema.entry(keyword).or_insert(limit);
        }
    }
}
