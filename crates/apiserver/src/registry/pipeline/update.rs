//! Updating objects.

use std::borrow::Cow;
use std::num::IntErrorKind;
use std::sync::Arc;

use klient_apimachinery::go::quoted;
use klient_apimachinery::validation::field::FieldError;
use klient_apimachinery::values::{Map, at, map_at, set, text_at};
use klient_structured_merge::keep_times;

use super::{Pipeline, Presentation, TryUpdate};
use crate::admission::{Attributes, Operation, RequestContext};
use crate::conversion::Undecodable;
use crate::managed_fields::{ManagedFields, differ_beside_owners};
use crate::owners::dedup_owners;
use crate::registry::deletion::is_terminating;
use crate::registry::strategy::{increment_generation, is_held, writes_spec};
use crate::registry::subresource::join;
use crate::registry::{Resource, uid_mismatch};
use crate::state::Committed;
use crate::status::{Failure, Result};
use crate::storage::{Key, Object, StorageError, Write};

impl Pipeline<'_> {
    /// Updates an object: `try_update` computes the new state from the old one. If the object changes meanwhile, it is
    /// computed again from the state then, unless it has the resourceVersion that it was computed from.
    ///
    /// # Errors
    ///
    /// 404 if the object does not exist; 409 if the new state has another resourceVersion or UID; 422 if it is not
    /// valid; the refusals of admission and the errors of `try_update`.
    pub(crate) async fn guaranteed_update(
        &self,
        key: &Key,
        try_update: &mut dyn TryUpdate,
    ) -> Result<Arc<Object>> {
        let RequestContext { dry_run, deadline, .. } = self.request;
        loop {
            let current = self.current(key)?;
            let served = self.state.converter.serve(self.resource, current.clone(), deadline).await;
            // Upstream a dry run reads the object before it is to be updated.
            let served =
                served.map_err(|object| if dry_run { object.of_read() } else { object.of_write() })?;
            let live = self.resource.read(&served);
            let mut new = try_update.try_update(&live, &current).await?;
            let is_conditional = self.check_preconditions(&mut new, &current)?;
            match self.update_once(new, &live, &current).await? {
                Some(object) => {
                    let served = self.state.converter.serve(self.resource, object, deadline).await;
                    let failure = |object: Undecodable| {
                        if dry_run { object.of_dry_run() } else { object.of_write() }
                    };
                    return served.map_err(failure);
                }
                None if is_conditional => {
                    return Err(Failure::modified(&self.resource.target(key.name())));
                }
                // Another change was made, so that among them all there is progress.
                None => {}
            }
        }
    }

    /// Checks the resourceVersion and UID that a new state was computed from, and returns whether there is a
    /// resourceVersion among them.
    fn check_preconditions(&self, new: &mut Map, current: &Object) -> Result<bool> {
        let name = current.key.name();
        let target = self.resource.target(name);
        let metadata = map_at(new, "metadata");
        let uid = text_at(metadata, &["uid"]);
        let other_uid = (!uid.is_empty() && current.uid != uid).then(|| uid.to_owned());
        if let Some(uid) = other_uid.as_deref().filter(|_| !self.patching) {
            let problem = uid_mismatch(uid, &current.uid);
            return Err(self.resource.storage_conflict(&current.key, &problem));
        }
        let version = written_version(new)?;
        if version.is_some_and(|version| version != current.version) {
            return Err(Failure::modified(&target));
        }
        // A patch has no precondition: its UID is compared by validation, which comes after the version.
        if let Some(uid) = other_uid {
            let error = FieldError::invalid("metadata.uid", uid.as_str(), "field is immutable");
            return self.check(name, &[error]).map(|()| false);
        }
        if version.is_none()
            && !self.patching
            && !self.resource.allows_unconditional_update()
            && self.subresource != Some("finalize")
        {
            return Err(unversioned(self.resource, name));
        }
        Ok(version.is_some() && !self.patching)
    }

    /// Takes a new state through the steps and stores it; `None` if the object has changed since it was read as
    /// `live`.
    async fn update_once(
        &self,
        mut new: Map,
        live: &Map,
        current: &Arc<Object>,
    ) -> Result<Option<Arc<Object>>> {
        let Pipeline { state, resource, subresource, request, .. } = *self;
        let name = current.key.name();
        let attributes = Attributes {
            operation: Operation::Update,
            resource,
            form: resource,
            subresource,
            presented: None,
            namespace: current.key.namespace(),
            name,
            old: Some(live),
            request,
            reinvocation: None,
        };
        let stored_as = state.stored_as(resource);
        let strategy = &*stored_as.strategy;

        // An apply, which has no manager here, gives no defaults to what it leaves as it is, but for its owners: the
        // defaults of a custom resource's version need not be stored.
        if self.manager.is_some() || differ_beside_owners(&new, live) {
            resource.strategy.default(&mut new);
        }
        if let Some(manager) = self.manager {
            let fields = ManagedFields::of(resource, subresource);
            fields.update_converted(&self.conversions(), Some(live), &mut new, manager).await;
        }
        if self.patching {
            dedup_owners(&mut new);
        }
        self.admit(&attributes, &mut new).await?;
        dedup_owners(&mut new);

        let old = match resource.conversion {
            Some(conversion) => {
                new = (conversion.to_storage)(new);
                Cow::Owned(stored_as.read(current))
            }
            // It is stored as it is served.
            None => Cow::Borrowed(live),
        };
        let old = &*old;
        let mut new = join(resource, subresource, new, old);
        keep_system_metadata(&mut new, old);
        match subresource {
            None => strategy.prepare_for_update(&mut new, old),
            Some(subresource) => strategy.prepare_subresource(&mut new, old, subresource),
        }
        let reserved = strategy.reserve(&state.addresses, &mut new, Some(old), request.dry_run);
        let reserved = reserved.map_err(|errors| stored_as.invalid(name, &errors))?;
        if writes_spec(subresource)
            && stored_as.counts_generations()
            && strategy.changes_spec(&new, old, stored_as.has_status())
        {
            increment_generation(&mut new, old);
        }

        let mut new = self.validated(name, &stored_as, new, Some(old)).await?;
        let attributes = Attributes { form: &stored_as, old: Some(old), ..attributes };
        self.validate(&attributes, &new).await?;
        // A webhook converts what has changed, and is called after the comparison.
        if stored_as.conversion_webhook().is_none() {
            stored_as.prune_to_stored(&mut new);
        }

        let is_released = is_released(&stored_as, &new);
        let is_unchanged = !is_released && keep_times(old, &mut new);
        // An object that is stored in another version than now is written all the same: so it is migrated.
        if is_unchanged && current.version_name == stored_as.stored_version_name() {
            return Ok(Some(current.clone()));
        }
        let mut new = state.converter.to_storage(resource, new, request.deadline).await?;
        let key = current.key.clone();
        if request.dry_run {
            return Ok(Some(Arc::new(stored_as.object(key, new, Some(current.version)))));
        }
        if is_released {
            return self.remove(&stored_as, new, old, current).await;
        }
        let write = Write::Update { object: stored_as.draft(key, &mut new), from: current.version };
        match state.store.commit(&resource.table, write).await {
            Ok(object) => {
                reserved.keep();
                strategy.release(&state.addresses, old, Some(&new));
                let change =
                    Committed { resource: &stored_as, object: &object, old: Some(old), deleted: false };
                state.committed(&change).await;
                Ok(Some(object))
            }
            Err(StorageError::Changed) => Ok(None),
            Err(_) => Err(Failure::internal("cannot update")),
        }
    }

    async fn admit(&self, attributes: &Attributes<'_>, new: &mut Map) -> Result<()> {
        let admission = &self.state.admission;
        let Some(presentation) = self.presentation else {
            return admission.admit(attributes, Some(new)).await;
        };
        let mut presented = presentation.present(new)?;
        let old = attributes.old.map(|old| presentation.present(old)).transpose()?;
        let attributes = self.presented(presentation, attributes, old.as_ref());
        admission.admit(&attributes, Some(&mut presented)).await?;
        presentation.write(&presented, new)
    }

    async fn validate(&self, attributes: &Attributes<'_>, new: &Map) -> Result<()> {
        let admission = &self.state.admission;
        let Some(presentation) = self.presentation else {
            return admission.validate(attributes, Some(new)).await;
        };
        let presented = presentation.present(new)?;
        let old = attributes.old.map(|old| presentation.present(old)).transpose()?;
        let attributes = self.presented(presentation, attributes, old.as_ref());
        admission.validate(&attributes, Some(&presented)).await
    }

    /// The attributes for the object that a subresource presents.
    fn presented<'a>(
        &'a self,
        presentation: &dyn Presentation,
        attributes: &Attributes<'a>,
        old: Option<&'a Map>,
    ) -> Attributes<'a> {
        let (subresource, schema) = (presentation.subresource(), presentation.schema());
        Attributes { subresource: Some(subresource), presented: Some(schema), old, ..*attributes }
    }

    /// Removes an object whose last finalizer was removed. The answer has the state without it, at the version before.
    async fn remove(
        &self,
        stored_as: &Arc<Resource>,
        new: Map,
        old: &Map,
        current: &Arc<Object>,
    ) -> Result<Option<Arc<Object>>> {
        let state = self.state;
        // Watches see it as it was last stored.
        let mut last = match stored_as.conversion_webhook() {
            Some(_) => state.converter.read_stored(stored_as, current, self.request.deadline).await?,
            None => stored_as.read(current),
        };
        let last = stored_as.draft(current.key.clone(), &mut last);
        let write = Write::Delete { last, from: current.version };
        match state.store.commit(&self.resource.table, write).await {
            Ok(gone) => {
                stored_as.strategy.release(&state.addresses, old, None);
                let change = Committed { resource: stored_as, object: &gone, old: Some(old), deleted: true };
                state.committed(&change).await;
                Ok(Some(Arc::new(stored_as.object(current.key.clone(), new, Some(current.version)))))
            }
            Err(StorageError::Changed) => Ok(None),
            Err(_) => Err(Failure::internal("cannot delete")),
        }
    }
}

