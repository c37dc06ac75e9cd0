//! The write pipeline, from the decoded object to storage. All writes pass through it.
//!
//! 1. *default*: unset fields are defaulted, on behalf of the client ([`Strategy::default`]);
//! 2. *managed fields*: the manager becomes the owner of the fields that it changed ([`ManagedFields::update`]);
//! 3. *mutating admission* ([`Chain::admit`]);
//! 4. *prepare*: the object is converted to the stored version, merged with the fields that the request cannot
//!    change, and completed ([`Strategy::prepare_for_create`], [`Strategy::prepare_for_update`],
//!    [`Strategy::prepare_subresource`]);
//! 5. *reserve*: exclusive values such as addresses are allocated ([`Strategy::reserve`]), and released if a later
//!    step fails;
//! 6. *validate* ([`Strategy::validate`], [`Strategy::validate_update`]), with warnings, on another thread if it takes
//!    long;
//! 7. *validating admission* ([`Chain::validate`]);
//! 8. *commit*: the object is encoded, and stored if it has not changed since it was read; otherwise the update
//!    starts over ([`Storage::commit`]);
//! 9. *controllers* are notified ([`Controller`]).
//!
//! Nothing is locked between the steps.
//!
//! [`Strategy::default`]: super::strategy::Strategy::default
//! [`Strategy::prepare_for_create`]: super::strategy::Strategy::prepare_for_create
//! [`Strategy::prepare_for_update`]: super::strategy::Strategy::prepare_for_update
//! [`Strategy::prepare_subresource`]: super::strategy::Strategy::prepare_subresource
//! [`Strategy::reserve`]: super::strategy::Strategy::reserve
//! [`Strategy::validate`]: super::strategy::Strategy::validate
//! [`Strategy::validate_update`]: super::strategy::Strategy::validate_update
//! [`ManagedFields::update`]: crate::managed_fields::ManagedFields::update
//! [`Chain::admit`]: crate::admission::Chain::admit
//! [`Chain::validate`]: crate::admission::Chain::validate
//! [`Storage::commit`]: crate::storage::Storage::commit
//! [`Controller`]: crate::state::Controller

mod create;
mod delete;
mod update;

use std::future::ready;
use std::sync::Arc;

pub(crate) use create::SYSTEM_METADATA;
pub(crate) use delete::{Outcome, check_preconditions, delete, delete_unread};
use klient_apimachinery::BoxFuture;
use klient_apimachinery::schema::Schema;
use klient_apimachinery::validation::field::FieldError;
use klient_apimachinery::values::Map;
use klient_cel::Effort;
pub(crate) use update::{unversioned, written_version};

use super::Resource;
use super::strategy::{Strategy, Validated};
use crate::admission::RequestContext;
use crate::managed_fields::Conversions;
use crate::offload::offload;
use crate::state::State;
use crate::status::{Failure, Result};
use crate::storage::{Key, Object};
use crate::warnings::Warnings;

/// Writes to objects of one resource.
pub(crate) struct Pipeline<'a> {
    pub(crate) state: &'a Arc<State>,
    /// The resource in the version of the request.
    pub(crate) resource: &'a Arc<Resource>,
    /// The subresource that is updated.
    pub(crate) subresource: Option<&'a str>,
    /// The manager that is recorded to have changed the fields that differ, unless the new state has its managed
    /// fields already.
    pub(crate) manager: Option<&'a str>,
    pub(crate) request: RequestContext<'a>,
    /// The part of an object that the request writes, as an object of another kind.
    pub(crate) presentation: Option<&'a dyn Presentation>,
    /// The new state is computed from any old one, so that a resourceVersion in it is no precondition.
    pub(crate) patching: bool,
}

/// The presentation of a part of an object by a subresource as an object of another kind, such as a Scale. Admission
/// sees that object in place of the whole.
pub(crate) trait Presentation: Send + Sync {
    fn subresource(&self) -> &'static str;

    /// The struct of the presented object.
    fn schema(&self) -> &'static Schema;

    /// Presents an object.
    ///
    /// # Errors
    ///
    /// If the object has no such part.
    fn present(&self, object: &Map) -> Result<Map>;

