//! [`FieldManager`], updates of an object's managed fields on a write.

mod last_applied;
mod user_agent;

use klient_apimachinery::Time;
use serde_json::Value;
pub use user_agent::manager_of_user_agent;

use crate::manager::remove_managed_fields;
use crate::updater::Updater;
use crate::value;
use crate::{Duplicates, Error, FieldSet, Manager, Managers, Map, Owned, Path, Schema, Typed};

/// Updates the managed fields of an object for a write, as an API server does.
///
/// Objects are in the version of the request. Either all of them have `apiVersion` and `kind`, or none.
///
/// ```
/// use klient_apimachinery::Time;
/// use klient_structured_merge::{FieldManager, Managers, Map, Schema, Updater};
/// use serde_json::json;
///
/// let updater = Updater::of_one("v1", Schema::builtin(&klient_schema::core_v1::CONFIG_MAP));
/// let fields = FieldManager { updater: &updater, api_version: "v1", ..FieldManager::default() };
/// let new = json!({"metadata": {"name": "m"}, "data": {"a": "1"}});
/// let mut stored = new.as_object().cloned().expect("an object");
/// fields.update(&Map::new(), &mut stored, "kubectl-create", Time::from_unix(1_800_000_000))?;
/// assert_eq!(
///     stored["metadata"]["managedFields"],
///     json!([{
///         "manager": "kubectl-create", "operation": "Update", "apiVersion": "v1",
///         "time": "2027-01-15T08:00:00Z",
///         "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {".": {}, "f:a": {}}},
///     }])
/// );
/// # Ok::<(), klient_structured_merge::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct FieldManager<'a> {
    /// The versions of the kind.
    pub updater: &'a Updater<'a>,
    /// The version of the request.
    pub api_version: &'a str,
    /// The kind, for the configuration in the annotation of client-side `kubectl apply`.
    pub kind: &'a str,
    /// The subresource of the request; empty for the object itself.
    pub subresource: &'a str,
    /// An object with nothing set, the previous state of an object to be created: built-in kinds have fields that are
    /// always present. An empty object if `None`.
    pub empty: Option<&'a Map>,
    /// True if an update leaves all owners as they were when one of them uses an unknown version, and an apply is refused, as
    /// for custom resources. Otherwise that owner is dropped.
    pub keeps_unknown_versions: bool,
}

impl Default for FieldManager<'_> {
    /// A field manager without versions: every write fails.
    fn default() -> Self {
        static NONE: Updater<'_> = Updater { versions: std::collections::BTreeMap::new(), convert: None };
        FieldManager {
            updater: &NONE,
            api_version: "",
            kind: "",
            subresource: "",
            empty: None,
            keeps_unknown_versions: false,
        }
    }
}

