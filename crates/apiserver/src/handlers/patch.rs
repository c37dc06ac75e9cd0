//! Patching objects.

mod document;

use http::{Response, StatusCode};
use klient_apimachinery::values::Map;

use super::Context;
use super::apply;
use super::body::{check_name, check_namespace};
use super::field_validation::FieldValidation;
use super::options::{Write, WriteOptions};
use crate::owners::{AFTER_ADMISSION, duplicate_owners};
use crate::registry::pipeline::Pipeline;
use crate::respond::{self, Body};
use crate::status::Result;
use crate::storage::Object;
use crate::warnings::Warnings;
pub(super) use document::{Patch, Patched, PatchedKind};

/// Applies the patch in the body to an object or its subresource.
pub(super) async fn patch(context: &mut Context, subresource: Option<&str>) -> Result<Response<Body>> {
    if apply::is_apply(&context.headers) {
        return apply::apply(context, subresource).await;
    }
    let format = context.format()?;
    let resource = context.resource.clone();
    let patch = Patch::read(&context.headers, &context.body, resource.is_custom())?;
    let options = WriteOptions::parse(&context.query, Write::Patch)?;
    let is_lax = options.validation == FieldValidation::Ignore;
    let sent = if is_lax { Vec::new() } else { patch.notes(&context.body) };
    let manager = options.manager(&context.headers);
    let warnings = Warnings::default();
    let pipeline = context.pipeline(subresource, Some(&manager), Some(&options), &warnings);
    let pipeline = Pipeline { patching: true, ..pipeline };
    let (name, namespace) = (context.name().to_owned(), context.namespace().map(str::to_owned));
    let mut notes = Vec::new();
    let mut twice = None;
    let mut update = |old: &Map, _: &Object| {
        let mut patched = patch.apply(&resource, old)?;
        notes = sent.clone();
        notes.extend(patched.notes);
        if options.validation == FieldValidation::Strict && !notes.is_empty() {
            let problem = format!("strict decoding error: {}", notes.join(", "));
            return Err(patch.refuse(&resource, old, &problem));
        }
        check_namespace(&resource, &mut patched.object, namespace.as_deref())?;
        check_name(&name, &patched.object)?;
        twice = duplicate_owners(&patched.object, AFTER_ADMISSION);
        Ok(patched.object)
    };
    let patched = pipeline.guaranteed_update(&context.key(), &mut update).await;
    if options.validation == FieldValidation::Warn {
        context.warnings.extend(notes);
    }
    context.warnings.extend(twice);
    context.warnings.extend(warnings.take());
    Ok(respond::object(StatusCode::OK, format, &resource, &*patched?))
}
