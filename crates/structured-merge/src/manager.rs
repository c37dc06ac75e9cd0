//! [`Manager`] and [`Managers`], the owners of an object's fields.

mod entry;

use klient_apimachinery::go::quoted;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Deref, DerefMut};

pub(crate) use entry::remove_managed_fields;
use klient_apimachinery::{Str, Time};

use crate::value::write_text;
use crate::{FieldSet, Path};

/// An owner of fields: a program and the operation of its writes.
///
/// Applies of one program are one manager regardless of the version; its updates are one manager for each version.
///
/// ```
/// use klient_structured_merge::Manager;
/// let manager = Manager::update("controller", "apps/v1", "status");
/// assert_eq!(manager.to_string(), r#""controller" with subresource "status" using apps/v1"#);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Manager {
    /// The name: `fieldManager`, or the default from the user agent.
    pub name: Str,
    /// The operation of its writes.
    pub operation: Operation,
    /// The `apiVersion` of its writes; empty for applies.
    pub api_version: Str,
    /// The subresource of its writes; empty for the object itself.
    pub subresource: Str,
}

/// The operation by which a manager writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// Server-side apply.
    Apply,
    /// Any other write.
    Update,
}

impl Operation {
    /// The operation as written in `managedFields`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Operation::Apply => "Apply",
            Operation::Update => "Update",
        }
    }
}

impl Manager {
    /// A manager with operation `Apply`.
    pub fn apply(name: impl Into<Str>, subresource: impl Into<Str>) -> Self {
        let (name, subresource) = (name.into(), subresource.into());
        Manager { name, operation: Operation::Apply, api_version: Str::default(), subresource }
    }

    /// A manager with operation `Update`.
    pub fn update(name: impl Into<Str>, api_version: impl Into<Str>, subresource: impl Into<Str>) -> Self {
        Manager {
            name: name.into(),
            operation: Operation::Update,
            api_version: api_version.into(),
            subresource: subresource.into(),
        }
    }

    /// The JSON by which upstream identifies managers, and by which it sorts them last.
    pub(crate) fn identifier(&self) -> String {
        let mut out = String::from("{");
        for (name, value) in [
            ("manager", self.name.as_str()),
            ("operation", self.operation.as_str()),
            ("apiVersion", self.api_version.as_str()),
            ("subresource", self.subresource.as_str()),
        ] {
            if !value.is_empty() {
                let comma = if out.len() > 1 { "," } else { "" };
                out.push_str(&format!("{comma}\"{name}\":"));
                write_text(value, true, &mut out);
            }
        }
        out.push('}');
        out
    }
}

/// The form used in messages: `"kubectl" with subresource "scale" using apps/v1`.
impl fmt::Display for Manager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&quoted(&self.name))?;
        if !self.subresource.is_empty() {
            write!(f, " with subresource {}", quoted(&self.subresource))?;
        }
        match self.operation {
            Operation::Apply => Ok(()),
            Operation::Update => write!(f, " using {}", self.api_version),
        }
    }
}

/// The fields of a manager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owned {
    /// The fields.
    pub fields: FieldSet,
    /// The version of the paths.
    pub api_version: Str,
    /// The time of the last change, if known.
    pub time: Option<Time>,
}

/// The managers of an object and the fields of each.
///
/// ```
/// use klient_structured_merge::{Manager, Managers, Path};
/// use serde_json::json;
///
/// let object = json!({"metadata": {"managedFields": [{
///     "manager": "kubectl", "operation": "Apply", "apiVersion": "apps/v1",
///     "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:replicas": {}}},
/// }]}});
/// let managers = Managers::of(object.as_object().expect("an object"))?;
/// assert!(managers[&Manager::apply("kubectl", "")].fields.has(&Path::fields(["spec", "replicas"])));
/// # Ok::<(), klient_structured_merge::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Managers(BTreeMap<Manager, Owned>);

impl Managers {
    /// The highest number of managers with operation `Update` that an object keeps.
    pub const MOST_UPDATES: usize = 10;

    /// Drops managers that own no field.
    pub(crate) fn drop_empty(&mut self) {
        self.0.retain(|_, owned| !owned.fields.is_empty());
    }

    /// Removes fields from a manager, and the manager if none remains.
    pub(crate) fn strip(&mut self, manager: &Manager, fields: &FieldSet) {
        if let Some(owned) = self.0.get_mut(manager) {
            owned.fields = owned.fields.difference(fields);
            if owned.fields.is_empty() {
                self.0.remove(manager);
            }
        }
    }

    /// Merges the oldest managers with operation `Update`, by version, into `ancient-changes`, until there are at
    /// most [`MOST_UPDATES`](Self::MOST_UPDATES) or each has a different version.
    pub fn cap_updates(&mut self) {
        let is_update = |manager: &&Manager| manager.operation == Operation::Update;
        let mut oldest: Vec<Manager> = self.0.keys().filter(is_update).cloned().collect();
        let mut count = oldest.len();
        if count <= Self::MOST_UPDATES {
            return;
        }
        oldest.sort_by_cached_key(|manager| (seconds(self.0[manager].time), manager.identifier()));
        let mut first_of: BTreeMap<Str, Manager> = BTreeMap::new();
        for manager in oldest {
            if count <= Self::MOST_UPDATES {
                return;
            }
            let version = self.0[&manager].api_version.clone();
            let bucket = Manager::update("ancient-changes", version.clone(), "");
            let Some(first) = first_of.get(&version) else {
                first_of.insert(version, manager);
                continue;
            };
            // If a manager without a time came before it, upstream merges the bucket into itself and then drops it.
            if manager == bucket {
                continue;
            }
            if !self.0.contains_key(&bucket)
                && let Some(first) = self.0.remove(first)
            {
                self.0.insert(bucket.clone(), first);
            }
            if let (Some(owned), Some(into)) = (self.0.remove(&manager), self.0.get_mut(&bucket)) {
                into.fields = owned.fields.union(&into.fields);
                into.time = owned.time;
                count -= 1;
            }
        }
    }

    /// All owned fields, by the version of their paths.
    pub(crate) fn by_version(&self) -> BTreeMap<Str, FieldSet> {
        let mut sets: BTreeMap<Str, FieldSet> = BTreeMap::new();
        for owned in self.0.values() {
            let set = sets.entry(owned.api_version.clone()).or_default();
            *set = set.union(&owned.fields);
        }
        sets
    }

    /// Returns true if any manager owns the field.
    pub fn owns(&self, path: &Path) -> bool {
        self.0.values().any(|owned| owned.fields.has(path))
    }
}

pub(crate) fn seconds(time: Option<Time>) -> i64 {
    time.map_or(0, Time::unix)
}

impl Deref for Managers {
    type Target = BTreeMap<Manager, Owned>;

    fn deref(&self) -> &BTreeMap<Manager, Owned> {
        &self.0
    }
}

impl DerefMut for Managers {
    fn deref_mut(&mut self) -> &mut BTreeMap<Manager, Owned> {
        &mut self.0
    }
}

impl FromIterator<(Manager, Owned)> for Managers {
    fn from_iter<I: IntoIterator<Item = (Manager, Owned)>>(managers: I) -> Self {
        Managers(managers.into_iter().collect())
    }
}

impl IntoIterator for Managers {
    type Item = (Manager, Owned);
    type IntoIter = std::collections::btree_map::IntoIter<Manager, Owned>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
