//! [`Exchange`], a request that kube-apiserver was sent, and its answer.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A request, and kube-apiserver v1.37.0's answer if it was recorded; without one it prepares what follows.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Exchange {
    pub(crate) title: String,
    pub(crate) method: String,
    /// With `NS` for the namespace, and `NOW` for the server's version.
    pub(crate) path: String,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) body: String,
    /// The user of the request, if not a superuser.
    pub(crate) user: Option<String>,
    /// Requests sent while the response arrives.
    #[serde(default)]
    pub(crate) during: Vec<Exchange>,
    pub(crate) status: Option<u16>,
    #[serde(rename = "type", default)]
    pub(crate) content_type: String,
    #[serde(default)]
    pub(crate) warning: String,
    #[serde(default)]
    pub(crate) retry_after: String,
    #[serde(rename = "options", default)]
    pub(crate) content_type_options: String,
    /// None where it is not text.
    pub(crate) answer: Option<String>,
    /// Only the beginning of the answer was recorded.
    #[serde(default)]
    pub(crate) cut: bool,
}

impl Exchange {
    /// All exchanges, in their order.
    pub(crate) fn all() -> Vec<Exchange> {
        let lines = include_str!("exchanges.jsonl").lines();
        lines.map(|line| serde_json::from_str(line).expect("a line is an exchange")).collect()
    }

    pub(crate) fn is_watch(&self) -> bool {
        self.path.contains("watch=1") || self.path.contains("/watch/")
    }
}