impl FieldManager<'_> {
    /// Updates `metadata.managedFields` of an object that was created, updated or patched. `live` is the object
    /// before the write, or an empty one if it is new; `new` is the object to be stored.
    ///
    /// The previous owners are read from `new` if it has managed fields, else from `live`, so a client that does not
    /// know managed fields does not delete them. An empty list, or a list of one empty entry, resets them. A write to
    /// a subresource cannot change them. An existing object without managed fields gets none until the first apply.
    ///
    /// # Errors
    ///
    /// [`is_invalid`](Error::is_invalid) and [`is_conversion`](Error::is_conversion). `new` then has the managed
    /// fields of `live`, with which an API server writes it.
    pub fn update(&self, live: &Map, new: &mut Map, manager: &str, now: Time) -> Result<(), Error> {
        let managers = self.managers(live, new);
        remove_managed_fields(new);
        if managers.is_empty() && exists(live) {
            return Ok(());
        }
        let manager = Manager::update(name(manager), self.api_version, self.subresource);
        let updated = self.check_versions(&managers);
        match updated.and_then(|()| self.update_managers(live, new, managers, manager, now)) {
            Ok(mut managers) => {
                managers.cap_updates();
                managers.write_to(new);
                Ok(())
            }
            Err(error) => {
                let kept = live.get("metadata").and_then(|metadata| metadata.get("managedFields"));
                if let (Some(kept), Some(Value::Object(metadata))) = (kept, new.get_mut("metadata")) {
                    metadata.insert("managedFields".to_owned(), kept.clone());
                }
                Err(error)
            }
        }
    }

    /// Applies a configuration to an object and returns the result, before defaulting, with its managed fields.
    /// `live` is the stored object, or an empty one if there is none.
    ///
    /// If an existing object has no managed fields, all of its fields count as an update by `before-first-apply`. An
    /// apply by `kubectl` takes over the fields set by client-side apply, according to the annotation
    /// `kubectl.kubernetes.io/last-applied-configuration`, and keeps the annotation up to date.
    ///
    /// # Errors
    ///
    /// [`is_conflict`](Error::is_conflict) if others own fields that would change, without `force`;
    /// [`is_forbidden`](Error::is_forbidden) if the configuration has managed fields;
    /// [`is_invalid`](Error::is_invalid) if it does not follow the schema;
    /// [`is_managed_fields`](Error::is_managed_fields) if those of `live` cannot be read;
    /// [`is_conversion`](Error::is_conversion).
    pub fn apply(
        &self,
        live: &Map,
        config: &Map,
        manager: &str,
        force: bool,
        now: Time,
    ) -> Result<Map, Error> {
        let of_config = config.get("metadata").and_then(|metadata| metadata.get("managedFields"));
        if of_config.is_some_and(|fields| !fields.is_null()) {
            return Err(Error::forbidden("metadata.managedFields must be nil"));
        }
        let mut managers = Managers::of(live)?;
        self.check_versions(&managers)?;
        let without = without_managed_fields(live);
        if managers.is_empty() {
            let empty = self.empty.cloned().unwrap_or_default();
            let first = Manager::update("before-first-apply", self.api_version, self.subresource);
            managers = self.update_managers(&empty, &without, managers, first, now)?;
            managers.cap_updates();
        }
        // Kept for a second attempt with force, if all conflicts are with kubectl's own client-side apply.
        let again = (manager == last_applied::MANAGER && !force).then(|| managers.clone());
        let outcome = self.apply_managers(&without, config, managers, manager, force, now);
        let outcome = match (outcome, again) {
            (Err(error), Some(managers)) if error.is_conflict() => {
                last_applied::without_own(self, live, &error)
                    .unwrap_or(Err(error))
                    .and_then(|()| self.apply_managers(&without, config, managers, manager, true, now))
            }
            (outcome, _) => outcome,
        };
        let (object, managers) = outcome?;
        let mut object = object.unwrap_or(without);
        if manager == last_applied::MANAGER {
            last_applied::refresh(self, &mut object, config);
        }
        managers.write_to(&mut object);
        Ok(object)
    }

    /// Checks that objects can be converted to the versions of their managers, or that these can be dropped.
    fn check_versions(&self, managers: &Managers) -> Result<(), Error> {
        let is_version = |version: &str| version.matches('/').count() < 2;
        let is_known = |version: &str| !self.keeps_unknown_versions || self.updater.version(version).is_ok();
        let mut versions = managers.values().map(|owned| owned.api_version.as_str());
        match versions.find(|version| !is_version(version) || !is_known(version)) {
            Some(none) if !is_version(none) => Err(Error::no_version(none)),
            Some(unknown) => Err(Error::missing(unknown)),
            None => Ok(()),
        }
    }

    /// The owners before a write that is not an apply.
    fn managers(&self, live: &Map, new: &Map) -> Managers {
        let of_live = || Managers::of(live).unwrap_or_default();
        if !self.subresource.is_empty() {
            return of_live();
        }
        if is_reset(new) {
            return Managers::default();
        }
        match Managers::of(new) {
            Ok(managers) if !managers.is_empty() => managers,
            _ => of_live(),
        }
    }

    fn update_managers(
        &self,
        live: &Map,
        new: &Map,
        managers: Managers,
        manager: Manager,
        now: Time,
    ) -> Result<Managers, Error> {
        let schema = self.schema()?;
        let live = without_managed_fields(live);
        let live = Typed::new(&live, schema, Duplicates::Allow)?;
        let new = Typed::new(new, schema, Duplicates::Allow)?;
        let updated = self.updater.update(&live, &new, self.api_version, managers)?;
        let mut managers = updated.managers;
        let fields = updated.fields.difference(&never_owned());
        if !fields.is_empty() {
            let before = managers.remove(&manager).map(|owned| owned.fields).unwrap_or_default();
            let fields = fields.union(&before);
            managers.insert(manager, Owned { fields, api_version: self.api_version.into(), time: Some(now) });
        }
        Ok(managers)
    }

    fn apply_managers(
        &self,
        live: &Map,
        config: &Map,
        managers: Managers,
        manager: &str,
        force: bool,
        now: Time,
    ) -> Result<(Option<Map>, Managers), Error> {
        let schema = self.schema()?;
        let config = Typed::new(config, schema, Duplicates::Refuse)?;
        let live = Typed::new(live, schema, Duplicates::Allow)?;
        let manager = Manager::apply(name(manager), self.subresource);
        let applied = self.updater.apply(&live, &config, self.api_version, managers, &manager, force)?;
        let mut managers = applied.managers;
        managers.strip(&manager, &never_owned());
        if let (Some(_), Some(owned)) = (&applied.object, managers.get_mut(&manager)) {
            owned.time = Some(now);
        }
        Ok((applied.object, managers))
    }

    fn schema(&self) -> Result<&Schema, Error> {
        Ok(&self.updater.version(self.api_version)?.schema)
    }
}

