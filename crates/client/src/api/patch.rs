//! [`Patch`], a change to an object.

use std::fmt;

use klient_apimachinery::codec::Wire;
use serde_json::Value;

use crate::rest::Request;

/// A change to an object, in one of the forms the API server takes. Server-side apply, which the API counts among
/// them, is [`Api::apply`](crate::Api::apply).
///
/// ```
/// use klient_client::Patch;
/// use serde_json::json;
/// let scale_up = Patch::Merge(json!({"spec": {"replicas": 3}}));
/// ```
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum Patch {
    /// Operations one after another (RFC 6902).
    Json(Value),
    /// The merge patch; `null` removes (RFC 7386).
    Merge(Value),
    /// The strategic merge patch, which merges lists by their keys. For built-in kinds only.
    Strategic(Value),
}

impl Patch {
    /// A merge patch of the fields that a typed object sets.
    pub fn merge_of<T: Wire>(object: &T) -> Self {
        let mut json = Vec::new();
        object.to_json(&mut json);
        Patch::Merge(serde_json::from_slice(&json).unwrap_or_default())
    }

    fn content_type(&self) -> &'static str {
        match self {
            Patch::Json(_) => "application/json-patch+json",
            Patch::Merge(_) => "application/merge-patch+json",
            Patch::Strategic(_) => "application/strategic-merge-patch+json",
        }
    }

    pub(crate) fn put_into(&self, request: Request) -> Request {
        let (Patch::Json(value) | Patch::Merge(value) | Patch::Strategic(value)) = self;
        request.body(self.content_type(), value.to_string())
    }
}

/// Prints the type of the patch without its content, which may be secret.
impl fmt::Debug for Patch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Patch::Json(_) => "Json(***)",
            Patch::Merge(_) => "Merge(***)",
            Patch::Strategic(_) => "Strategic(***)",
        })
    }
}
