//! Conversion of managers to and from `metadata.managedFields`.

use klient_apimachinery::go::quoted;
use klient_apimachinery::meta::v1::ManagedFieldsEntry;
use klient_apimachinery::{Json, Str, Time};
use serde::Deserialize as _;
use serde_json::Value;

use super::{Manager, Managers, Operation, Owned, seconds};
use crate::{Error, FieldSet, Map};

impl Managers {
    /// Reads `metadata.managedFields` of an object; empty if there are none.
    ///
    /// # Errors
    ///
    /// [`is_managed_fields`](Error::is_managed_fields) if it is not valid.
    pub fn of(object: &Map) -> Result<Self, Error> {
        let entries = object.get("metadata").and_then(|metadata| metadata.get("managedFields"));
        match entries {
            None | Some(Value::Null) => Ok(Managers::default()),
            Some(Value::Array(entries)) => {
                entries.iter().enumerate().map(|(at, entry)| read_value(at, entry)).collect()
            }
            Some(_) => Err(Error::managed_fields("metadata.managedFields is no list".to_owned())),
        }
    }

    /// Writes `metadata.managedFields` of an object; removes it if there are no managers.
    pub fn write_to(&self, object: &mut Map) {
        if self.is_empty() {
            remove_managed_fields(object);
            return;
        }
        let metadata = object.entry("metadata").or_insert(Value::Null);
        if !metadata.is_object() {
            *metadata = Value::Object(Map::new());
        }
        metadata["managedFields"] =
            self.sorted().into_iter().map(|(manager, owned)| write_value(manager, owned)).collect();
    }

    /// Reads the entries of a typed object's metadata.
    ///
    /// # Errors
    ///
    /// [`is_managed_fields`](Error::is_managed_fields) if one is not valid.
    ///
    /// ```
    /// use klient_apimachinery::meta::v1::ManagedFieldsEntry;
    /// use klient_structured_merge::Managers;
    /// let entry = ManagedFieldsEntry { operation: Some("Merge".into()), ..Default::default() };
    /// let error = Managers::from_entries(&[entry]).unwrap_err();
    /// assert_eq!(error.to_string(), "operation must be `Apply` or `Update`");
    /// ```
    pub fn from_entries(entries: &[ManagedFieldsEntry]) -> Result<Self, Error> {
        let text = |text: &Option<Str>| text.clone().unwrap_or_default();
        let read = |(at, entry): (usize, &ManagedFieldsEntry)| {
            let fields = entry.fields_v1.as_ref().map(|json| FieldSet::from_json(json.as_str()));
            Parts {
                manager: text(&entry.manager),
                operation: text(&entry.operation),
                api_version: text(&entry.api_version),
                time: entry.time,
                fields_type: text(&entry.fields_type),
                subresource: text(&entry.subresource),
            }
            .check(at, || fields.unwrap_or(Ok(FieldSet::EMPTY)))
        };
        entries.iter().enumerate().map(read).collect()
    }

    /// The entries for a typed object's metadata, in Kubernetes' order.
    pub fn to_entries(&self) -> Vec<ManagedFieldsEntry> {
        let some = |text: &Str| (!text.is_empty()).then(|| text.clone());
        let write = |(manager, owned): (&Manager, &Owned)| ManagedFieldsEntry {
            manager: some(&manager.name),
            operation: Some(manager.operation.as_str().into()),
            api_version: some(&owned.api_version),
            time: owned.time,
            fields_type: Some("FieldsV1".into()),
            fields_v1: Some(Json::parse(&owned.fields.to_json()).expect("a set is written as JSON")),
            subresource: some(&manager.subresource),
            ..ManagedFieldsEntry::default()
        };
        self.sorted().into_iter().map(write).collect()
    }