    /// Writes the presented part, which admission may have changed, to its object.
    ///
    /// # Errors
    ///
    /// If the object has no such part.
    fn write(&self, presented: &Map, object: &mut Map) -> Result<()>;
}

/// The computation of the new state of an object from the old one, both decoded in the version of the request.
pub(crate) trait TryUpdate: Send {
    /// Computes the new state.
    ///
    /// # Errors
    ///
    /// The refusal of the update.
    fn try_update<'a>(&'a mut self, live: &'a Map, current: &'a Object) -> BoxFuture<'a, Result<Map>>;
}

/// A computation that waits for nothing.
impl<F: FnMut(&Map, &Object) -> Result<Map> + Send> TryUpdate for F {
    fn try_update<'a>(&'a mut self, live: &'a Map, current: &'a Object) -> BoxFuture<'a, Result<Map>> {
        Box::pin(ready(self(live, current)))
    }
}

impl<'a> Pipeline<'a> {
    /// The writes that the server makes itself, such as those of a controller: they apply to any state of an object.
    pub(crate) fn of_server(
        state: &'a Arc<State>,
        resource: &'a Arc<Resource>,
        subresource: Option<&'a str>,
        manager: Option<&'a str>,
        warnings: &'a Warnings,
    ) -> Self {
        let request = RequestContext::of_server(warnings);
        Pipeline { state, resource, subresource, manager, request, presentation: None, patching: true }
    }
}

impl Pipeline<'_> {
    /// The conversions that managed fields need.
    pub(crate) fn conversions(&self) -> Conversions<'_> {
        let Pipeline { state, resource, request, .. } = self;
        Conversions { converter: &state.converter, resource, deadline: request.deadline }
    }

    /// The object as it is.
    ///
    /// # Errors
    ///
    /// 404 if it does not exist.
    pub(crate) fn current(&self, key: &Key) -> Result<Arc<Object>> {
        let object = self.state.store.get(&self.resource.table, key);
        object.ok_or_else(|| Failure::not_found(&self.resource.target(key.name())))
    }

    /// Validates a new object, or the new state of an old one, and adds the warnings for the client.
    ///
    /// # Errors
    ///
    /// 422 if it is not valid; 504 if that is not known at the deadline of the request.
    async fn validated(
        &self,
        name: &str,
        stored_as: &Arc<Resource>,
        object: Map,
        old: Option<&Map>,
    ) -> Result<Map> {
        let subresource = self.subresource;
        let inline = Effort::LITTLE.spend(|| validate(&*stored_as.strategy, subresource, &object, old));
        let (object, validated) = match inline {
            Ok(validated) => (object, validated),
            Err(_) => {
                let (resource, old) = (stored_as.clone(), old.cloned());
                let subresource = subresource.map(str::to_owned);
                let work = move || {
                    let strategy = &*resource.strategy;
                    let validated = validate(strategy, subresource.as_deref(), &object, old.as_ref());
                    (object, validated)
                };
                offload(self.request.deadline, work).await?
            }
        };
        self.check(name, &validated.errors)?;
        self.request.warnings.add(validated.warnings);
        Ok(object)
    }

    fn check(&self, name: &str, errors: &[FieldError]) -> Result<()> {
        if errors.is_empty() {
            return Ok(());
        }
        Err(self.resource.invalid(name, errors))
    }
}

/// The errors of a new object, or of the new state of an old one, and the warnings for the client if there are none.
fn validate(
    strategy: &dyn Strategy,
    subresource: Option<&str>,
    object: &Map,
    old: Option<&Map>,
) -> Validated {
    let mut validated = match (old, subresource) {
        (None, _) => strategy.validate(object).into(),
        (Some(old), None) => strategy.validate_update(object, old),
        (Some(old), Some(subresource)) => strategy.validate_subresource(object, old, subresource).into(),
    };
    if validated.errors.is_empty() {
        let warnings = match (old, subresource) {
            (old, None) => strategy.warnings(object, old),
            (_, Some("status")) => strategy.status_warnings(object),
            (_, Some(_)) => Vec::new(),
        };
        validated.warnings.splice(..0, warnings);
    }
    validated
}
