//! Deleting objects.

use http::{Response, StatusCode};
use klient_apimachinery::meta::Reason;
use klient_apimachinery::meta::v1::schema::STATUS;
use klient_apimachinery::meta::v1::{Status, StatusDetails};

use super::Context;
use super::list::{self, Wanted};
use super::options::deletion;
use crate::registry::deletion::Deletion;
use crate::registry::pipeline::{self, Outcome};
use crate::respond::{self, Body};
use crate::status::{Result, Target};
use crate::storage::Object;

/// Deletes the object in the path.
pub(super) async fn delete(context: &mut Context) -> Result<Response<Body>> {
    let format = context.format()?;
    let options = deletion(context)?;
    warn_of_orphans(context, &options);
    let outcome = pipeline::delete(&context.state, &context.resource, &context.key(), &options).await?;
    let resource = &context.resource;
    match outcome {
        Outcome::Deleted(object) if !resource.returns_deleted() => {
            let json = success(&resource.target(context.name()), &object);
            Ok(respond::written(StatusCode::OK, format, json, &STATUS))
        }
        Outcome::Deleted(object) | Outcome::Terminating(object) => {
            Ok(respond::object(StatusCode::OK, format, resource, &object))
        }
    }
}

/// Warns of objects that outlive their owner because the client did not say what becomes of them.
fn warn_of_orphans(context: &mut Context, options: &Deletion) {
    if options.propagation.is_none() {
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
    let options = deletion(context)?;
    warn_of_orphans(context, &options);
    let wanted = Wanted::parse(context, false)?;
    let resource = &context.resource;
    let listed = list::read(context, &wanted).await?;
    for object in &listed.objects {
        match pipeline::delete(&context.state, resource, &object.key, &options).await {
            // Another client was faster.
            Err(failure) if failure.is(Reason::NotFound) => {}
            done => drop(done?),
        }
    }
    let metadata = list::metadata(context, &listed, &wanted);
    Ok(list::answer(context, format, &metadata, listed.objects))
}
