//! Replacing objects.

use http::{Response, StatusCode};
use klient_apimachinery::meta::Reason;
use klient_apimachinery::values::{Map, text_at};

use super::Context;
use super::body::{self, check_name};
use super::options::{Write, WriteOptions};
use crate::owners::{dedup_owners, duplicate_owners};
use crate::registry::pipeline::written_version;
use crate::registry::uid_mismatch;
use crate::respond::{self, Body};
use crate::status::Result;
use crate::storage::Object;
use crate::warnings::Warnings;

/// Replaces an object or its subresource by the one in the body.
pub(super) async fn update(context: &mut Context, subresource: Option<&str>) -> Result<Response<Body>> {
    let format = context.format()?;
    let options = WriteOptions::parse(&context.query, Write::Update)?;
    let resource = context.resource.clone();
    let sent = body::read(context, &resource.info.kind, &resource.info.api_version())?;
    let mut object = body::decode(context, sent, options.validation)?;
    body::check_namespace(&resource, &mut object, context.info.namespace.as_deref())?;
    context.warnings.extend(duplicate_owners(&object, ""));
    dedup_owners(&mut object);
    check_name(context.name(), &object)?;
    let manager = options.manager(&context.headers);
    let warnings = Warnings::default();
    let pipeline = context.pipeline(subresource, Some(&manager), Some(&options), &warnings);
    let key = context.key();
    let may_create = subresource.is_none() && resource.creates_on_update();
    loop {
        let creates = may_create && pipeline.current(&key).is_err();
        let (code, done) = if creates {
            written_version(&object)?;
            let uid = text_at(&object, &["metadata", "uid"]);
            if !uid.is_empty() {
                return Err(resource.storage_conflict(&key, &uid_mismatch(uid, "")));
            }
            (StatusCode::CREATED, pipeline.create_by_update(object.clone()).await)
        } else {
            let mut update = |_: &Map, _: &Object| Ok(object.clone());
            (StatusCode::OK, pipeline.guaranteed_update(&key, &mut update).await)
        };
        match done {
            // It was created or deleted meanwhile: look again.
            Err(failure)
                if creates && failure.is(Reason::AlreadyExists) && pipeline.current(&key).is_ok() => {}
            Err(failure) if may_create && !creates && failure.is(Reason::NotFound) => {}
            done => {
                context.warnings.extend(warnings.take());
                return Ok(respond::object(code, format, &resource, &*done?));
            }
        }
    }
}
