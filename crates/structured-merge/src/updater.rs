//! [`Updater`], the effect of a write on the fields of all managers.

mod prune;

use std::collections::BTreeMap;
use std::fmt;

use klient_apimachinery::Str;

use crate::typed::reconcile;
use crate::{
    Comparison, Conflict, Conflicts, ConvertError, Duplicates, Error, FieldSet, Filter, Manager, Managers,
    Map, Owned, Schema, Typed,
};

/// Computes the effect of a write on the fields of all managers, over the versions of one kind.
///
/// Most callers use it through [`FieldManager`](crate::FieldManager), which adds an API server's handling of
/// metadata.
///
/// ```
/// use klient_structured_merge::{Duplicates, Manager, Managers, Map, Schema, Typed, Updater};
/// use serde_json::json;
///
/// let updater = Updater::of_one("v1", Schema::builtin(&klient_schema::core_v1::CONFIG_MAP));
/// let schema = &updater.version("v1")?.schema;
/// let config = json!({"data": {"a": "1"}});
/// let (live, alice) = (Map::new(), Manager::apply("alice", ""));
/// let live = Typed::new(&live, schema, Duplicates::Allow)?;
/// let config = Typed::new(config.as_object().expect("an object"), schema, Duplicates::Refuse)?;
/// let applied = updater.apply(&live, &config, "v1", Managers::default(), &alice, false)?;
/// assert_eq!(applied.object.as_ref(), Some(config.object()));
/// assert_eq!(applied.managers[&alice].fields.to_string(), ".data.a");
///
/// // A field that another writer updates is no longer Alice's.
/// let new = json!({"data": {"a": "2"}});
/// let new = Typed::new(new.as_object().expect("an object"), schema, Duplicates::Allow)?;
/// let updated = updater.update(&config, &new, "v1", applied.managers)?;
/// assert_eq!(updated.fields.to_string(), ".data.a");
/// assert!(updated.managers.is_empty());
/// # Ok::<(), klient_structured_merge::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Updater<'a> {
    /// The served versions, by `apiVersion`. Managers in other versions lose their fields.
    pub versions: BTreeMap<Str, Version>,
    /// The conversion between versions; without it objects are the same in all.
    pub convert: Option<&'a Convert<'a>>,
}

/// One version of a kind.
#[derive(Clone, Debug)]
pub struct Version {
    /// The schema of its objects.
    pub schema: Schema,
    /// The fields that the request can set.
    pub filter: Filter,
}

/// Converts an object: called with the object, its version, and the target version.
pub type Convert<'a> = dyn Fn(&Map, &str, &str) -> Result<Map, ConvertError> + Sync + 'a;

/// The result of a write that is not an apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Updated {
    /// The remaining fields of the previous managers.
    pub managers: Managers,
    /// The fields that the writer has set.
    pub fields: FieldSet,
}

/// The result of an apply.
#[derive(Clone, Debug, PartialEq)]
pub struct Applied {
    /// The object, if it has changed.
    pub object: Option<Map>,
    /// The managers after the apply.
    pub managers: Managers,
}

