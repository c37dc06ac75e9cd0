//! Creating objects.

use std::sync::Arc;

use http::{Response, StatusCode};
use klient_apimachinery::Time;
use klient_apimachinery::meta::Reason;

use super::body;
use super::options::{Write, WriteOptions};
use super::{Context, Warnings};
use crate::admission;
use crate::field::FieldError;
use crate::ownership::Ownership;
use crate::registry::Resource;
use crate::respond::{self, Body};
use crate::state::State;
use crate::status::{Failure, Result};
use crate::storage::{Key, Object, StoreError, Unchanged};
use crate::values::{self, Map, map_at, text_at};

/// The characters of generated names: no vowels, so that they spell nothing.
const SUFFIX_CHARACTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

const SUFFIX_LENGTH: usize = 5;

/// The longest part of `generateName` that is used.
const LONGEST_PREFIX: usize = 58;

/// How often another name is tried when a generated one is taken.
const ATTEMPTS: usize = 8;

/// What the server alone sets on a new object.
pub(super) const SYSTEM_METADATA: [&str; 6] =
    ["uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "generation"];

/// Creates the object in the body.
pub(crate) fn create(context: &mut Context) -> Result<Response<Body>> {
    let format = context.format()?;
    let options = WriteOptions::parse(&context.query, Write::Create)?;
    let resource = context.resource.clone();
    let sent = body::read(context, &resource.info.kind, &resource.info.api_version())?;
    let mut object = body::decode(context, sent, options.validation)?;
    if context.namespace() == Some("") {
        let problem = FieldError::required("metadata.namespace", "");
        let name = text_at(&object, &["metadata", "name"]);
        return Err(Failure::invalid(&resource.info.group, &resource.info.kind, name, &[problem]));
    }
    body::check_namespace(&resource, &mut object, context.info.namespace.as_deref())?;
    context.warnings.extend(body::owners_twice(&object, ""));
    body::dedup_owners(&mut object);
    let manager = options.manager(&context.headers);
    let warnings = Warnings::default();
    let creation = Creation {
        state: &context.state,
        resource: &resource,
        manager: Some(&manager),
        dry_run: options.dry_run,
        warnings: &warnings,
    };
    let created = creation.make(object);
    context.warnings.extend(warnings.take());
    Ok(respond::object(StatusCode::CREATED, format, &resource, &*created?))
}

/// How an object comes to be.
pub(crate) struct Creation<'a> {
    pub(crate) state: &'a Arc<State>,
    pub(crate) resource: &'a Arc<Resource>,
    /// Who is recorded to have set the fields, unless the object says it.
    pub(crate) manager: Option<&'a str>,
    pub(crate) dry_run: bool,
    pub(crate) warnings: &'a Warnings,
}

