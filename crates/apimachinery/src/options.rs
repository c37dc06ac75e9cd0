//! What lists, watches and writes can be told.

use crate::Str;
use crate::codec::ManagedFields;

/// Which objects to list, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListOptions {
    /// Only objects with these labels, such as `app=web,tier in (front,back)`.
    pub label_selector: Option<Str>,
    /// Only objects with these field values, such as `status.phase=Running`.
    pub field_selector: Option<Str>,
    /// At most so many; the list then says how to go on.
    pub limit: Option<u32>,
    /// Where to go on, from the list before.
    pub continue_token: Option<Str>,
    /// A version to read at; what it means says `resource_version_match`.
    pub resource_version: Option<Str>,
    /// How `resource_version` is meant.
    pub resource_version_match: Option<VersionMatch>,
    /// Whether the objects' `managedFields` are read.
    pub managed_fields: ManagedFields,
}

impl ListOptions {
    /// Lists the objects that a label selector matches, such as `app=web,tier in (front,back)`.
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

    /// Lists the objects that a field selector matches, such as `status.phase=Running`.
    pub fn fields(selector: impl Into<Str>) -> Self {
        ListOptions { field_selector: Some(selector.into()), ..Default::default() }
    }
}

/// How the version of a list is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VersionMatch {
    /// At that version and no other.
    Exact,
    /// At that version or a later one.
    NotOlderThan,
}

impl VersionMatch {
    /// The word in requests.
    pub fn as_str(self) -> &'static str {
        match self {
            VersionMatch::Exact => "Exact",
            VersionMatch::NotOlderThan => "NotOlderThan",
        }
    }
}

/// Which objects to watch, and from where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WatchOptions {
    /// Only objects with these labels.
    pub label_selector: Option<Str>,
    /// Only objects with these field values.
    pub field_selector: Option<Str>,
    /// The version behind which changes are wanted. Without one, what is there comes first, as added.
    pub resource_version: Option<Str>,
    /// What is there comes first, as added, and then a bookmark that says so (KEP-3157). Asks for bookmarks.
    pub send_initial_events: bool,
    /// Be told now and then up to which version there are no changes.
    pub allow_bookmarks: bool,
    /// After how many seconds the server ends the watch.
    pub timeout_seconds: Option<u32>,
    /// Whether the objects' `managedFields` are read.
    pub managed_fields: ManagedFields,
}

impl WatchOptions {
    /// Watches the objects that a label selector matches.
    pub fn labels(selector: impl Into<Str>) -> Self {
        WatchOptions { label_selector: Some(selector.into()), ..Default::default() }
    }

    /// Watches the objects that a field selector matches.
    pub fn fields(selector: impl Into<Str>) -> Self {
        WatchOptions { field_selector: Some(selector.into()), ..Default::default() }
    }
}

/// How objects are written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WriteOptions {
    /// Who writes, for the record of who manages which field; by default what the client calls itself.
    pub field_manager: Option<Str>,
    /// Do everything but store the object.
    pub dry_run: bool,
    /// What becomes of fields that the server does not know; by default it warns of them.
    pub field_validation: Option<FieldValidation>,
}

/// What becomes of fields that the server does not know, or that stand twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldValidation {
    /// They are dropped.
    Ignore,
    /// They are dropped, and the answer warns of them.
    Warn,
    /// The object is refused.
    Strict,
}

impl FieldValidation {
    /// The word in requests.
    pub fn as_str(self) -> &'static str {
        match self {
            FieldValidation::Ignore => "Ignore",
            FieldValidation::Warn => "Warn",
            FieldValidation::Strict => "Strict",
        }
    }
}
