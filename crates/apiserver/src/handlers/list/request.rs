//! [`ListRequest`], the selectors and the version of a list or watch.

use klient_apimachinery::validation::field::{ErrorList, FieldError};
use klient_apimachinery::{fields, labels};

use super::super::Context;
use super::super::read::{not_a_list_version, not_a_version, version};
use crate::status::{Failure, Result};
use crate::storage::Selection;

/// The selectors and the version of a list or watch.
pub(crate) struct ListRequest {
    pub(crate) selection: Selection,
    pub(crate) version: Option<u64>,
    pub(super) matching: String,
}

impl ListRequest {
    /// Reads and checks selectors and versions.
    pub(crate) fn parse(context: &Context, watch: bool) -> Result<Self> {
        let query = &context.query;
        check_options(context, watch)?;
        let labels = query.text("labelSelector");
        let labels = labels
            .parse()
            .map_err(|error: labels::InvalidSelector| Failure::bad_request(error.to_string()))?;
        let mut fields = context.resource.field_selector(&query.text("fieldSelector"))?;
        if let Some(name) = &context.info.name {
            fields = fields::Selector::one("metadata.name", name);
        }
        let refuse = if watch { not_a_version } else { not_a_list_version };
        Ok(ListRequest {
            selection: Selection { labels, fields },
            version: version(&query.text("resourceVersion"), refuse)?,
            matching: query.text("resourceVersionMatch").into_owned(),
        })
    }
}

/// Checks the options that depend on each other.
fn check_options(context: &Context, watch: bool) -> Result<()> {
    let query = &context.query;
    for number in ["timeoutSeconds", "limit"] {
        query.number(number)?;
    }
    let field = "resourceVersionMatch";
    let (version, matching) = (query.text("resourceVersion"), query.text(field));
    let initial_events = query.get("sendInitialEvents");
    let mut problems = ErrorList::default();
    let mut forbid = |field: &str, detail: &str| problems.add(FieldError::forbidden(field, detail));
    let continues = query.get("continue").is_some_and(|token| !token.is_empty());
    let only = if watch { &["NotOlderThan"][..] } else { &["Exact", "NotOlderThan", ""] };
    let is_supported = matching.is_empty() || only.contains(&&*matching);
    if watch {
        if initial_events.is_some() && matching != "NotOlderThan" {
            forbid(field, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
        }
        if initial_events.is_none() && !matching.is_empty() {
            forbid(field, "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
        }
    } else if !matching.is_empty() && version.is_empty() {
        forbid(field, "resourceVersionMatch is forbidden unless resourceVersion is provided");
    }
    if continues && !watch && !matching.is_empty() {
        forbid(field, "resourceVersionMatch is forbidden when continue is provided");
    }
    if !is_supported {
        problems.add(FieldError::not_supported(field, &*matching, only));
    }
    let mut forbid = |field: &str, detail: &str| problems.add(FieldError::forbidden(field, detail));
    if continues && watch {
        forbid(field, "resourceVersionMatch is forbidden when continue is provided");
    }
    if !watch && matching == "Exact" && version == "0" {
        forbid(field, r#"resourceVersionMatch "exact" is forbidden for resourceVersion "0""#);
    }
    if !watch && initial_events.is_some() {
        forbid("sendInitialEvents", "sendInitialEvents is forbidden for list");
    }
    if problems.0.is_empty() {
        return Ok(());
    }
    Err(Failure::invalid("meta.k8s.io", "ListOptions", "", &problems.0))
}
