//! Replacing objects, and the part of it that every change shares.

use std::borrow::Cow;
use std::sync::Arc;

use http::{Response, StatusCode};
use klient_apimachinery::meta::Reason;
use klient_structured_merge::keep_times;
use serde_json::Value;

use super::body;
use super::create::Creation;
use super::delete;
use super::options::{Write, WriteOptions};
use super::resize::take_resources;
use super::{Context, Warnings};
use crate::admission;
use crate::field::FieldError;
use crate::ownership::{Ownership, kept_by_status};
use crate::registry::Resource;
use crate::respond::{self, Body};
use crate::state::State;
use crate::status::{Failure, Result};
use crate::storage::{Key, Object, StoreError};
use crate::values::{Map, at, map_at, set, text_at};

/// Replaces an object, or what its subresource shows of it, with the one in the body.
pub(crate) fn update(context: &mut Context, subresource: Option<&str>) -> Result<Response<Body>> {
    let format = context.format()?;
    let options = WriteOptions::parse(&context.query, Write::Update)?;
    let resource = context.resource.clone();
    let sent = body::read(context, &resource.info.kind, &resource.info.api_version())?;
    let mut object = body::decode(context, sent, options.validation)?;
    body::check_namespace(&resource, &mut object, context.info.namespace.as_deref())?;
    context.warnings.extend(body::owners_twice(&object, ""));
    body::dedup_owners(&mut object);
    check_name(context.name(), &object)?;
    let manager = options.manager(&context.headers);
    let warnings = Warnings::default();
    let change = Change {
        state: &context.state,
        resource: &resource,
        key: context.key(),
        subresource,
        manager: Some(&manager),
        patching: false,
        dry_run: options.dry_run,
        warnings: &warnings,
    };
    let creation = Creation {
        state: &context.state,
        resource: &resource,
        manager: Some(&manager),
        dry_run: options.dry_run,
        warnings: &warnings,
    };
    let may_create = subresource.is_none() && resource.creates_on_update();
    loop {
        let (code, done) = if may_create && change.current().is_err() {
            (StatusCode::CREATED, creation.make(object.clone()))
        } else {
            (StatusCode::OK, change.make(&mut |_, _| Ok(object.clone())))
        };
        match done {
            // It has come or gone meanwhile: look again.
            Err(failure) if may_create && failure.is(Reason::AlreadyExists) && change.current().is_ok() => {}
            Err(failure) if may_create && failure.is(Reason::NotFound) && code == StatusCode::OK => {}
            done => {
                context.warnings.extend(warnings.take());
                return Ok(respond::object(code, format, &resource, &*done?));
            }
        }
    }
}

/// Checks an object's name against the one in the path.
///
/// # Errors
///
/// 400 if they differ.
pub(crate) fn check_name(name: &str, object: &Map) -> Result<()> {
    match text_at(object, &["metadata", "name"]) {
        "" => Err(Failure::bad_request(format!(
            "the name of the object ({name} based on URL) was undeterminable: name must be provided"
        ))),
        sent if sent != name => Err(Failure::bad_request(format!(
            "the name of the object ({sent}) does not match the name on the URL ({name})"
        ))),
        _ => Ok(()),
    }
}

/// A change to one object.
pub(crate) struct Change<'a> {
    pub(crate) state: &'a Arc<State>,
    pub(crate) resource: &'a Arc<Resource>,
    pub(crate) key: Key,
    pub(crate) subresource: Option<&'a str>,
    /// Who is recorded to have changed the fields that are others now, unless the new state says who owns what.
    pub(crate) manager: Option<&'a str>,
    /// The new state is made from whatever the object is: that it has its version says nothing.
    pub(crate) patching: bool,
    pub(crate) dry_run: bool,
    pub(crate) warnings: &'a Warnings,
}

/// Gives the new state of an object from the old one, both decoded in the version of the request.
pub(crate) type Make<'a> = &'a mut dyn FnMut(&Map, &Object) -> Result<Map>;

