//! [`Webhooks`], webhooks at their paths.

mod body;
mod isolated;
mod refusal;
mod response_body;
mod review;
mod route;
mod span;
mod time_limit;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response};
use http_body::Body;
use klient_apimachinery::codec::Wire;
use klient_apimachinery::go::quoted;
use klient_apimachinery::meta::Reason;
use klient_apimachinery::validation::dns_subdomain;
use klient_apimachinery::{BoxFuture, Resource};
use klient_client::BoxError;
use tower_service::Service;
use tracing::Instrument as _;

use refusal::Refusal;
pub use response_body::ResponseBody;
use route::{Route, Webhook};

use crate::admission::{AdmissionWebhook, ReinvocationPolicy};
use crate::conversion::{Conversion, Versions};
use crate::error::Error;
use crate::meters::{Meters, WebhookMetrics};

/// The path of conversions, as controller-runtime's.
pub(crate) const CONVERT: &str = "/convert";

/// Webhooks, each at its path; cheap to clone. A [`Server`](crate::Server) serves them, or any server that takes a `tower`
/// service: see the [crate](crate).
///
/// A request that is no review gets a `Status` with the reason, which the API server prints. Nothing is shared by requests but
/// the context of a handler, so that one waits for no other.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), klient_webhook::Error> {
/// let webhooks = klient_webhook::Webhooks::builder().build()?;
/// let response = webhooks.call(http::Request::get("/validate").body(String::new()).unwrap()).await;
/// assert_eq!(response.status(), 404);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Webhooks(Arc<BTreeMap<String, Route>>);

/// Collects webhooks.
#[derive(Default)]
pub struct WebhooksBuilder {
    admission: Vec<AdmissionWebhook>,
    conversions: Vec<Versions>,
}

impl WebhooksBuilder {
    /// Adds a webhook for writes.
    pub fn admission(mut self, webhook: AdmissionWebhook) -> Self {
        self.admission.push(webhook);
        self
    }

    /// Adds the conversions of a custom resource, at the path `/convert`.
    pub fn conversion<H: Resource + Wire>(mut self, conversion: Conversion<H>) -> Self {
        self.conversions.push(conversion.into_versions());
        self
    }

    /// Checks the webhooks, and makes them ready to serve.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Webhooks`](crate::ErrorKind::Webhooks) if two have the same path or name, a name has less than three parts,
    /// a path does not begin with a slash, a time-out is not from 1 to 30 s, or one that validates is to be called again.
    pub fn build(self) -> Result<Webhooks, Error> {
        let mut routes: BTreeMap<String, Route> = BTreeMap::new();
        let mut names = Vec::new();
        for webhook in self.admission {
            if let Some(problem) = problem(&webhook) {
                return Err(Error::webhooks(format!("webhook {}: {problem}", quoted(&webhook.name))));
            }
            let name = (webhook.is_mutating, webhook.name.clone());
            if names.contains(&name) {
                let problem = format!("two webhooks have the name {}", quoted(&webhook.name));
                return Err(Error::webhooks(problem));
            }
            names.push(name);
            add(&mut routes, webhook.path(), Webhook::Admission(Box::new(webhook)))?;
        }
        for (index, versions) in self.conversions.iter().enumerate() {
            let (group, kind) = (&versions.info.group, &versions.info.kind);
            let is_same = |other: &Versions| (&other.info.group, &other.info.kind) == (group, kind);
            if self.conversions[..index].iter().any(is_same) {
                return Err(Error::webhooks(format!("two conversions are for {kind} of {group}")));
            }
            if let Some(problem) = versions.problem() {
                return Err(Error::webhooks(problem));
            }
        }
        if !self.conversions.is_empty() {
            add(&mut routes, CONVERT.to_owned(), Webhook::Conversion(self.conversions.into()))?;
        }
        Ok(Webhooks(Arc::new(routes)))
    }
}

