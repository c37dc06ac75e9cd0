//! [`Failure`], the error response to a request, worded as Kubernetes'.

use std::collections::HashSet;

use klient_apimachinery::go::quoted;
use klient_apimachinery::meta::Reason;
use klient_apimachinery::meta::v1::{Status, StatusCause, StatusDetails};

use klient_apimachinery::validation::field::FieldError;

/// The error response to a request.
#[derive(Clone, Debug)]
pub(crate) struct Failure(Box<Status>);

pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    pub(crate) fn new(reason: Reason, message: impl Into<String>) -> Self {
        Failure(Box::new(Status::failure(reason, message)))
    }

    /// A failure with a code but no reason, as upstream's errors that are not wrapped in a `Status`.
    pub(crate) fn bare(code: i32, message: impl Into<String>) -> Self {
        Failure(Box::new(Status {
            status: Some("Failure".into()),
            message: Some(message.into().into()),
            code: Some(code),
            ..Default::default()
        }))
    }

    /// A failure as a webhook words it.
    pub(crate) fn of(status: Status) -> Self {
        Failure(Box::new(status))
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(Reason::BadRequest, message)
    }

    pub(crate) fn internal(message: impl Into<String>) -> Self {
        let message = message.into();
        let mut failure = Self::new(Reason::InternalError, format!("Internal error occurred: {message}"));
        failure.details().causes = vec![StatusCause { message: text(&message), ..Default::default() }];
        failure
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(Reason::Unauthorized, "Unauthorized")
    }

    /// 504 for a request that is given up at its deadline.
    pub(crate) fn deadline_exceeded() -> Self {
        let message =
            "Timeout: request did not complete within requested timeout - context deadline exceeded";
        Failure::new(Reason::Timeout, message).with_details()
    }

    /// `pods "x" not found`.
    pub(crate) fn not_found(on: &Target<'_>) -> Self {
        Self::new(Reason::NotFound, format!("{} not found", on.quoted())).about(on)
    }

    pub(crate) fn no_such_resource() -> Self {
        Self::new(Reason::NotFound, "the server could not find the requested resource").with_details()
    }

    pub(crate) fn method_not_allowed() -> Self {
        let message = "the server does not allow this method on the requested resource";
        Self::new(Reason::MethodNotAllowed, message).with_details()
    }

    /// The resource supports lists, but not watches.
    pub(crate) fn not_watched(on: &Target<'_>) -> Self {
        let message = format!("watch is not supported on resources of kind {}", quoted(on.resource()));
        Self::new(Reason::MethodNotAllowed, message).about(on)
    }

    /// `pods "x" already exists`.
    pub(crate) fn already_exists(on: &Target<'_>) -> Self {
        Self::new(Reason::AlreadyExists, format!("{} already exists", on.quoted())).about(on)
    }

    /// As `already_exists`, for an object that is being deleted.
    pub(crate) fn already_exists_dying(on: &Target<'_>) -> Self {
        let message = format!("object is being deleted: {} already exists", on.quoted());
        Self::new(Reason::AlreadyExists, message).about(on)
    }

    /// Adds that no unique name could be generated for the object.
    pub(crate) fn not_generated(mut self) -> Self {
        let message = self.0.message.take().unwrap_or_default();
        let message = format!("{message}, the server was not able to generate a unique name for the object");
        self.0.message = Some(message.into());
        self.details().retry_after_seconds = Some(1);
        self
    }

    /// `Operation cannot be fulfilled on pods "x": …`.
    pub(crate) fn conflict(on: &Target<'_>, problem: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {}: {problem}", on.quoted());
        Self::new(Reason::Conflict, message).about(on)
    }

    pub(crate) fn modified(on: &Target<'_>) -> Self {
        let problem =
            "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(on, problem)
    }

    /// `pods "x" is forbidden: …`.
    pub(crate) fn forbidden(on: &Target<'_>, problem: &str) -> Self {
        let subject = if on.name.is_empty() { on.resource() } else { on.quoted() };
        Self::new(Reason::Forbidden, format!("{subject} is forbidden: {problem}")).about(on)
    }

    /// `Pod "x" is invalid: …`. Here the details have the kind, not the resource.
    pub(crate) fn invalid(group: &str, kind: &str, name: &str, errors: &[FieldError]) -> Self {
        // Several rules may report the same error.
        let mut seen = HashSet::new();
        let distinct = errors.iter().map(|error| (error.to_string(), error));
        let (all, distinct): (Vec<String>, Vec<&FieldError>) =
            distinct.filter(|(text, _)| seen.insert(text.clone())).unzip();
        let problems = match &all[..] {
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        let subject = if group.is_empty() { kind.to_owned() } else { format!("{kind}.{group}") };
        let mut failure =
            Self::new(Reason::Invalid, format!("{subject} {} is invalid: {problems}", quoted(name)));
        let causes = distinct.into_iter().map(|error| StatusCause {
            reason: Some(error.reason().into()),
            message: Some(error.body().into()),
            field: Some(error.field.as_str().into()),
            ..Default::default()
        });
        let details = failure.details();
        *details = StatusDetails {
            name: text(name),
            group: text(group),
            kind: text(kind),
            causes: causes.collect(),
            ..Default::default()
        };
        failure
    }

    /// ` "" is invalid: patch: …`, for errors without a kind upstream.
    pub(crate) fn invalid_patch(error: &FieldError) -> Self {
        Self::invalid("", "", "", std::slice::from_ref(error))
    }

    /// Objects of a resource cannot be read from the storage.
    pub(crate) fn storage_read_error(on: &Target<'_>, message: impl Into<String>) -> Self {
        Self::new(Reason::StorageReadError, message).about(on)
    }

    /// The resourceVersion of a list or watch is no longer kept.
    pub(crate) fn expired(message: impl Into<String>) -> Self {
        Self::new(Reason::Expired, message)
    }

    /// The resourceVersion has not been reached yet.
    pub(crate) fn version_too_large(version: u64, latest: u64) -> Self {
        let message = format!("Timeout: Too large resource version: {version}, current: {latest}");
        let mut failure = Self::new(Reason::Timeout, message);
        let details = failure.details();
        details.retry_after_seconds = Some(1);
        details.causes = vec![StatusCause {
            reason: Some("ResourceVersionTooLarge".into()),
            message: Some("Too large resource version".into()),
            ..Default::default()
        }];
        failure
    }

    /// The server has no capacity, or a PodDisruptionBudget allows no eviction; with the seconds after which to try
    /// again, if they are not 0.
    pub(crate) fn too_many_requests(message: impl Into<String>, retry_after_seconds: i32) -> Self {
        let mut failure = Self::new(Reason::TooManyRequests, message);
        failure.details().retry_after_seconds = (retry_after_seconds != 0).then_some(retry_after_seconds);
        failure
    }

    /// Adds a cause, with a field if that is not empty.
    pub(crate) fn caused_by(mut self, reason: &str, message: &str, field: &str) -> Self {
        self.details().causes.push(StatusCause {
            reason: text(reason),
            message: text(message),
            field: text(field),
            ..Default::default()
        });
        self
    }

    /// Replaces the reason and the code.
    pub(crate) fn with_reason(mut self, reason: &str, code: i32) -> Self {
        self.0.reason = text(reason);
        self.0.code = Some(code);
        self
    }

    /// Replaces the message.
    pub(crate) fn with_message(mut self, message: &str) -> Self {
        self.0.message = text(message);
        self
    }

    /// The message.
    pub(crate) fn message(&self) -> String {
        self.0.message.as_deref().unwrap_or_default().to_owned()
    }

    /// Adds details, which may be empty, as in some of upstream's errors.
    pub(crate) fn with_details(mut self) -> Self {
        self.details();
        self
    }

    /// Adds a continue token.
    pub(crate) fn with_continue(mut self, token: String) -> Self {
        self.0.metadata.continue_ = Some(token.into());
        self
    }

    fn about(mut self, on: &Target<'_>) -> Self {
        let details = self.details();
        details.name = text(on.name);
        details.group = text(on.group);
        details.kind = text(on.plural);
        self
    }

    fn details(&mut self) -> &mut StatusDetails {
        self.0.details.get_or_insert_default()
    }

    /// The HTTP status code.
    pub(crate) fn code(&self) -> u16 {
        self.0.code.and_then(|code| u16::try_from(code).ok()).unwrap_or(500)
    }

    pub(crate) fn is(&self, reason: Reason) -> bool {
        self.0.known_reason() == Some(reason)
    }

    /// The time to wait before a retry, in seconds.
    pub(crate) fn retry_after(&self) -> Option<i32> {
        self.0.details.as_ref()?.retry_after_seconds
    }

    pub(crate) fn status(&self) -> &Status {
        &self.0
    }
}

fn text(value: &str) -> Option<klient_apimachinery::Str> {
    (!value.is_empty()).then(|| value.into())
}

/// The target of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'a> {
    pub(crate) group: &'a str,
    /// The plural; for some errors upstream puts the kind here.
    pub(crate) plural: &'a str,
    pub(crate) name: &'a str,
}

impl Target<'_> {
    /// `deployments.apps`.
    fn resource(&self) -> String {
        if self.group.is_empty() { self.plural.to_owned() } else { format!("{}.{}", self.plural, self.group) }
    }

    /// `deployments.apps "web"`.
    fn quoted(&self) -> String {
        format!("{} {}", self.resource(), quoted(self.name))
    }
}