/// The resourceVersion that a write expects an object to have; `None` if any will do.
///
/// # Errors
///
/// 500 in Go's words, if it is no number.
pub(crate) fn written_version(object: &Map) -> Result<Option<u64>> {
    let text = text_at(object, &["metadata", "resourceVersion"]);
    if text.is_empty() {
        return Ok(None);
    }
    let problem = match text.parse::<u64>() {
        Ok(version) if !text.starts_with('+') => return Ok((version != 0).then_some(version)),
        Err(error) if *error.kind() == IntErrorKind::PosOverflow => "value out of range",
        _ => "invalid syntax",
    };
    Err(Failure::bare(500, format!("strconv.ParseUint: parsing {}: {problem}", quoted(text))))
}

/// 422 for an update without a resourceVersion, for kinds that require one.
pub(crate) fn unversioned(resource: &Resource, name: &str) -> Failure {
    let error = FieldError::invalid("metadata.resourceVersion", 0, "must be specified for an update");
    Failure::invalid(&resource.info.group, &resource.info.plural, name, &[error])
}

/// Keeps the metadata that only the server sets. `deletionTimestamp` is left to validation, which refuses a change.
fn keep_system_metadata(new: &mut Map, old: &Map) {
    const KEPT: [&str; 4] = ["uid", "creationTimestamp", "generation", "resourceVersion"];
    let metadata = map_at(new, "metadata");
    metadata.remove("selfLink");
    for name in KEPT {
        set(metadata, name, at(old, &["metadata", name]));
    }
    if let Some(time) = at(old, &["metadata", "deletionTimestamp"]) {
        metadata.insert("deletionTimestamp".to_owned(), time.clone());
    }
    if let Some(seconds) = at(old, &["metadata", "deletionGracePeriodSeconds"]) {
        metadata.entry("deletionGracePeriodSeconds").or_insert_with(|| seconds.clone());
    }
}

/// Tells an object that is marked for deletion and that nothing holds any more.
fn is_released(resource: &Resource, object: &Map) -> bool {
    is_terminating(object) && !is_held(&*resource.strategy, object)
}
