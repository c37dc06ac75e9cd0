//! Creating objects.

use http::{Response, StatusCode};
use klient_apimachinery::validation::field::FieldError;
use klient_apimachinery::values::text_at;

use super::Context;
use super::body;
use super::options::{Write, WriteOptions};
use crate::owners::{dedup_owners, duplicate_owners};
use crate::respond::{self, Body};
use crate::status::{Failure, Result};
use crate::warnings::Warnings;

/// Creates the object in the body.
pub(super) async fn create(context: &mut Context) -> Result<Response<Body>> {
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
    context.warnings.extend(duplicate_owners(&object, ""));
    dedup_owners(&mut object);
    let manager = options.manager(&context.headers);
    let warnings = Warnings::default();
    let pipeline = context.pipeline(None, Some(&manager), Some(&options), &warnings);
    let created = pipeline.create(object).await;
    context.warnings.extend(warnings.take());
    Ok(respond::object(StatusCode::CREATED, format, &resource, &*created?))
}
