//! [`PriorityAndFairness`], the server's classification of a request.

use http::{HeaderMap, HeaderName};

const FLOW_SCHEMA_UID: HeaderName = HeaderName::from_static("x-kubernetes-pf-flowschema-uid");
const PRIORITY_LEVEL_UID: HeaderName = HeaderName::from_static("x-kubernetes-pf-prioritylevel-uid");

/// The objects of flowcontrol.apiserver.k8s.io by which the server classified a request, from the headers of its
/// response.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PriorityAndFairness {
    /// The UID of the `FlowSchema` that the request matched.
    pub flow_schema_uid: String,
    /// The UID of the `PriorityLevelConfiguration` of the schema.
    pub priority_level_uid: String,
}

impl PriorityAndFairness {
    /// Reads the headers of a response; `None` if the server does not send them.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let text = |name| Some(String::from_utf8_lossy(headers.get(name)?.as_bytes()).into_owned());
        Some(PriorityAndFairness {
            flow_schema_uid: text(FLOW_SCHEMA_UID)?,
            priority_level_uid: text(PRIORITY_LEVEL_UID)?,
        })
    }
}
