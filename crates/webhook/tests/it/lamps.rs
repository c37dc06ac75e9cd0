//! Lamps in two versions, as in `e2e/webhooks`.

use klient_apimachinery::custom_resource;
use klient_webhook::Conversion;
use serde::{Deserialize, Serialize};

pub(crate) mod v1 {
    use super::*;

    custom_resource! {
        group: "hooks.example", version: "v1", kind: "Lamp", plural: "lamps", scope: Namespaced, subresources: [Status];

        pub(crate) struct Lamp {
            pub(crate) spec: LampSpec,
        }
    }

    #[derive(Clone, Debug, Default, Serialize, Deserialize)]
    #[serde(default)]
    pub(crate) struct LampSpec {
        pub(crate) watts: u32,
    }
}

pub(crate) mod v2 {
    use super::*;

    custom_resource! {
        group: "hooks.example", version: "v2", kind: "Lamp", plural: "lamps", scope: Namespaced, subresources: [Status];

        pub(crate) struct Lamp {
            pub(crate) spec: LampSpec,
        }
    }

    #[derive(Clone, Debug, Default, Serialize, Deserialize)]
    #[serde(default)]
    pub(crate) struct LampSpec {
        pub(crate) power: String,
    }
}

/// A version that leaves the metadata to klient.
pub(crate) mod v3 {
    use super::*;

    custom_resource! {
        group: "hooks.example", version: "v3", kind: "Lamp", plural: "lamps", scope: Namespaced, subresources: [Status];

        pub(crate) struct Lamp {
            pub(crate) power: String,
        }
    }
}

impl From<v1::Lamp> for v2::Lamp {
    fn from(lamp: v1::Lamp) -> Self {
        assert_ne!(lamp.spec.watts, 666, "as planned");
        let mut metadata = lamp.metadata;
        metadata.annotations.insert("watts", lamp.spec.watts.to_string().into());
        v2::Lamp {
            metadata,
            spec: v2::LampSpec { power: format!("{}W", lamp.spec.watts) },
            ..Default::default()
        }
    }
}

impl TryFrom<v2::Lamp> for v1::Lamp {
    type Error = String;

    fn try_from(lamp: v2::Lamp) -> Result<Self, String> {
        let watts = lamp.spec.power.strip_suffix('W').and_then(|watts| watts.parse().ok());
        let watts = watts.ok_or_else(|| format!("spec.power: {} is not in watts", lamp.spec.power))?;
        let mut metadata = lamp.metadata;
        metadata.annotations.remove("watts");
        // Neither is a conversion's to change.
        metadata.uid = Some("another".into());
        metadata.finalizers.clear();
        Ok(v1::Lamp { metadata, spec: v1::LampSpec { watts }, ..Default::default() })
    }
}

impl From<v2::Lamp> for v3::Lamp {
    fn from(lamp: v2::Lamp) -> Self {
        v3::Lamp { power: lamp.spec.power, ..Default::default() }
    }
}

impl From<v3::Lamp> for v2::Lamp {
    fn from(lamp: v3::Lamp) -> Self {
        v2::Lamp { spec: v2::LampSpec { power: lamp.power }, ..Default::default() }
    }
}

pub(crate) fn conversion() -> Conversion<v2::Lamp> {
    Conversion::new().version::<v1::Lamp>().version::<v3::Lamp>()
}
