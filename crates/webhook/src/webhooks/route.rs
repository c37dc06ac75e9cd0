//! [`Route`], a webhook at its path.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Method, Request};
use http_body::Body;
use klient_apimachinery::go::quoted;
use klient_apimachinery::meta::Reason;
use klient_client::BoxError;
use tokio::time::timeout;
use tracing::Span;

use super::isolated::{self, Panicked};
use super::refusal::Refusal;
use super::{body, review, span, time_limit};
use crate::admission::{AdmissionWebhook, Denied};
use crate::conversion::{self, Versions};
use crate::meters::Meters;

/// The size limit of an AdmissionReview, in bytes, as controller-runtime's: two objects of at most 3 MiB and the rest.
const MAX_ADMISSION: usize = 7 * 1024 * 1024;

/// The size limit of a ConversionReview, in bytes. The API server converts all objects of a list at once, which are the
/// largest responses that it gives.
const MAX_CONVERSION: usize = 64 * 1024 * 1024;

/// The time limit of a conversion, which the API server sends too.
const CONVERSION_TIMEOUT: Duration = Duration::from_secs(30);

/// A webhook at its path.
pub(super) struct Route {
    pub(super) path: String,
    pub(super) webhook: Webhook,
    pub(super) meters: Meters,
}

pub(super) enum Webhook {
    Admission(Box<AdmissionWebhook>),
    /// The conversions of all kinds.
    Conversion(Arc<[Versions]>),
}

impl Route {
    /// The name in spans and messages.
    pub(super) fn name(&self) -> &str {
        match &self.webhook {
            Webhook::Admission(webhook) => &webhook.name,
            Webhook::Conversion(_) => &self.path,
        }
    }

    /// Answers a request with the JSON of a review.
    ///
    /// # Errors
    ///
    /// If it is no POST of a review, or the handler has not answered in time.
    pub(super) async fn answer<B>(&self, request: Request<B>) -> Result<Bytes, Refusal>
    where
        B: Body,
        B::Error: Into<BoxError>,
    {
        if request.method() != Method::POST {
            let message = format!("only POST is supported, and the request is a {}", request.method());
            return Err(Refusal::new(Reason::MethodNotAllowed, message));
        }
        let content_type =
            request.headers().get(CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default());
        let media_type = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if !media_type.eq_ignore_ascii_case("application/json") {
            let found = quoted(content_type.unwrap_or_default());
            let message = format!("the Content-Type must be application/json, and is {found}");
            return Err(Refusal::new(Reason::UnsupportedMediaType, message));
        }
        let (default, max_body) = match &self.webhook {
            Webhook::Admission(webhook) => (webhook.options.timeout, MAX_ADMISSION),
            Webhook::Conversion(_) => (CONVERSION_TIMEOUT, MAX_CONVERSION),
        };
        let limit = time_limit::of_handler(time_limit::of(request.uri().query(), default)?);
        let deadline = Instant::now() + limit;
        let answer = async {
            let body = body::read(request.into_body(), max_body).await?;
            Span::current().record("http.request.body.size", body.len());
            match &self.webhook {
                Webhook::Admission(webhook) => self.admit(webhook, &body, deadline).await,
                Webhook::Conversion(conversions) => self.convert(conversions.clone(), &body).await,
            }
        };
        let Ok(answered) = timeout(limit, answer).await else {
            self.meters.timed_out();
            let message = format!("webhook {} has not answered within {limit:?}", quoted(self.name()));
            return Err(Refusal::new(Reason::Timeout, message));
        };
        answered
    }

    async fn admit(
        &self,
        webhook: &AdmissionWebhook,
        body: &[u8],
        deadline: Instant,
    ) -> Result<Bytes, Refusal> {
        let request = review::admission(body)?;
        let span = Span::current();
        span::admission(&span, &request);
        let uid = request.uid.clone();
        let answered = isolated::run(&webhook.name, webhook.answer(request, deadline)).await;
        let mut response = answered
            .unwrap_or_else(|Panicked| Denied::of(Reason::InternalError, self.panicked()).into_response());
        response.uid = uid;
        span.record("k8s.webhook.allowed", response.allowed);
        Ok(review::admission_response(response))
    }

    async fn convert(&self, conversions: Arc<[Versions]>, body: &[u8]) -> Result<Bytes, Refusal> {
        let request = review::conversion(body)?;
        span::conversion(&Span::current(), &request);
        let uid = request.uid.clone();
        let convert = async move { conversion::convert(&conversions, request).await };
        let answered = isolated::run(self.name(), convert).await;
        let response = answered.unwrap_or_else(|Panicked| conversion::failed(uid, self.panicked()));
        Ok(review::conversion_response(response))
    }

    /// Counts a panic, and returns the message.
    fn panicked(&self) -> String {
        self.meters.panicked();
        format!("webhook {} has panicked: its log has the reason", quoted(self.name()))
    }
}
