//! Values as strings, with their types.

use crate::value::Value;

/// A value as a string that shows its type.
pub(crate) fn show(value: &Value<'_>) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Uint(number) => format!("{number}u"),
        Value::Double(number) => format!("double({})", crate::value::format_double(*number)),
        Value::String(text) => serde_json::Value::from(&**text).to_string(),
        Value::Bytes(bytes) => {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("bytes({hex})")
        }
        Value::Duration(nanos) => format!("duration({})", klient_apimachinery::Duration::from_nanos(*nanos)),
        Value::Timestamp(time) => format!("timestamp({time})"),
        Value::Type(name) => format!("type({name})"),
        Value::List(list) => {
            let items: Vec<String> =
                list.iter().map(|item| item.map_or("!".to_owned(), |item| show(&item))).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Map(map) => {
            let entry = |key: &Value<'_>| {
                let value = map.find(key).ok().flatten().map_or("!".to_owned(), |value| show(&value));
                format!("{}: {value}", show(key))
            };
            let mut entries: Vec<String> = map.keys().iter().map(entry).collect();
            entries.sort_unstable();
            format!("{{{}}}", entries.join(", "))
        }
        Value::Optional(None) => "optional()".to_owned(),
        Value::Optional(Some(value)) => format!("optional({})", show(value)),
        Value::Preserved(value) => format!("unknown({value})"),
        Value::Quantity(quantity) => {
            let canonical = quantity.canonical().map(|text| text.to_string());
            format!("quantity({})", canonical.unwrap_or_else(|_| quantity.to_string()))
        }
        Value::Url(url) => format!("url({})", url.text()),
        Value::Ip(address) => format!("ip({address})"),
        Value::Cidr(cidr) => format!("cidr({cidr})"),
        Value::Semver(version) => format!("semver({version})"),
        Value::Authorization(value) => value.type_name().to_owned(),
        Value::Object(object) => {
            let field = |(name, value): &(String, Value<'_>)| format!("{name}: {}", show(value));
            let fields: Vec<String> = object.fields.iter().map(field).collect();
            format!("{}{{{}}}", object.name, fields.join(", "))
        }
        Value::Format(format) => format!("format({})", format.name),
    }
}
