//! Lamps in two versions.

use klient_definitions::{Declaration, Definition, schema_of};
use klient_webhook::Conversion;

/// The annotation that has the room of a lamp in v1.
const ROOM: &str = "klient-lamps.example/room";

pub(crate) mod v1 {
    //! The first version.

    use klient_apimachinery::custom_resource;
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    custom_resource! {
        group: "klient-lamps.example", version: "v1", kind: "Lamp", plural: "lamps", scope: Namespaced,
        subresources: [Status];

        pub(crate) struct Lamp {
            pub(crate) spec: LampSpec,
            pub(crate) status: Option<super::LampStatus>,
        }
    }

    #[derive(Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
    #[serde(default)]
    pub(crate) struct LampSpec {
        pub(crate) watts: u32,
        #[serde(skip_serializing_if = "String::is_empty")]
        pub(crate) color: String,
    }
}

pub(crate) mod v2 {
    //! The second version, which is stored.

    use klient_apimachinery::custom_resource;
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    custom_resource! {
        group: "klient-lamps.example", version: "v2", kind: "Lamp", plural: "lamps", scope: Namespaced,
        subresources: [Status];

        pub(crate) struct Lamp {
            pub(crate) spec: LampSpec,
            pub(crate) status: Option<super::LampStatus>,
        }
    }

    #[derive(Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
    #[serde(default)]
    pub(crate) struct LampSpec {
        pub(crate) power: String,
        #[serde(skip_serializing_if = "String::is_empty")]
        pub(crate) color: String,
        #[serde(skip_serializing_if = "String::is_empty")]
        pub(crate) room: String,
    }
}

#[derive(Clone, Debug, Default, serde::Deserialize, schemars::JsonSchema, serde::Serialize)]
#[serde(default)]
pub(crate) struct LampStatus {
    pub(crate) on: bool,
}

impl TryFrom<v1::Lamp> for v2::Lamp {
    type Error = &'static str;

    fn try_from(lamp: v1::Lamp) -> Result<Self, Self::Error> {
        let v1::Lamp { mut metadata, spec: v1::LampSpec { watts, color }, status, .. } = lamp;
        if color == "unconvertible" {
            return Err("its color cannot be converted");
        }
        let room = metadata.annotations.remove(ROOM).map(|room| room.to_string()).unwrap_or_default();
        let spec = v2::LampSpec { power: format!("{watts}W"), color, room };
        Ok(v2::Lamp { metadata, spec, status, ..Default::default() })
    }
}

impl TryFrom<v2::Lamp> for v1::Lamp {
    type Error = String;

    fn try_from(lamp: v2::Lamp) -> Result<Self, String> {
        let v2::Lamp { mut metadata, spec: v2::LampSpec { power, color, room }, status, .. } = lamp;
        let watts = power.strip_suffix('W').and_then(|watts| watts.parse().ok());
        let watts = watts.ok_or_else(|| format!("spec.power: {power} is no number of watts"))?;
        if !room.is_empty() {
            metadata.annotations.insert(ROOM, room.into());
        }
        Ok(v1::Lamp { metadata, spec: v1::LampSpec { watts, color }, status, ..Default::default() })
    }
}

pub(crate) fn conversion() -> Conversion<v2::Lamp> {
    Conversion::new().version::<v1::Lamp>()
}

/// The definition of both versions, of which the second is stored.
pub(crate) fn definition() -> Definition {
    let declaration = |spec| Declaration {
        spec: Some(spec),
        status: Some(schema_of::<LampStatus>()),
        ..Default::default()
    };
    let first = Definition::new::<v1::Lamp>(declaration(schema_of::<v1::LampSpec>()));
    let second = Definition::new::<v2::Lamp>(declaration(schema_of::<v2::LampSpec>()));
    Definition::merge([first, second], "v2")
}