fn add(routes: &mut BTreeMap<String, Route>, path: String, webhook: Webhook) -> Result<(), Error> {
    let route = Route { meters: Meters::new(&path), path: path.clone(), webhook };
    match routes.get(&path) {
        Some(other) => {
            let problem = format!(
                "webhooks {} and {} have the same path {path}: set WebhookOptions::path of one",
                quoted(other.name()),
                quoted(route.name())
            );
            Err(Error::webhooks(problem))
        }
        None => {
            routes.insert(path, route);
            Ok(())
        }
    }
}

/// A reason for which the API server would refuse a webhook.
fn problem(webhook: &AdmissionWebhook) -> Option<String> {
    let name = &webhook.name;
    if name.split('.').count() < 3 || !dns_subdomain(name).is_empty() {
        return Some(
            "a name is a DNS name with three parts at least, such as websites.shop.example".to_owned(),
        );
    }
    let path = webhook.path();
    if !path.starts_with('/') || path.contains(['?', '#']) {
        return Some(format!("the path {} must begin with a slash and have no query", quoted(&path)));
    }
    let seconds = webhook.options.timeout.as_secs_f64();
    if !(1.0..=30.0).contains(&seconds) || seconds.fract() != 0.0 {
        return Some("WebhookOptions::timeout must be a number of seconds from 1 to 30".to_owned());
    }
    if webhook.resources.is_empty() {
        return Some("there is no resource that it is for".to_owned());
    }
    if webhook.options.operations.is_empty() {
        return Some("WebhookOptions::operations are empty".to_owned());
    }
    if !webhook.is_mutating && webhook.options.reinvocation_policy != ReinvocationPolicy::Never {
        let problem = "WebhookOptions::reinvocation_policy is for webhooks that change objects";
        return Some(problem.to_owned());
    }
    None
}

impl Webhooks {
    /// No webhooks yet.
    pub fn builder() -> WebhooksBuilder {
        WebhooksBuilder::default()
    }

    /// Answers a request. The path is that of the URI.
    pub async fn call<B>(&self, request: Request<B>) -> Response<ResponseBody>
    where
        B: Body,
        B::Error: Into<BoxError>,
    {
        let Some(route) = self.0.get(request.uri().path()) else {
            let known: Vec<&str> = self.0.keys().map(String::as_str).collect();
            let message =
                format!("no webhook is at {}: they are at {}", request.uri().path(), known.join(", "));
            return Refusal::new(Reason::NotFound, message).into_response();
        };
        let span = span::of(request.method().as_str(), &route.path, route.name());
        let observed = route.meters.begin();
        let answer = async {
            match route.answer(request).await {
                Ok(json) => {
                    let mut response = Response::new(ResponseBody::from(json));
                    let json = HeaderValue::from_static("application/json");
                    response.headers_mut().insert(CONTENT_TYPE, json);
                    response
                }
                Err(refusal) => {
                    tracing::warn!(webhook = route.name(), "a request was refused: {}", refusal.message());
                    refusal.into_response()
                }
            }
        };
        let response = answer.instrument(span.clone()).await;
        observed.end(response.status());
        span::end(&span, response.status());
        response
    }

    /// The figures of each webhook since it was built.
    pub fn metrics(&self) -> Vec<WebhookMetrics> {
        self.0.values().map(|route| route.meters.snapshot()).collect()
    }

    /// The webhooks for writes, in the order of their paths.
    pub(crate) fn admission(&self) -> impl Iterator<Item = &AdmissionWebhook> {
        self.0.values().filter_map(|route| match &route.webhook {
            Webhook::Admission(webhook) => Some(&**webhook),
            Webhook::Conversion(_) => None,
        })
    }
}

impl fmt::Debug for Webhooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Webhooks").field(&self.0.keys()).finish()
    }
}

impl fmt::Debug for WebhooksBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhooksBuilder").field("admission", &self.admission).finish_non_exhaustive()
    }
}

impl<B> Service<Request<B>> for Webhooks
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let webhooks = self.clone();
        Box::pin(async move { Ok(Webhooks::call(&webhooks, request).await) })
    }
}