/// Copies the times of the managed fields of `live` to a new object if the two differ in these times only, so that a
/// write of the same content is no change. Returns true if the objects are equal then.
///
/// ```
/// use klient_structured_merge::keep_times;
/// use serde_json::json;
///
/// let object = |time| json!({"metadata": {"managedFields": [{"manager": "a", "time": time}]}});
/// let (live, new) = (object("2027-01-15T08:00:00Z"), object("2027-01-15T09:00:00Z"));
/// let mut new = new.as_object().cloned().expect("an object");
/// assert!(keep_times(live.as_object().expect("an object"), &mut new));
/// assert_eq!(new, *live.as_object().expect("an object"));
/// ```
pub fn keep_times(live: &Map, new: &mut Map) -> bool {
    if value::equal_maps(live, new) {
        return true;
    }
    let Some(Value::Array(of_live)) = live.get("metadata").and_then(|metadata| metadata.get("managedFields"))
    else {
        return false;
    };
    let Some(of_new) = new.get_mut("metadata").and_then(|metadata| metadata.get_mut("managedFields")) else {
        return false;
    };
    let kept = of_new.clone();
    for (live, new) in of_live.iter().zip(of_new.as_array_mut().into_iter().flatten()) {
        if let (Value::Object(live), Value::Object(new)) = (live, new) {
            match live.get("time") {
                Some(time) => new.insert("time".to_owned(), time.clone()),
                None => new.remove("time"),
            };
        }
    }
    let same = value::equal_maps(live, new);
    if !same {
        new["metadata"]["managedFields"] = kept;
    }
    same
}

/// A copy of an object without `metadata.managedFields`, which may be the larger part of it.
fn without_managed_fields(object: &Map) -> Map {
    let copied = |(name, value): (&String, &Value)| {
        let value = match value {
            Value::Object(metadata) if name == "metadata" => {
                let others = metadata.iter().filter(|(name, _)| *name != "managedFields");
                others.map(|(name, value)| (name.clone(), value.clone())).collect::<Map>().into()
            }
            value => value.clone(),
        };
        (name.clone(), value)
    };
    object.iter().map(copied).collect()
}

/// The name of the manager, `unknown` if it is empty.
fn name(manager: &str) -> &str {
    if manager.is_empty() { "unknown" } else { manager }
}

fn exists(object: &Map) -> bool {
    let uid = object.get("metadata").and_then(|metadata| metadata.get("uid")).and_then(Value::as_str);
    uid.is_some_and(|uid| !uid.is_empty())
}

/// Returns true if an object asks for its managed fields to be reset.
fn is_reset(object: &Map) -> bool {
    let is_zero = |value: &Value| value.is_null() || value.as_str() == Some("");
    match object.get("metadata").and_then(|metadata| metadata.get("managedFields")) {
        Some(Value::Array(entries)) => match entries.as_slice() {
            [] => true,
            [Value::Object(entry)] => entry.values().all(is_zero),
            _ => false,
        },
        _ => false,
    }
}

/// Fields that the server sets or that identify the object; no manager owns them.
fn never_owned() -> FieldSet {
    let top = ["apiVersion", "kind", "metadata"];
    let metadata = [
        "name",
        "namespace",
        "creationTimestamp",
        "selfLink",
        "uid",
        "clusterName",
        "generation",
        "managedFields",
        "resourceVersion",
    ];
    let top = top.into_iter().map(|name| Path::fields([name]));
    top.chain(metadata.map(|name| Path::fields(["metadata", name]))).collect()
}
