//! JSON null where Go reads an empty value.

use serde::{Deserialize, Deserializer};

/// Reads null as an empty value, for `#[serde(deserialize_with = …)]`: as Go does, and as `aws eks update-kubeconfig`
/// writes `env: null`.
pub(crate) fn null_is_empty<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(from)?.unwrap_or_default())
}