impl Updater<'_> {
    /// An updater for a kind with one version.
    pub fn of_one(api_version: impl Into<Str>, schema: Schema) -> Self {
        let version = Version { schema, filter: Filter::All };
        Updater { versions: [(api_version.into(), version)].into(), convert: None }
    }

    /// The schema and filter of a version.
    ///
    /// # Errors
    ///
    /// [`is_conversion`](Error::is_conversion) if there is no such version.
    pub fn version(&self, api_version: &str) -> Result<&Version, Error> {
        self.versions.get(api_version).ok_or_else(|| Error::missing(api_version))
    }

    /// Computes the fields set by a write that is not an apply. Fields that the writer changed or added are taken
    /// from the other managers; fields that it removed have no owner.
    ///
    /// # Errors
    ///
    /// [`is_conversion`](Error::is_conversion) if an object cannot be converted to a version in which a manager owns
    /// fields, or does not follow its schema there.
    pub fn update(
        &self,
        live: &Typed<'_>,
        new: &Typed<'_>,
        api_version: &str,
        managers: Managers,
    ) -> Result<Updated, Error> {
        let managers = self.reconcile(managers);
        let lives = self.in_versions(live, api_version, &managers)?;
        let (managers, changes) = self.take(&lives, new, api_version, managers, None, true)?;
        let fields = changes.modified.union(&changes.added);
        let fields = self.version(api_version)?.filter.apply(&fields);
        Ok(Updated { managers, fields })
    }

    /// Merges a configuration into an object. Fields that the manager applied before and does not apply now are
    /// removed, unless another manager owns them.
    ///
    /// # Errors
    ///
    /// [`is_conflict`](Error::is_conflict) if others own fields that would change, without `force`;
    /// [`is_conversion`](Error::is_conversion) if an object cannot be converted to a version in which a manager owns
    /// fields, or does not follow its schema there; [`is_invalid`](Error::is_invalid) if a list of the configuration has
    /// duplicate items.
    pub fn apply(
        &self,
        live: &Typed<'_>,
        config: &Typed<'_>,
        api_version: &str,
        managers: Managers,
        manager: &Manager,
        force: bool,
    ) -> Result<Applied, Error> {
        let mut managers = self.reconcile(managers);
        // A live object that cannot be converted is told before all else.
        let lives = self.in_versions(live, api_version, &managers)?;
        let merged = live.merge(config)?;
        let fields = self.version(api_version)?.filter.apply(&config.field_set());
        let last = managers.get(manager).cloned();
        let time = last.as_ref().and_then(|last| last.time);
        // A manager that still owns all it had also owns the items and entries around it: nothing would be pruned, unless it
        // is lost in a conversion to the version of another manager.
        let is_in_one_version = managers.values().all(|owned| owned.api_version == api_version);
        let has_less = |last: &Owned| !is_in_one_version || !last.fields.difference(&fields).is_empty();
        let last = last.filter(has_less);
        managers.insert(manager.clone(), Owned { fields, api_version: api_version.into(), time });
        let pruned = match last {
            Some(last) => {
                let pruned = self.prune(merged, api_version, &managers, &last);
                pruned.map_err(|error| error.within("failed to prune fields"))?
            }
            None => merged,
        };
        let (managers, _) = self.take(&lives, &pruned, api_version, managers, Some(manager), force)?;
        let object = (!live.is_equal(&pruned)).then(|| pruned.into_object());
        Ok(Applied { object, managers })
    }

    /// Adapts all sets to the schemas of their versions. Sets of versions no longer served are dropped.
    fn reconcile(&self, managers: Managers) -> Managers {
        let mut reconciled = Managers::default();
        for (manager, mut owned) in managers {
            let Some(version) = self.versions.get(&owned.api_version) else { continue };
            if let Some(fields) = reconcile(&owned.fields, version.schema.root()) {
                owned.fields = fields;
            }
            reconciled.insert(manager, owned);
        }
        reconciled
    }

    /// An object in its own version and in those of all managers.
    fn in_versions<'s>(
        &'s self,
        object: &Typed<'s>,
        api_version: &str,
        managers: &Managers,
    ) -> Result<BTreeMap<Str, Typed<'s>>, Error> {
        let mut versions = BTreeMap::from([(api_version.into(), object.clone())]);
        for owned in managers.values() {
            if !versions.contains_key(&owned.api_version)
                && let Some(converted) = self.convert(object, api_version, &owned.api_version)?
            {
                versions.insert(owned.api_version.clone(), converted);
            }
        }
        Ok(versions)
    }

    /// Takes changed fields from all managers except `writer`. `lives` is the object before, by its version.
    fn take(
        &self,
        lives: &BTreeMap<Str, Typed<'_>>,
        new: &Typed<'_>,
        api_version: &str,
        mut managers: Managers,
        writer: Option<&Manager>,
        force: bool,
    ) -> Result<(Managers, Comparison), Error> {
        let live = lives.get(api_version).ok_or_else(|| Error::missing(api_version))?;
        let changes = live.compare(new).filter(&self.version(api_version)?.filter);
        let mut in_versions: BTreeMap<Str, Changes> = BTreeMap::new();
        for owned in managers.values() {
            if in_versions.contains_key(&owned.api_version) {
                continue;
            }
            let changes = if owned.api_version == api_version {
                Changes::of(&changes)
            } else {
                let new = self.convert(new, api_version, &owned.api_version);
                let new = new.map_err(|error| error.within("failed to convert new object"))?;
                let (Some(live), Some(new)) = (lives.get(&owned.api_version), new) else { continue };
                let filter = &self.version(&owned.api_version)?.filter;
                Changes::of(&live.compare(&new).filter(filter))
            };
            in_versions.insert(owned.api_version.clone(), changes);
        }
        let is_served = |owned: &Owned| in_versions.contains_key(&owned.api_version);
        managers.retain(|manager, owned| Some(manager) == writer || is_served(owned));

        let mut conflicts = Vec::new();
        for (manager, owned) in managers.iter_mut().filter(|(manager, _)| Some(*manager) != writer) {
            let changes = &in_versions[&owned.api_version];
            let contested = owned.fields.intersection(&changes.set);
            let paths = contested.iter();
            if !force {
                conflicts.extend(paths.map(|path| Conflict { manager: manager.clone(), path }));
            }
            owned.fields = owned.fields.difference(&contested).difference(&changes.removed);
        }
        if !conflicts.is_empty() {
            return Err(Error::conflict(Conflicts::new(conflicts)));
        }
        managers.drop_empty();
        Ok((managers, changes))
    }

    /// The object in another version; `None` if there is no such version. As upstream, a converted object with duplicate
    /// items in a list is an error.
    fn convert<'s>(&'s self, object: &Typed<'_>, from: &str, to: &str) -> Result<Option<Typed<'s>>, Error> {
        let Some(version) = self.versions.get(to) else { return Ok(None) };
        let mut converted = match self.convert {
            Some(convert) if from != to => convert(object.object(), from, to).map_err(Error::conversion)?,
            _ => object.object().clone(),
        };
        if converted.contains_key("apiVersion") {
            converted.insert("apiVersion".to_owned(), to.into());
        }
        let duplicates = if from == to { Duplicates::Allow } else { Duplicates::Refuse };
        let typed = Typed::owned(converted, &version.schema, duplicates);
        typed.map(Some).map_err(|error| Error::conversion(Box::new(error)))
    }
}

/// The effect of a write on the other managers in one version.
struct Changes {
    /// The fields that it changed or added.
    set: FieldSet,
    removed: FieldSet,
}

impl Changes {
    fn of(changes: &Comparison) -> Self {
        Changes { set: changes.modified.union(&changes.added), removed: changes.removed.clone() }
    }
}

impl fmt::Debug for Updater<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Updater")
            .field("versions", &self.versions.keys().collect::<Vec<_>>())
            .field("converts", &self.convert.is_some())
            .finish()
    }
}
