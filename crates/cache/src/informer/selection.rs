//! [`Selection`], the objects that the selectors of an informer include.

use klient_apimachinery::{Map, ObjectKey, Str, fields, labels};

use crate::reflector::ReflectorOptions;

/// The selectors of an informer, to be applied to objects that it has not received.
pub(super) struct Selection {
    labels: labels::Selector,
    /// The conditions on name and namespace: the values of other fields are not known by an object's metadata.
    fields: Vec<fields::Term>,
}

impl Selection {
    /// The selectors of a reflector. One that cannot be parsed, which the server refuses, includes everything.
    pub(super) fn new(options: &ReflectorOptions) -> Self {
        let labels = options.label_selector.as_deref().and_then(|selector| selector.parse().ok());
        let fields: Option<fields::Selector> =
            options.field_selector.as_deref().and_then(|selector| selector.parse().ok());
        let mut fields = fields.map_or_else(Vec::new, |fields| fields.terms().to_vec());
        fields.retain(|term| matches!(&*term.field, "metadata.name" | "metadata.namespace"));
        Selection { labels: labels.unwrap_or_else(labels::Selector::everything), fields }
    }

    /// Returns true unless an object is excluded. Its labels may not be known.
    pub(super) fn may_include(&self, key: &ObjectKey, labels: Option<&Map<Str>>) -> bool {
        let has_field = |term: &fields::Term| {
            let value =
                if term.field == "metadata.name" { key.name() } else { key.namespace().unwrap_or_default() };
            (value == term.value) != term.not
        };
        let has_labels = |labels: &Map<Str>| self.labels.matches(|key| labels.get(key).map(Str::as_str));
        labels.is_none_or(has_labels) && self.fields.iter().all(has_field)
    }
}