    /// The order: operation, time, name, version, subresource.
    fn sorted(&self) -> Vec<(&Manager, &Owned)> {
        let mut sorted: Vec<_> = self.iter().collect();
        sorted.sort_by(|(left, left_owned), (right, right_owned)| {
            let key = |manager: &Manager, owned: &Owned| (manager.operation, seconds(owned.time));
            key(left, left_owned)
                .cmp(&key(right, right_owned))
                .then_with(|| left.name.as_str().cmp(right.name.as_str()))
                .then_with(|| left_owned.api_version.as_str().cmp(right_owned.api_version.as_str()))
                .then_with(|| left.subresource.as_str().cmp(right.subresource.as_str()))
        });
        sorted
    }
}

/// Removes `metadata.managedFields` from an object.
pub(crate) fn remove_managed_fields(object: &mut Map) {
    if let Some(Value::Object(metadata)) = object.get_mut("metadata") {
        metadata.remove("managedFields");
    }
}

/// An entry without its fields.
struct Parts {
    manager: Str,
    operation: Str,
    api_version: Str,
    time: Option<Time>,
    fields_type: Str,
    subresource: Str,
}

impl Parts {
    fn check(
        self,
        at: usize,
        fields: impl FnOnce() -> Result<FieldSet, Error>,
    ) -> Result<(Manager, Owned), Error> {
        let wrong = |problem: String| Err(Error::managed_fields(problem));
        let operation = match self.operation.as_str() {
            "Apply" => Operation::Apply,
            "Update" => Operation::Update,
            _ => return wrong("operation must be `Apply` or `Update`".to_owned()),
        };
        if self.api_version.is_empty() {
            return wrong("apiVersion must not be empty".to_owned());
        }
        match self.fields_type.as_str() {
            "FieldsV1" => {}
            "" => return wrong(format!("missing fieldsType in managed fields entry {at}")),
            other => {
                return wrong(format!("invalid fieldsType {} in managed fields entry {at}", quoted(other)));
            }
        }
        let fields =
            fields().map_err(|error| Error::managed_fields(format!("managed fields entry {at}: {error}")))?;
        let manager = match operation {
            Operation::Apply => Manager::apply(self.manager, self.subresource),
            Operation::Update => Manager::update(self.manager, self.api_version.clone(), self.subresource),
        };
        Ok((manager, Owned { fields, api_version: self.api_version, time: self.time }))
    }
}

fn read_value(at: usize, entry: &Value) -> Result<(Manager, Owned), Error> {
    let text = |name: &str| Str::from(entry.get(name).and_then(Value::as_str).unwrap_or_default());
    let time = text("time");
    let time = if time.is_empty() {
        None
    } else {
        let time: Result<Time, _> = time.as_str().parse();
        let wrong = |error| Error::managed_fields(format!("managed fields entry {at}: {error}"));
        Some(time.map_err(wrong)?)
    };
    let fields = entry.get("fieldsV1");
    Parts {
        manager: text("manager"),
        operation: text("operation"),
        api_version: text("apiVersion"),
        time,
        fields_type: text("fieldsType"),
        subresource: text("subresource"),
    }
    .check(at, || {
        let set = fields.map(FieldSet::deserialize);
        set.unwrap_or(Ok(FieldSet::EMPTY)).map_err(|error| Error::fields(&error))
    })
}

fn write_value(manager: &Manager, owned: &Owned) -> Value {
    let mut entry = Map::new();
    let mut put = |name: &str, text: &str| {
        if !text.is_empty() {
            entry.insert(name.to_owned(), text.into());
        }
    };
    put("manager", &manager.name);
    put("operation", manager.operation.as_str());
    put("apiVersion", &owned.api_version);
    put("time", &owned.time.map(|time| time.to_string()).unwrap_or_default());
    put("fieldsType", "FieldsV1");
    put("subresource", &manager.subresource);
    let fields = serde_json::to_value(&owned.fields).expect("a set is a JSON object");
    entry.insert("fieldsV1".to_owned(), fields);
    Value::Object(entry)
}