impl Creation<'_> {
    /// Creates a decoded object: gives it what the server sets, checks it and stores it.
    pub(crate) fn make(&self, mut object: Map) -> Result<Arc<Object>> {
        let Creation { state, resource, .. } = *self;
        let name = text_at(&object, &["metadata", "name"]).to_owned();
        let metadata = map_at(&mut object, "metadata");
        for field in SYSTEM_METADATA {
            metadata.remove(field);
        }
        let version = metadata.remove("resourceVersion").unwrap_or_default();
        let version = version.as_str().and_then(|version| version.parse().ok());
        let mut homes = admission::homes(state, resource, &object)?;
        let prefix = text_at(&object, &["metadata", "generateName"]).to_owned();
        let generated = name.is_empty() && !prefix.is_empty();
        let metadata = map_at(&mut object, "metadata");
        metadata.insert("uid".to_owned(), uuid::Uuid::new_v4().to_string().into());
        metadata.insert("creationTimestamp".to_owned(), Time::now().to_string().into());
        if resource.counts_generations() {
            metadata.insert("generation".to_owned(), 1.into());
        }
        wipe_status(resource, &mut object);
        for attempt in 1.. {
            if generated {
                map_at(&mut object, "metadata").insert("name".to_owned(), generate(&prefix).into());
            }
            match self.store(object.clone(), version, &mut homes) {
                Err(failure) if generated && failure.is(Reason::AlreadyExists) => {
                    if attempt == ATTEMPTS {
                        return Err(failure.not_generated());
                    }
                }
                done => return done,
            }
        }
        unreachable!("the last attempt returns")
    }

    fn store(
        &self,
        mut object: Map,
        version: Option<u64>,
        homes: &mut Vec<Unchanged>,
    ) -> Result<Arc<Object>> {
        let Creation { state, resource, manager, dry_run, .. } = *self;
        resource.default(&mut object);
        if let Some(manager) = manager {
            Ownership::of(resource, None).update(None, &mut object, manager);
        }
        let stored_as = state.stored_as(resource);
        let mut object = match resource.conversion {
            Some(conversion) => (conversion.to_storage)(object),
            None => object,
        };
        stored_as.prepare_create(&mut object);
        let name = text_at(&object, &["metadata", "name"]).to_owned();
        let reserved = admission::prepare_create(state, &stored_as, &mut object, dry_run)?;
        let problems = stored_as.validate(&object);
        if !problems.is_empty() {
            return Err(Failure::invalid(&resource.info.group, &resource.info.kind, &name, &problems));
        }
        self.warnings.add(stored_as.warnings(&object, None));
        stored_as.prune_to_stored(&mut object);
        let namespace = text_at(&object, &["metadata", "namespace"]);
        let key = resource.key((!namespace.is_empty()).then_some(namespace), &name);
        if dry_run {
            if state.store.get(&resource.table, &key).is_some() {
                return Err(Failure::already_exists(&resource.target(&name)));
            }
            return Ok(Arc::new(stored_as.store(key, object, version)));
        }
        if version.is_some_and(|version| version != 0) {
            return Err(Failure::bare(500, "resourceVersion should not be set on objects to be created"));
        }
        let mut encode = |version| stored_as.store(key.clone(), object.clone(), Some(version));
        let created = loop {
            match state.store.create(&resource.table, key.clone(), homes, &mut encode) {
                Ok(created) => break created,
                // Where it is to live has changed meanwhile, and is perhaps to go: look again.
                Err(StoreError::Changed) => *homes = admission::homes(state, resource, &object)?,
                Err(StoreError::Exists) => return Err(exists(state, resource, &key)),
                Err(_) => return Err(Failure::internal("cannot create")),
            }
        };
        reserved.keep();
        admission::changed(state, &stored_as, &created, None);
        Ok(created)
    }
}

fn generate(prefix: &str) -> String {
    let end =
        (0..=prefix.len().min(LONGEST_PREFIX)).rev().find(|at| prefix.is_char_boundary(*at)).unwrap_or(0);
    let random = uuid::Uuid::new_v4();
    let suffix = random.as_bytes().iter().take(SUFFIX_LENGTH);
    let suffix =
        suffix.map(|byte| char::from(SUFFIX_CHARACTERS[usize::from(*byte) % SUFFIX_CHARACTERS.len()]));
    prefix[..end].chars().chain(suffix).collect()
}

/// A new object has no status but what the server gives it; nodes bring their own.
fn wipe_status(resource: &Resource, object: &mut Map) {
    if !resource.has_status() || resource.info.kind == "Node" {
        return;
    }
    object.remove("status");
    if let Some(empty) = resource.schema().and_then(|schema| values::empty(schema).remove("status")) {
        object.insert("status".to_owned(), empty);
    }
}

fn exists(state: &State, resource: &Resource, key: &Key) -> Failure {
    let target = resource.target(key.name());
    let existing = state.store.get(&resource.table, key);
    let dying =
        existing.is_some_and(|old| values::at(&old.value(), &["metadata", "deletionTimestamp"]).is_some());
    if dying { Failure::already_exists_dying(&target) } else { Failure::already_exists(&target) }
}
