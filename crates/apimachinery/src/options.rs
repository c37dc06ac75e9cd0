//! Options of lists, watches and writes.

use crate::Str;
use crate::codec::ManagedFields;

/// Options of a list request: selectors, chunking and consistency.
#[doc(alias = "ListParams")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListOptions {
    /// Selects objects by label, such as `app=web,tier in (front,back)`.
    pub label_selector: Option<Str>,
    /// Selects objects by field, such as `status.phase=Running`.
    pub field_selector: Option<Str>,
    /// The maximum number of objects in the response, which then has a token for the next chunk.
    pub limit: Option<u32>,
    /// The token for the next chunk, from the previous response.
    pub continue_token: Option<Str>,
    /// The resourceVersion to read at, as defined by `resource_version_match`.
    pub resource_version: Option<Str>,
    /// The meaning of `resource_version`.
    pub resource_version_match: Option<VersionMatch>,
    /// The treatment of the objects' `managedFields`.
    pub managed_fields: ManagedFields,
}

impl ListOptions {
    /// Options with a label selector, such as `app=web,tier in (front,back)`.
    ///
    /// ```
    /// use klient_apimachinery::ListOptions;
    ///
    /// let options = ListOptions { limit: Some(500), ..ListOptions::labels("app=web") };
    /// assert_eq!(options.label_selector.as_deref(), Some("app=web"));
    /// ```
    pub fn labels(selector: impl Into<Str>) -> Self {
        ListOptions { label_selector: Some(selector.into()), ..Default::default() }
    }

    /// Options with a field selector, such as `status.phase=Running`.
    pub fn fields(selector: impl Into<Str>) -> Self {
        ListOptions { field_selector: Some(selector.into()), ..Default::default() }
    }
}

/// The meaning of the resourceVersion of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VersionMatch {
    /// Exactly that version.
    Exact,
    /// At that version or a later one.
    NotOlderThan,
}

impl VersionMatch {
    /// The value of the query parameter.
    pub fn as_str(self) -> &'static str {
        match self {
            VersionMatch::Exact => "Exact",
            VersionMatch::NotOlderThan => "NotOlderThan",
        }
    }
}

/// Options of a watch request: selectors and start.
#[doc(alias = "WatchParams")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WatchOptions {
    /// Selects objects by label.
    pub label_selector: Option<Str>,
    /// Selects objects by field.
    pub field_selector: Option<Str>,
    /// The resourceVersion after which changes are sent. Without one, existing objects are sent first, as added.
    pub resource_version: Option<Str>,
    /// Sends existing objects first, as added, then a bookmark that marks their end (KEP-3157). Implies bookmarks.
    pub send_initial_events: bool,
    /// Asks for bookmarks: events with only a resourceVersion, up to which all changes have been sent.
    pub allow_bookmarks: bool,
    /// The time after which the server ends the watch, in seconds.
    pub timeout_seconds: Option<u32>,
    /// The treatment of the objects' `managedFields`.
    pub managed_fields: ManagedFields,
}

impl WatchOptions {
    /// Options with a label selector.
    pub fn labels(selector: impl Into<Str>) -> Self {
        WatchOptions { label_selector: Some(selector.into()), ..Default::default() }
    }

    /// Options with a field selector.
    pub fn fields(selector: impl Into<Str>) -> Self {
        WatchOptions { field_selector: Some(selector.into()), ..Default::default() }
    }
}

/// Options of a create, update or patch request.
#[doc(alias = "PostParams")]
#[doc(alias = "CreateOptions")]
#[doc(alias = "UpdateOptions")]
#[doc(alias = "PatchOptions")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WriteOptions {
    /// The field manager of the write in `managedFields`; by default the client's name.
    pub field_manager: Option<Str>,
    /// Processes the request without storing the object.
    pub dry_run: bool,
    /// The treatment of unknown and duplicate fields; the server's default is [`Warn`](FieldValidation::Warn).
    pub field_validation: Option<FieldValidation>,
}

/// The treatment of unknown and duplicate fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldValidation {
    /// Drops them.
    Ignore,
    /// Drops them, with a warning in the response.
    Warn,
    /// Rejects the object.
    Strict,
}

impl FieldValidation {
    /// The value of the query parameter.
    pub fn as_str(self) -> &'static str {
        match self {
            FieldValidation::Ignore => "Ignore",
            FieldValidation::Warn => "Warn",
            FieldValidation::Strict => "Strict",
        }
    }
}
