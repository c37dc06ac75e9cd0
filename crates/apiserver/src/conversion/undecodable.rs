//! Stored objects that cannot be converted, in the words of upstream's storage, which calls them undecodable.

use std::fmt;

use crate::registry::Resource;
use crate::status::{Failure, Target};
use crate::storage::Object;

/// The objects in one error at most, as upstream.
const MAX: usize = 100;

/// A stored object that cannot be converted to the version in which it is needed.
#[derive(Debug)]
pub(crate) struct Undecodable {
    /// The key of the object, without the prefix of all keys.
    key: String,
    /// The resourceVersion of the object.
    revision: u64,
    /// The problem of the conversion.
    problem: String,
}

impl Undecodable {
    pub(super) fn new(resource: &Resource, object: &Object, failure: &Failure) -> Self {
        Undecodable {
            key: resource.storage_key(&object.key),
            revision: object.version,
            problem: failure.message(),
        }
    }

    /// 500 for a request that needs the object as it is, such as a read or a deletion.
    pub(crate) fn of_read(&self) -> Failure {
        Failure::internal(self.storage_error(&self.key))
    }

    /// 500 for an update of the object, or for a write of it whose result cannot be shown.
    pub(crate) fn of_write(&self) -> Failure {
        Failure::bare(500, self.to_string())
    }

    /// 500 for a dry run whose result cannot be shown: it was never in the storage.
    pub(crate) fn of_dry_run(&self) -> Failure {
        Failure::bare(500, self.problem.clone())
    }

    fn storage_error(&self, key: &str) -> String {
        format!(
            "StorageError: corrupt object, Code: 7, Key: {key}, ResourceVersion: 0, AdditionalErrorMsg: {self}"
        )
    }
}

impl fmt::Display for Undecodable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "object not decodable revision={}: {}", self.revision, self.problem)
    }
}

impl From<Undecodable> for Failure {
    fn from(undecodable: Undecodable) -> Failure {
        undecodable.of_read()
    }
}

/// The objects of a list that cannot be converted.
#[derive(Debug)]
pub(crate) struct UndecodableList {
    group: String,
    plural: String,
    objects: Vec<Undecodable>,
}

impl UndecodableList {
    /// None of the objects of a resource.
    pub(super) fn of(resource: &Resource) -> Self {
        let (group, plural) = (resource.info.group.to_string(), resource.info.plural.to_string());
        UndecodableList { group, plural, objects: Vec::new() }
    }

    pub(super) fn push(&mut self, object: Undecodable) {
        self.objects.push(object);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// True if no more objects are looked at.
    pub(super) fn is_full(&self) -> bool {
        self.objects.len() >= MAX
    }

    /// The problem of the first conversion.
    pub(crate) fn problem(&self) -> &str {
        self.objects.first().map_or("", |object| &object.problem)
    }
}

impl From<UndecodableList> for Failure {
    fn from(list: UndecodableList) -> Failure {
        let errors = list.objects.iter().map(|object| {
            let key = format!("/registry{}", object.key);
            let error = object.storage_error(&key);
            (key, error)
        });
        let errors: Vec<(String, String)> = errors.collect();
        let first = errors.first().map_or("", |(_, error)| error);
        let more = match errors.len() {
            0 | 1 => String::new(),
            count => format!(" (and {} more)", count - 1),
        };
        let UndecodableList { group, plural, .. } = &list;
        let message = format!("failed to read one or more {plural}.{group} from the storage: {first}{more}");
        let target = Target { group, plural, name: "list" };
        let mut failure = Failure::storage_read_error(&target, message);
        for (key, error) in &errors {
            failure = failure.caused_by("UnexpectedServerResponse", error, key);
        }
        if list.is_full() {
            failure = failure.caused_by("FieldValueTooMany", "too many errors, the list is truncated", "");
        }
        failure
    }
}
