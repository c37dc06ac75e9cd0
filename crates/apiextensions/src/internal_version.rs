//! [`InternalVersion`], the form of a definition whose fields are named in errors.
//!
//! kube-apiserver validates definitions in an internal version, in which parts that are the same for all versions are
//! at the top level: the schema of a definition with one version is `spec.validation`, not `spec.versions[0].schema`.

use klient_apimachinery::values::{Map, list_at};
use serde_json::Value;

use super::path::{child, key};

/// The versions of a definition, and their common parts.
pub(super) struct InternalVersion<'a> {
    pub(super) versions: Vec<&'a Map>,
    /// True if there is a list of versions, even an empty one.
    listed: bool,
    /// The parts that are the same for all versions.
    shared: Vec<Part>,
}

/// A part of a version, and its name at the top level.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Part {
    own: &'static str,
    shared: &'static str,
}

pub(super) const SCHEMA: Part = Part { own: "schema", shared: "validation" };
pub(super) const SUBRESOURCES: Part = Part { own: "subresources", shared: "subresources" };
pub(super) const COLUMNS: Part = Part { own: "additionalPrinterColumns", shared: "additionalPrinterColumns" };
pub(super) const SELECTABLE: Part = Part { own: "selectableFields", shared: "selectableFields" };

impl<'a> InternalVersion<'a> {
    pub(super) fn of(spec: &'a Map) -> Self {
        let versions: Vec<&Map> = list_at(spec, &["versions"]).iter().filter_map(Value::as_object).collect();
        let is_shared = |part: &Part| {
            let mut values = versions.iter().map(|version| version.get(part.own));
            values.next().is_some_and(|first| values.all(|value| value == first))
        };
        let shared = [SCHEMA, SUBRESOURCES, COLUMNS, SELECTABLE].into_iter().filter(is_shared).collect();
        InternalVersion { versions, listed: spec.get("versions").is_some_and(Value::is_array), shared }
    }

    fn is_shared(&self, part: Part) -> bool {
        self.shared.contains(&part)
    }

    /// The part common to all versions, and its path.
    pub(super) fn shared(&self, part: Part) -> Option<(&'a Value, String)> {
        let value = self.versions.first()?.get(part.own)?;
        self.is_shared(part).then(|| (value, child("spec", part.shared)))
    }

    /// The part of a version that is not common, and its path.
    pub(super) fn own(&self, index: usize, part: Part) -> Option<(&'a Value, String)> {
        let value = self.versions.get(index)?.get(part.own)?;
        (!self.is_shared(part)).then(|| (value, child(&Self::path(index), part.own)))
    }

    /// The part of a version, common or not.
    pub(super) fn effective(&self, index: usize, part: Part) -> Option<&'a Value> {
        self.versions.get(index)?.get(part.own)
    }

    /// The path of a version.
    pub(super) fn path(index: usize) -> String {
        key("spec.versions", index)
    }

    /// The versions as printed by kube-apiserver.
    pub(super) fn shown(&self) -> String {
        if !self.listed {
            return "null".to_owned();
        }
        let versions: Vec<String> = (0..self.versions.len()).map(|index| self.shown_version(index)).collect();
        format!("[{}]", versions.join(","))
    }

    fn shown_version(&self, index: usize) -> String {
        let version = self.versions[index];
        let plain = |name: &str, absent: Value| version.get(name).unwrap_or(&absent).to_string();
        let part =
            |part: Part| self.own(index, part).map_or("null".to_owned(), |(value, _)| value.to_string());
        let fields = [
            ("Name", plain("name", "".into())),
            ("Served", plain("served", false.into())),
            ("Storage", plain("storage", false.into())),
            ("Deprecated", plain("deprecated", false.into())),
            ("DeprecationWarning", plain("deprecationWarning", Value::Null)),
            ("Schema", part(SCHEMA)),
            ("Subresources", part(SUBRESOURCES)),
            ("AdditionalPrinterColumns", part(COLUMNS)),
            ("SelectableFields", part(SELECTABLE)),
        ];
        let fields: Vec<String> = fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        format!("{{{}}}", fields.join(","))
    }
}
