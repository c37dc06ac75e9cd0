//! Deleting objects.

pub(super) mod options;

use std::sync::Arc;

use http::{Response, StatusCode};
use klient_apimachinery::go::quoted;
use klient_apimachinery::meta::Reason;
use klient_apimachinery::meta::v1::schema::STATUS;
use klient_apimachinery::meta::v1::{Status, StatusDetails};
use klient_apimachinery::validation::field::FieldError;

use super::Context;
use super::list::{self, ListRequest};
use crate::auth::{Attributes, Rbac};
use crate::negotiate::Format;
use crate::registry::deletion::Deletion;
use crate::registry::pipeline::{self, Outcome};
use crate::respond::{self, Body};
use crate::status::{Failure, Result, Target};
use crate::storage::Object;
use crate::warnings::Warnings;
use options::{IGNORE_READ_ERROR, Options};

/// The verb by which a user may delete an object that cannot be read from storage.
const UNSAFE_DELETE: &str = "unsafe-delete-ignore-read-errors";

/// Deletes the object in the path.
pub(super) async fn delete(context: &mut Context) -> Result<Response<Body>> {
    let format = context.format()?;
    let Options { deletion, is_accepted, ignores_read_error } = Options::parse(context)?;
    if ignores_read_error {
        return delete_unread(context, format, deletion.dry_run).await;
    }
    warn_of_orphans(context, &deletion);
    let warnings = Warnings::default();
    let request = context.request(None, &warnings);
    let outcome =
        pipeline::delete(&context.state, &context.resource, &context.key(), &deletion, request).await;
    context.warnings.extend(warnings.take());
    let (outcome, resource) = (outcome?, &context.resource);
    let is_accepted = is_accepted && matches!(outcome, Outcome::Terminating(_));
    let code = if is_accepted { StatusCode::ACCEPTED } else { StatusCode::OK };
    match outcome {
        Outcome::Deleted(object) if !resource.returns_deleted() => {
            let json = success(&resource.target(context.name()), &object);
            Ok(respond::written(StatusCode::OK, format, json, &STATUS))
        }
        Outcome::Deleted(object) | Outcome::Terminating(object) => {
            Ok(respond::object(code, format, resource, &object))
        }
    }
}

/// Deletes an object with [`IGNORE_READ_ERROR`](options::IGNORE_READ_ERROR), which is for those that cannot be converted to
/// the version of the request.
async fn delete_unread(context: &Context, format: Format, dry_run: bool) -> Result<Response<Body>> {
    let rbac = Rbac { store: &*context.state.store, registry: &context.state.registry };
    let attributes =
        Attributes { verb: UNSAFE_DELETE.to_owned(), ..Attributes::of(&context.info, &context.query) };
    if !rbac.allows(&context.user, &attributes) {
        let problem = format!("not permitted to do {}, reason: ", quoted(UNSAFE_DELETE));
        return Err(Failure::forbidden(&context.target(), &problem));
    }
    let (resource, key) = (&context.resource, context.key());
    pipeline::delete_unread(&context.state, resource, &key, dry_run, context.deadline).await?;
    let details = StatusDetails {
        name: Some(key.name().into()),
        kind: Some((*resource.info.kind).into()),
        ..Default::default()
    };
    let status = Status {
        status: Some("Success".into()),
        code: Some(200),
        details: Some(Box::new(details)),
        ..Default::default()
    };
    Ok(respond::written(StatusCode::OK, format, respond::status(&status), &STATUS))
}

/// Warns of dependents that a deletion without `propagationPolicy` orphans.
fn warn_of_orphans(context: &mut Context, deletion: &Deletion) {
    if deletion.propagation.is_none() {
        context.warnings.extend(context.resource.strategy.delete_warning().map(str::to_owned));
    }
}

fn success(target: &Target<'_>, object: &Object) -> Vec<u8> {
    let text = |text: &str| (!text.is_empty()).then(|| text.into());
    let details = StatusDetails {
        name: text(target.name),
        group: text(target.group),
        kind: text(target.plural),
        uid: text(&object.uid),
        ..Default::default()
    };
    respond::status(&Status {
        status: Some("Success".into()),
        details: Some(Box::new(details)),
        ..Default::default()
    })
}

/// Deletes all objects that are selected and answers with them as they were.
pub(super) async fn delete_collection(context: &mut Context) -> Result<Response<Body>> {
    let format = context.format()?;
    let request = ListRequest::parse(context, false)?;
    let Options { deletion, ignores_read_error, .. } = Options::parse(context)?;
    if ignores_read_error {
        let detail = "is not allowed with DELETECOLLECTION, try again after removing the option";
        return Err(options::invalid(&[FieldError::invalid(IGNORE_READ_ERROR, true, detail)]));
    }
    warn_of_orphans(context, &deletion);
    let listed = list::read(context, &request).await?;
    let warnings = Warnings::default();
    let done = delete_all(context, &listed.objects, &deletion, &warnings).await;
    context.warnings.extend(warnings.take());
    done?;
    let metadata = list::metadata(context, &listed, &request);
    Ok(list::answer(context, format, &metadata, listed.objects))
}

async fn delete_all(
    context: &Context,
    objects: &[Arc<Object>],
    deletion: &Deletion,
    warnings: &Warnings,
) -> Result<()> {
    let request = context.request(None, warnings);
    for object in objects {
        match pipeline::delete(&context.state, &context.resource, &object.key, deletion, request).await {
            // Another client was faster.
            Err(failure) if failure.is(Reason::NotFound) => {}
            done => drop(done?),
        }
    }
    Ok(())
}
