//! Creating objects.

use std::sync::Arc;

use klient_apimachinery::Time;
use klient_apimachinery::meta::Reason;
use klient_apimachinery::values::{self, Map, map_at, text_at};

use super::Pipeline;
use crate::admission::{Attributes, NamespaceLifecycle, Operation};
use crate::managed_fields::ManagedFields;
use crate::owners::dedup_owners;
use crate::registry::Resource;
use crate::registry::custom_resource_definitions;
use crate::state::{Committed, State};
use crate::status::{Failure, Result};
use crate::storage::{Key, Object, StorageError, Unchanged, Write};

/// The characters of generated names: no vowels, so that they spell nothing.
const SUFFIX_CHARACTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

const SUFFIX_LENGTH: usize = 5;

/// The longest part of `generateName` that is used.
const LONGEST_PREFIX: usize = 58;

/// The number of names that are tried when a generated one is taken.
const ATTEMPTS: usize = 8;

/// The metadata of a new object that the server alone sets.
pub(crate) const SYSTEM_METADATA: [&str; 5] =
    ["uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"];

impl Pipeline<'_> {
    /// Creates a decoded object.
    ///
    /// # Errors
    ///
    /// 409 if it exists; 404, 403 or 405 if its namespace or its definition is not there or terminating; 422 if it is
    /// not valid; the refusals of admission.
    pub(crate) async fn create(&self, object: Map) -> Result<Arc<Object>> {
        self.create_from(object, Source::Post).await
    }

    /// Creates a decoded object that an update or an apply did not find. It may have a resourceVersion, which the answer to a
    /// dry run keeps.
    ///
    /// # Errors
    ///
    /// Those of [`create`](Self::create).
    pub(crate) async fn create_by_update(&self, object: Map) -> Result<Arc<Object>> {
        self.create_from(object, Source::Update).await
    }

    async fn create_from(&self, mut object: Map, source: Source) -> Result<Arc<Object>> {
        let Pipeline { state, resource, .. } = *self;
        let name = text_at(&object, &["metadata", "name"]).to_owned();
        let namespace = text_at(&object, &["metadata", "namespace"]).to_owned();
        let namespace = (!namespace.is_empty()).then_some(&*namespace);
        let metadata = map_at(&mut object, "metadata");
        for field in SYSTEM_METADATA {
            metadata.remove(field);
        }
        custom_resource_definitions::check_creation(state, resource)?;
        wipe_status(resource, &mut object);
        let attributes = Attributes {
            operation: Operation::Create,
            resource,
            form: resource,
            subresource: None,
            presented: None,
            namespace,
            name: &name,
            old: None,
            request: self.request,
            reinvocation: None,
        };
        resource.strategy.default(&mut object);
        if let Some(manager) = self.manager {
            let fields = ManagedFields::of(resource, None);
            fields.update_converted(&self.conversions(), None, &mut object, manager).await;
        }
        let status = object.get("status").cloned();
        state.admission.admit(&attributes, Some(&mut object)).await?;
        if has_own_status(resource) {
            values::set(&mut object, "status", status.as_ref());
        }
        dedup_owners(&mut object);
        // Admission may have named it.
        let name = text_at(&object, &["metadata", "name"]).to_owned();
        let attributes = Attributes { name: &name, ..attributes };
        if text_at(&object, &["metadata", "namespace"]) != namespace.unwrap_or_default() {
            let problem =
                "the namespace of the provided object does not match the namespace sent on the request";
            return Err(Failure::bad_request(problem));
        }
        let prefix = text_at(&object, &["metadata", "generateName"]).to_owned();
        let metadata = map_at(&mut object, "metadata");
        for field in SYSTEM_METADATA {
            metadata.remove(field);
        }
        // The update or apply, or admission, may have set it.
        let version = metadata.remove("resourceVersion").unwrap_or_default();
        let version = version.as_str().and_then(|version| version.parse().ok());
        metadata.insert("uid".to_owned(), uuid::Uuid::new_v4().to_string().into());
        metadata.insert("creationTimestamp".to_owned(), Time::now().to_string().into());
        if resource.counts_generations() {
            metadata.insert("generation".to_owned(), 1.into());
        }
        if !name.is_empty() || prefix.is_empty() {
            return self.store(object, version, source, &attributes).await;
        }
        for attempt in 1.. {
            map_at(&mut object, "metadata").insert("name".to_owned(), generate(&prefix).into());
            match self.store(object.clone(), version, source, &attributes).await {
                Err(failure) if failure.is(Reason::AlreadyExists) => {
                    if attempt == ATTEMPTS {
                        return Err(failure.not_generated());
                    }
                }
                done => return done,
            }
        }
        unreachable!("the last attempt returns")
    }

    /// Prepares, validates and stores an object that has its name.
    async fn store(
        &self,
        object: Map,
        version: Option<u64>,
        source: Source,
        attributes: &Attributes<'_>,
    ) -> Result<Arc<Object>> {
        let Pipeline { state, resource, request, .. } = *self;
        let stored_as = state.stored_as(resource);
        let strategy = &*stored_as.strategy;
        let mut object = match resource.conversion {
            Some(conversion) => (conversion.to_storage)(object),
            None => object,
        };
        strategy.prepare_for_create(&mut object);
        if let Some(user) = request.user {
            strategy.record_requester(&mut object, user);
        }
        let name = text_at(&object, &["metadata", "name"]).to_owned();
        let reserved = strategy.reserve(&state.addresses, &mut object, None, request.dry_run);
        let reserved = reserved.map_err(|errors| stored_as.invalid(&name, &errors))?;
        let object = self.validated(&name, &stored_as, object, None).await?;
        let key = resource.key(attributes.namespace, &name);
        let attributes = &Attributes { form: &stored_as, name: &name, ..*attributes };
        state.admission.validate(attributes, Some(&object)).await?;
        let mut object = state.converter.to_storage(resource, object, request.deadline).await?;
        if request.dry_run {
            if state.store.get(&resource.table, &key).is_some() {
                return Err(Failure::already_exists(&resource.target(&name)));
            }
            let object = Arc::new(stored_as.object(key, object, version));
            let served = state.converter.serve(resource, object, request.deadline).await;
            return served.map_err(|undecodable| undecodable.of_dry_run());
        }
        if source == Source::Post && version.is_some_and(|version| version != 0) {
            return Err(Failure::bare(500, "resourceVersion should not be set on objects to be created"));
        }
        let created = loop {
            let needs = needs(state, attributes)?;
            let draft = stored_as.draft(key.clone(), &mut object);
            match state.store.commit(&resource.table, Write::Create { object: draft, needs: &needs }).await {
                Ok(created) => break created,
                // Its namespace or definition has changed meanwhile, and is perhaps terminating: look again.
                Err(StorageError::Changed) => {}
                Err(StorageError::Exists) => return Err(exists(state, resource, &key)),
                Err(_) => return Err(Failure::internal("cannot create")),
            }
        };
        reserved.keep();
        state
            .committed(&Committed { resource: &stored_as, object: &created, old: None, deleted: false })
            .await;
        let served = state.converter.serve(resource, created, request.deadline).await;
        served.map_err(|undecodable| undecodable.of_write())
    }
}

/// The kind of request that creates an object.
#[derive(Clone, Copy, PartialEq)]
enum Source {
    Post,
    /// An update or an apply.
    Update,
}

/// The objects that must not change until an object is created beside them: its namespace, and the definition of a
/// custom resource.
fn needs(state: &State, attributes: &Attributes<'_>) -> Result<Vec<Unchanged>> {
    let Attributes { resource, namespace, name, .. } = *attributes;
    let mut needs = Vec::new();
    needs.extend(custom_resource_definitions::check_creation(state, resource)?);
    if let Some(namespace) = namespace.filter(|_| resource.info.namespaced) {
        needs.push(NamespaceLifecycle::check(&*state.store, &state.registry, resource, namespace, name)?);
    }
    Ok(needs)
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

/// Tells a resource whose objects get no status from those who create them, nor from webhooks.
fn has_own_status(resource: &Resource) -> bool {
    resource.has_status() && !resource.strategy.keeps_status()
}

/// Takes the status from a new object.
fn wipe_status(resource: &Resource, object: &mut Map) {
    if !has_own_status(resource) {
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
    let dying = existing.is_some_and(|existing| existing.is_terminating);
    if dying { Failure::already_exists_dying(&target) } else { Failure::already_exists(&target) }
}
