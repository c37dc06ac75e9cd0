//! serde's traits for the types of single values, so that structs of custom resources can have them.

use serde::de::DeserializeSeed as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Reader, Slot, View};
use crate::message::Value as _;
use crate::{ByteString, Duration, IntOrString, MicroTime, Quantity, Time};

macro_rules! scalars {
    ($($type:ident)*) => {$(
        /// As in a field of a built-in type.
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                View { value: self.view(), raw: false }.serialize(serializer)
            }
        }

        /// As from a field of a built-in type: `null` is the default.
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let mut value = $type::default();
                let mut reader = Reader::default();
                Slot { place: value.view_mut(), reader: &mut reader }.deserialize(deserializer)?;
                Ok(value)
            }
        }
    )*};
}

scalars!(ByteString Duration IntOrString MicroTime Quantity Time);

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Spec {
        certificate: ByteString,
        interval: Duration,
        max_unavailable: IntOrString,
        renewed: MicroTime,
        storage: Quantity,
        started: Option<Time>,
    }

    #[test]
    fn a_struct_has_times_quantities_and_the_like_as_built_in_types_do() {
        let written = json!({
            "certificate": "czNjcmV0", "interval": "1m30s", "maxUnavailable": "25%",
            "renewed": "2026-11-29T22:13:22.000001Z", "storage": "1Gi", "started": "2026-11-29T22:13:22Z",
        });
        let mut spec: Spec = serde_json::from_value(written.clone()).unwrap();
        assert_eq!(serde_json::to_value(&spec).unwrap(), written);
        let text = serde_json::to_string(&spec).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), written);
        (spec.max_unavailable, spec.started) = (IntOrString::Int(1), None);
        let value = serde_json::to_value(&spec).unwrap();
        assert_eq!((&value["maxUnavailable"], &value["started"]), (&json!(1), &Value::Null));

        // Numbers are quantities, too, and null is the zero value.
        let quantity = |value: Value| serde_json::from_value::<Quantity>(value).unwrap().to_string();
        assert_eq!([json!(2), json!(0.5)].map(quantity), ["2", "0.5"]);
        assert_eq!(serde_json::from_value::<Time>(Value::Null).unwrap(), Time::default());
        for (text, expected) in
            [(r#""yesterday""#, "an RFC 3339 time"), ("1", "an RFC 3339 time"), ("{}", "a plain value")]
        {
            let error = serde_json::from_str::<Time>(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