impl Change<'_> {
    /// The object as it is.
    pub(crate) fn current(&self) -> Result<Arc<Object>> {
        let object = self.state.store.get(&self.resource.table, &self.key);
        object.ok_or_else(|| Failure::not_found(&self.resource.target(self.key.name())))
    }

    /// Makes the change. If the object changes meanwhile, the new state is computed again, unless it was asked
    /// for on one version.
    pub(crate) fn make(&self, make: Make<'_>) -> Result<Arc<Object>> {
        loop {
            let current = self.current()?;
            let live = self.resource.read(&current);
            let mut new = make(&live, &current)?;
            let on_version = self.check_version(&mut new, &current)?;
            match self.commit(new, &live, &current)? {
                Some(object) => return Ok(object),
                None if on_version => {
                    return Err(Failure::modified(&self.resource.target(self.key.name())));
                }
                // Somebody else made a change, so that among them all there is progress.
                None => {}
            }
        }
    }

    /// Checks the version and uid that the new state claims to be made from, and fills them in.
    fn check_version(&self, new: &mut Map, current: &Object) -> Result<bool> {
        let target = self.resource.target(self.key.name());
        let metadata = map_at(new, "metadata");
        let uid = text_at(metadata, &["uid"]);
        if !uid.is_empty() && current.uid != uid && self.patching {
            let error = FieldError::invalid("metadata.uid", uid, "field is immutable");
            let (group, kind) = (&self.resource.info.group, &self.resource.info.kind);
            return Err(Failure::invalid(group, kind, self.key.name(), &[error]));
        }
        if !uid.is_empty() && current.uid != uid {
            let (table, key) = (&self.resource.info.plural, &self.key);
            return Err(Failure::conflict(
                &target,
                &format!(
                    "StorageError: invalid object, Code: 4, Key: /registry/{table}/{key}, ResourceVersion: 0, \
                 AdditionalErrorMsg: Precondition failed: UID in precondition: {uid}, UID in object meta: {}",
                    current.uid
                ),
            ));
        }
        let version = text_at(metadata, &["resourceVersion"]).to_owned();
        if self.patching && (version.is_empty() || version == current.version.to_string()) {
            return Ok(false);
        }
        if version.is_empty()
            && !self.resource.allows_unconditional_update()
            && self.subresource != Some("finalize")
        {
            let error = FieldError::invalid("metadata.resourceVersion", 0, "must be specified for an update");
            return Err(Failure::invalid(
                &self.resource.info.group,
                &self.resource.info.plural,
                self.key.name(),
                &[error],
            ));
        }
        let on_version = !matches!(version.as_str(), "" | "0");
        if on_version && version != current.version.to_string() {
            return Err(Failure::modified(&target));
        }
        Ok(on_version)
    }

    /// Whether it may change what is wished for.
    fn sets_wishes(&self) -> bool {
        !matches!(self.subresource, Some("status" | "approval" | "finalize"))
    }

    /// Stores a new state in place of the `live` one; `None` if the object has changed since it was read.
    fn commit(&self, mut new: Map, live: &Map, current: &Arc<Object>) -> Result<Option<Arc<Object>>> {
        let stored_as = self.state.stored_as(self.resource);
        self.resource.default(&mut new);
        if let Some(manager) = self.manager {
            Ownership::of(self.resource, self.subresource).update(Some(live), &mut new, manager);
        }
        if self.patching {
            body::dedup_owners(&mut new);
        }
        if let Some(conversion) = self.resource.conversion {
            new = (conversion.to_storage)(new);
        }
        let old = match self.resource.conversion {
            Some(_) => Cow::Owned(stored_as.read(current)),
            // It is stored as it is served.
            None => Cow::Borrowed(live),
        };
        let old = &*old;
        let mut new = self.joined(new, old);
        keep_system_metadata(&mut new, old);
        if self.subresource.is_none() {
            stored_as.prepare_update(&mut new, old);
        }
        let reserved = admission::prepare_update(self.state, &stored_as, &mut new, old, self.dry_run)?;
        if self.sets_wishes() && stored_as.counts_generations() && generation_moves(&stored_as, &new, old) {
            let generation = at(old, &["metadata", "generation"]).and_then(Value::as_i64).unwrap_or(0);
            map_at(&mut new, "metadata").insert("generation".to_owned(), (generation + 1).into());
        }
        let problems = match self.subresource {
            None => stored_as.validate_update(&new, old),
            Some("resize") => stored_as.validate_resize(&new, old),
            Some(_) => stored_as.validate_subresource(&new, old),
        };
        if !problems.is_empty() {
            return Err(Failure::invalid(
                &self.resource.info.group,
                &self.resource.info.kind,
                self.key.name(),
                &problems,
            ));
        }
        self.warnings.add(match self.subresource {
            None => stored_as.warnings(&new, Some(old)),
            Some("status") => stored_as.status_warnings(&new),
            Some(_) => Vec::new(),
        });
        stored_as.prune_to_stored(&mut new);
        if keep_times(old, &mut new) {
            return Ok(Some(current.clone()));
        }
        if self.dry_run {
            let version = Some(current.version);
            return Ok(Some(Arc::new(stored_as.store(self.key.clone(), new, version))));
        }
        if is_let_go(&stored_as, &new) {
            return self.remove(&stored_as, new, current);
        }
        let mut encode = |version| stored_as.store(self.key.clone(), new.clone(), Some(version));
        match self.state.store.update(&self.resource.table, &self.key, current.version, &mut encode) {
            Ok(object) => {
                reserved.keep();
                admission::changed(self.state, &stored_as, &object, Some(old));
                Ok(Some(object))
            }
            Err(StoreError::Changed) => Ok(None),
            Err(_) => Err(Failure::internal("cannot update")),
        }
    }

    /// Removes an object whose last finalizer is gone; the answer shows it without, at its last version.
    fn remove(
        &self,
        stored_as: &Arc<Resource>,
        new: Map,
        current: &Arc<Object>,
    ) -> Result<Option<Arc<Object>>> {
        // Who watches sees it as it was last stored.
        let last = stored_as.read(current);
        let mut encode = |version| stored_as.store(self.key.clone(), last.clone(), Some(version));
        match self.state.store.delete(&self.resource.table, &self.key, current.version, &mut encode) {
            Ok(gone) => {
                admission::deleted(self.state, stored_as, &gone);
                Ok(Some(Arc::new(stored_as.store(self.key.clone(), new.clone(), Some(current.version)))))
            }
            Err(StoreError::Changed) => Ok(None),
            Err(_) => Err(Failure::internal("cannot delete")),
        }
    }

    /// What becomes of the object: each endpoint changes its own part, and who owns it, and leaves the rest.
    fn joined(&self, mut new: Map, old: &Map) -> Map {
        let Some(subresource) = self.subresource else {
            if self.resource.has_status() {
                set(&mut new, "status", old.get("status"));
            }
            return new;
        };
        let mut object = old.clone();
        let part = match subresource {
            "finalize" => Some("finalizers"),
            "ephemeralcontainers" => Some("ephemeralContainers"),
            _ => None,
        };
        if let Some(part) = part {
            set(map_at(&mut object, "spec"), part, at(&new, &["spec", part]));
        } else if subresource == "resize" {
            take_resources(&mut object, &new);
        } else {
            set(&mut object, "status", new.get("status"));
            if !self.resource.is_custom() {
                set(&mut object, "metadata", new.get("metadata"));
                keep_metadata(kept_by_status(self.resource), map_at(&mut object, "metadata"), old);
            }
        }
        let owners = at(&new, &["metadata", "managedFields"]);
        set(map_at(&mut object, "metadata"), "managedFields", owners);
        object
    }
}

