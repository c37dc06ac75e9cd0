//! [`Live`], an object that managers write one after the other.

use klient_apimachinery::Time;
use klient_apimachinery::schema::Schema as Table;
use klient_schema::{apps_v1, core_v1};
use klient_structured_merge::{
    Error, FieldManager, Filter, Managers, Map, Operation, Schema, Updater, keep_times,
};
use serde_json::Value;

/// An object that managers write one after the other, a second apart.
pub(crate) struct Live {
    pub(crate) updater: Updater<'static>,
    pub(crate) api_version: &'static str,
    pub(crate) subresource: &'static str,
    pub(crate) object: Map,
    seconds: i64,
    /// The number of writes that changed the object, times aside.
    pub(crate) changes: usize,
}

impl Live {
    pub(crate) fn new(api_version: &'static str, schema: Schema) -> Self {
        Live {
            updater: Updater::of_one(api_version, schema),
            api_version,
            subresource: "",
            object: Map::new(),
            seconds: 1_800_000_000,
            changes: 0,
        }
    }

    pub(crate) fn builtin(api_version: &'static str, table: &'static Table) -> Self {
        Live::new(api_version, table.into())
    }

    pub(crate) fn deployment() -> Self {
        Live::builtin("apps/v1", &apps_v1::DEPLOYMENT)
    }

    pub(crate) fn pod() -> Self {
        Live::builtin("v1", &core_v1::POD)
    }

    /// Sets the filter of fields that the request cannot set.
    pub(crate) fn filter(mut self, filter: Filter) -> Self {
        for version in self.updater.versions.values_mut() {
            version.filter = filter.clone();
        }
        self
    }

    pub(crate) fn at(mut self, subresource: &'static str) -> Self {
        self.subresource = subresource;
        self
    }

    fn fields(&self) -> FieldManager<'_> {
        FieldManager {
            updater: &self.updater,
            api_version: self.api_version,
            kind: "Thing",
            subresource: self.subresource,
            ..FieldManager::default()
        }
    }

    fn write(
        &mut self,
        write: impl FnOnce(&FieldManager<'_>, &Map, Time) -> Result<Map, Error>,
    ) -> Result<(), Error> {
        self.seconds += 1;
        let mut new = write(&self.fields(), &self.object, Time::from_unix(self.seconds))?;
        if !keep_times(&self.object, &mut new) {
            self.changes += 1;
        }
        self.object = new;
        Ok(())
    }

    pub(crate) fn try_apply(&mut self, manager: &str, config: &Value, force: bool) -> Result<(), Error> {
        self.write(|fields, live, now| fields.apply(live, object(config), manager, force, now))
    }

    #[track_caller]
    pub(crate) fn apply(&mut self, manager: &str, config: Value) -> &mut Self {
        self.try_apply(manager, &config, false).expect("it applies");
        self
    }

    #[track_caller]
    pub(crate) fn force(&mut self, manager: &str, config: Value) -> &mut Self {
        self.try_apply(manager, &config, true).expect("it applies by force");
        self
    }

    /// The words of the error that an apply gives.
    #[track_caller]
    pub(crate) fn refused(&mut self, manager: &str, config: Value) -> String {
        let before = self.object.clone();
        let error = self.try_apply(manager, &config, false).expect_err("it does not apply");
        assert_eq!(self.object, before);
        error.to_string()
    }

    /// Writes the object as `change` makes it of what it was.
    #[track_caller]
    pub(crate) fn update(&mut self, manager: &str, change: impl FnOnce(&mut Value)) -> &mut Self {
        let mut new = Value::Object(self.object.clone());
        change(&mut new);
        self.write(|fields, live, now| {
            let mut new = object(&new).clone();
            fields.update(live, &mut new, manager, now).map(|()| new)
        })
        .expect("it is written");
        self
    }

    /// The object without its managed fields.
    pub(crate) fn seen(&self) -> Value {
        let mut seen = Value::Object(self.object.clone());
        if let Some(metadata) = seen["metadata"].as_object_mut() {
            metadata.remove("managedFields");
        }
        seen
    }

    pub(crate) fn managers(&self) -> Managers {
        Managers::of(&self.object).expect("they can be read")
    }

    /// A line for each manager, such as `alice: .spec.replicas`; those that do not apply have a star.
    pub(crate) fn owners(&self) -> Vec<String> {
        let line =
            |(manager, owned): (&klient_structured_merge::Manager, &klient_structured_merge::Owned)| {
                let star = if manager.operation == Operation::Update { "*" } else { "" };
                let sub = if manager.subresource.is_empty() {
                    String::new()
                } else {
                    format!("/{}", manager.subresource)
                };
                let fields: Vec<String> = owned.fields.iter().map(|path| path.to_string()).collect();
                format!("{}{star}{sub}: {}", manager.name, fields.join(" "))
            };
        self.managers().iter().map(line).collect()
    }

    #[track_caller]
    pub(crate) fn owned(&self, expected: &[&str]) -> &Self {
        assert_eq!(self.owners(), expected);
        self
    }

    /// Seconds since the story began at which managers last changed something.
    pub(crate) fn times(&self) -> Vec<Option<i64>> {
        self.managers().values().map(|owned| owned.time.map(|time| time.unix() - 1_800_000_000)).collect()
    }
}

pub(crate) fn object(value: &Value) -> &Map {
    value.as_object().expect("an object")
}
