//! [`Manager`] and [`Managers`], who owns which fields of an object.

mod entry;

use klient_apimachinery::go::quoted;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Deref, DerefMut};

pub(crate) use entry::remove_managed_fields;
use klient_apimachinery::{Str, Time};

use crate::value::write_text;
use crate::{FieldSet, Path};

/// Who owns fields: a program, by the kind of its writes.
///
/// Applies of one program are one manager whatever the version; its other writes are one for each version.
///
/// ```
/// use klient_structured_merge::Manager;
/// let manager = Manager::update("controller", "apps/v1", "status");
/// assert_eq!(manager.to_string(), r#""controller" with subresource "status" using apps/v1"#);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Manager {
    /// The name the program gives itself.
    pub name: Str,
    /// How it writes.
    pub operation: Operation,
    /// The version it writes in; empty for applies.
    pub api_version: Str,
    /// The subresource it writes to; empty for the object itself.
    pub subresource: Str,
}

/// How a manager writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// With server-side apply.
    Apply,
    /// In any other way.
    Update,
}

impl Operation {
    /// As `managedFields` writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Operation::Apply => "Apply",
            Operation::Update => "Update",
        }
    }
}

impl Manager {
    /// One that applies.
    pub fn apply(name: impl Into<Str>, subresource: impl Into<Str>) -> Self {
        let (name, subresource) = (name.into(), subresource.into());
        Manager { name, operation: Operation::Apply, api_version: Str::default(), subresource }
    }

    /// One that writes in another way.
    pub fn update(name: impl Into<Str>, api_version: impl Into<Str>, subresource: impl Into<Str>) -> Self {
        Manager {
            name: name.into(),
            operation: Operation::Update,
            api_version: api_version.into(),
            subresource: subresource.into(),
        }
    }

    /// What upstream tells managers apart by and sorts them by where nothing else does: their JSON.
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

/// As messages name it: `"kubectl" with subresource "scale" using apps/v1`.
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

/// What a manager owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owned {
    /// The fields.
    pub fields: FieldSet,
    /// The version in which they have these paths.
    pub api_version: Str,
    /// When that last changed, as far as it is known.
    pub time: Option<Time>,
}

/// Who owns which fields of an object.
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
    /// How many managers an object keeps that do not apply.
    pub const MOST_UPDATES: usize = 10;

    /// Drops those that own nothing.
    pub(crate) fn drop_empty(&mut self) {
        self.0.retain(|_, owned| !owned.fields.is_empty());
    }

    /// Takes fields from a manager, and the manager away if nothing is left.
    pub(crate) fn strip(&mut self, manager: &Manager, fields: &FieldSet) {
        if let Some(owned) = self.0.get_mut(manager) {
            owned.fields = owned.fields.difference(fields);
            if owned.fields.is_empty() {
                self.0.remove(manager);
            }
        }
    }

    /// Puts the oldest of those that do not apply together, by version, as `ancient-changes`, until there are no
    /// more than [`MOST_UPDATES`](Self::MOST_UPDATES) or each has a version of its own.
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
            // Upstream puts the bucket into itself and then drops it, if one without a time came before it.
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

    /// All fields that somebody owns, by the version in which they have these paths.
    pub(crate) fn by_version(&self) -> BTreeMap<Str, FieldSet> {
        let mut sets: BTreeMap<Str, FieldSet> = BTreeMap::new();
        for owned in self.0.values() {
            let set = sets.entry(owned.api_version.clone()).or_default();
            *set = set.union(&owned.fields);
        }
        sets
    }

    /// Whether somebody owns a field.
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
