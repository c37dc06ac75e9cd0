//! Reading one object.

use klient_apimachinery::go::quoted;
use std::sync::Arc;
use std::time::Duration;

use http::{Response, StatusCode};

use super::Context;
use crate::negotiate::Format;
use crate::request::number_problem;
use crate::respond::{self, Body};
use crate::state::State;
use crate::status::{Failure, Result};
use crate::storage::{Object, StorageError};

/// The maximum wait for a version in the future, as upstream.
const WAIT_FOR_VERSION: Duration = Duration::from_secs(3);

/// Reads an object at the requested version or later.
pub(crate) async fn get(context: &Context) -> Result<Response<Body>> {
    let format = context.format()?;
    if let Some(version) = version(&context.query.text("resourceVersion"), not_a_version)? {
        wait(&context.state, version).await?;
    }
    let object = context.state.store.get(&context.resource.table, &context.key());
    answer(context, format, object).await
}

/// Reads an object as it is.
pub(crate) async fn get_now(context: &Context) -> Result<Response<Body>> {
    let format = context.format()?;
    let object = context.state.store.get(&context.resource.table, &context.key());
    answer(context, format, object).await
}

async fn answer(context: &Context, format: Format, object: Option<Arc<Object>>) -> Result<Response<Body>> {
    let object = object.ok_or_else(|| Failure::not_found(&context.target()))?;
    let object = context.state.converter.serve(&context.resource, object, context.deadline).await?;
    Ok(respond::object(StatusCode::OK, format, &context.resource, &object))
}

/// Waits until a version is reached.
pub(crate) async fn wait(state: &State, version: u64) -> Result<()> {
    let waited = state.store.wait_for(version, WAIT_FOR_VERSION.min(state.client_timeout)).await;
    waited.map_err(|error| match error {
        StorageError::Future { latest } => Failure::version_too_large(version, latest),
        _ => Failure::internal("cannot wait for a version"),
    })
}

/// Reads a resourceVersion; `None` for `""`.
pub(crate) fn version(text: &str, refuse: fn(&str) -> Failure) -> Result<Option<u64>> {
    match text {
        "" => Ok(None),
        // Rust would read a sign.
        _ if text.starts_with('+') => Err(refuse(text)),
        _ => text.parse().map(Some).map_err(|_| refuse(text)),
    }
}

/// The error of a get or watch with an invalid resourceVersion.
pub(crate) fn not_a_version(text: &str) -> Failure {
    Failure::bare(500, parse_error(text))
}

/// The error of a list with an invalid resourceVersion.
pub(crate) fn not_a_list_version(text: &str) -> Failure {
    Failure::bad_request(format!("invalid resource version: {}", parse_error(text)))
}

fn parse_error(text: &str) -> String {
    let problem = text.parse::<u64>().map_or_else(|error| number_problem(&error), |_| "invalid syntax");
    let text = quoted(text);
    format!("resourceVersion: Invalid value: {text}: strconv.ParseUint: parsing {text}: {problem}")
}

/// The error of a version that cannot be read: compacted or in the future.
pub(crate) fn unreadable(version: u64, error: &StorageError) -> Failure {
    match error {
        StorageError::Compacted { oldest } => {
            Failure::expired(format!("too old resource version: {version} ({oldest})"))
        }
        StorageError::Future { latest } => Failure::version_too_large(version, *latest),
        _ => Failure::internal("cannot read"),
    }
}