/// What a status has no say in stays as it was.
fn keep_metadata(kept: &[&[&str]], metadata: &mut Map, old: &Map) {
    const ALL: [&str; 5] = ["annotations", "deletionTimestamp", "finalizers", "labels", "ownerReferences"];
    for path in kept {
        let names = match path {
            ["metadata"] => &ALL[..],
            ["metadata", name] => &[*name],
            _ => &[],
        };
        for name in names {
            set(metadata, name, at(old, &["metadata", name]));
        }
    }
}

/// What the server alone sets stays as it was. An object that is not to go cannot be marked so by a write, which
/// validation says.
fn keep_system_metadata(new: &mut Map, old: &Map) {
    const KEPT: [&str; 5] = ["uid", "creationTimestamp", "generation", "resourceVersion", "generateName"];
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

/// Whether a change counts as one to what is wished for.
fn generation_moves(resource: &Resource, new: &Map, old: &Map) -> bool {
    let differs = |names: &[&str]| at(new, names) != at(old, names);
    if resource.is_custom() || resource.info.kind == "EndpointSlice" {
        let others = |object: &Map| -> Map {
            let beside = |name: &str| name != "metadata" && (name != "status" || !resource.has_status());
            object
                .iter()
                .filter(|(name, _)| beside(name))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect()
        };
        return others(new) != others(old);
    }
    differs(&["spec"]) || (resource.info.kind == "Deployment" && differs(&["metadata", "annotations"]))
}

/// Whether an object is to go and nothing holds it any more.
fn is_let_go(resource: &Resource, object: &Map) -> bool {
    at(object, &["metadata", "deletionTimestamp"]).is_some() && !delete::is_held(resource, object)
}
