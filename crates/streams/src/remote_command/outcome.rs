//! The end of a remote command on its error stream: a JSON `Status` from version 4 on, before that the text of a failure
//! or nothing.

use klient_apimachinery::codec::Wire as _;
use klient_apimachinery::meta::Reason;
use klient_apimachinery::meta::v1::{Status, StatusCause, StatusDetails};

use super::ExitStatus;
use super::protocol::Version;
use crate::error::{BoxError, Error};

/// The reason of a command whose exit code is not 0.
const NON_ZERO_EXIT_CODE: &str = "NonZeroExitCode";

/// The cause that has the exit code.
const EXIT_CODE: &str = "ExitCode";

/// The bytes that tell a client of an outcome.
pub(super) fn encode(version: Version, outcome: &Result<ExitStatus, BoxError>) -> Vec<u8> {
    let status = match outcome {
        Ok(status) if status.success() && !version.has_status() => return Vec::new(),
        Ok(status) if status.success() => Status { status: Some("Success".into()), ..Default::default() },
        Ok(status) => {
            let message = format!("command terminated with non-zero exit code: {status}");
            let cause = StatusCause {
                reason: Some(EXIT_CODE.into()),
                message: Some(status.code().to_string().into()),
                ..Default::default()
            };
            Status {
                status: Some("Failure".into()),
                reason: Some(NON_ZERO_EXIT_CODE.into()),
                message: Some(message.into()),
                details: Some(Box::new(StatusDetails { causes: vec![cause], ..Default::default() })),
                ..Default::default()
            }
        }
        Err(error) => failure(error),
    };
    if !version.has_status() {
        return status.message.map(|message| message.as_bytes().to_vec()).unwrap_or_default();
    }
    let mut json = Vec::new();
    status.to_json(&mut json);
    json
}

/// The status of a command that could not be run: that of the error, or an internal error.
fn failure(error: &BoxError) -> Status {
    if let Some(status) = error.downcast_ref::<Error>().and_then(Error::as_status) {
        return status.clone();
    }
    let text = format!("error executing command in container: {error}");
    let cause = StatusCause { message: Some(text.as_str().into()), ..Default::default() };
    let details = StatusDetails { causes: vec![cause], ..Default::default() };
    let status = Status::failure(Reason::InternalError, format!("Internal error occurred: {text}"));
    Status { details: Some(Box::new(details)), ..status }
}

/// The outcome of a command: all bytes of its error stream, and how that ended.
pub(super) fn decode(
    version: Version,
    message: &[u8],
    ended: Result<(), Error>,
) -> Result<ExitStatus, Error> {
    if !version.has_status() {
        if message.is_empty() {
            return ended.map(|()| ExitStatus::SUCCESS);
        }
        let message = String::from_utf8_lossy(message);
        return Err(Error::refused(format!("error executing remote command: {message}")));
    }
    if message.is_empty() {
        ended?;
        return Err(Error::connection("the connection was closed before the command's exit status"));
    }
    let status = match Status::from_json(message) {
        Ok(status) => status,
        // A part of it may be missing.
        Err(error) => {
            ended?;
            return Err(Error::protocol(format!("the command's exit status cannot be read: {error}")));
        }
    };
    match status.status.as_deref() {
        Some("Success") => Ok(ExitStatus::SUCCESS),
        Some("Failure") if status.reason.as_deref() == Some(NON_ZERO_EXIT_CODE) => {
            let cause = status.causes().iter().find(|cause| cause.reason.as_deref() == Some(EXIT_CODE));
            let code = cause.and_then(|cause| cause.message.as_deref()?.parse::<u8>().ok());
            code.map(ExitStatus).ok_or_else(|| {
                let text = String::from_utf8_lossy(message);
                Error::protocol(format!("the command's exit status has no exit code: {text}"))
            })
        }
        Some("Failure") => Err(Error::of_status(status)),
        _ => {
            let text = String::from_utf8_lossy(message);
            Err(Error::protocol(format!(
                "the command's exit status says neither success nor failure: {text}"
            )))
        }
    }
}
