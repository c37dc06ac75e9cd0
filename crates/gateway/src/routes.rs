//! The routes of the gateway.

mod health;
mod kinds;
mod object;
mod overview;
mod page;
mod proxy;
mod seed;
mod session;
mod table;
mod writes;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{self, DefaultBodyLimit, FromRequest, FromRequestParts, MatchedPath, Request};
use axum::middleware::{self, Next};
use axum::routing::{any, get, post};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode, Uri};
use klient_client::ApiResource;
use tower::util::MapResponseLayer;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate as _, SizeAbove};

pub(crate) use page::refused_page;

use crate::admission::Caller;
use crate::failure::{Code, Failure};
use crate::feed::{Feed, FeedKey, Form};
use crate::guard::security_headers;
use crate::options::CONTEXT_PARAMETER;
use crate::query::Query;
use crate::response::{self, Response};
use crate::state::State;

/// The length of a body from which on it is compressed, in bytes.
const COMPRESSED: u64 = 1024;

/// The limit of the form with the token, in bytes.
const FORM: usize = 4 << 10;

/// The longest wait for the body of a request.
const PATIENCE: Duration = Duration::from_secs(30);

/// The routes of the gateway, behind the guard.
pub(crate) fn router(state: Arc<State>) -> Router {
    let body_limit = usize::try_from(state.options.limits.body_bytes).unwrap_or(usize::MAX);
    // Streams of events are sent as they come.
    let is_compressed = SizeAbove::new(COMPRESSED).and(NotForContentType::SSE);
    let own = Router::new()
        .route("/", get(page::index).post(page::sign_in).layer(DefaultBodyLimit::max(FORM)))
        .route("/assets/{name}", get(page::asset))
        .route("/ping", get(seed::ping))
        .route("/pod/list", get(seed::pod_list))
        .route("/{resource}/{group}/{version}", get(seed::resource_list))
        .route("/v1/session", get(session::session))
        .route("/v1/contexts", get(session::contexts))
        .route("/v1/namespaces", get(kinds::namespaces))
        .route("/v1/kinds", get(kinds::kinds))
        .route("/v1/table/{group}/{version}/{resource}", get(table::table))
        .route("/v1/changes/{group}/{version}/{resource}", get(table::changes))
        .route("/v1/object/{group}/{version}/{resource}/{name}", get(object::object))
        .route("/v1/overview", get(overview::overview))
        .route("/v1/overview/changes", get(overview::changes))
        .route("/v1/diff", post(writes::diff).layer(DefaultBodyLimit::max(body_limit)))
        // They are not those of a resource named `v1`.
        .route("/v1/{*rest}", any(not_found))
        .route("/healthz", get(health::live))
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .route("/openapi.json", get(page::openapi))
        .method_not_allowed_fallback(not_allowed)
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(is_compressed));
    let mut cluster = Router::new().route("/version", any(proxy::proxy));
    for root in ["/api", "/apis", "/openapi", "/context/{context}/api", "/context/{context}/apis"] {
        for path in [root.to_owned(), format!("{root}/"), format!("{root}/{{*rest}}")] {
            cluster = cluster.route(&path, any(proxy::proxy));
        }
    }
    let cluster = (cluster.layer(security_headers::of_cluster()))
        .layer(MapResponseLayer::new(security_headers::without_origin));
    own.merge(cluster).fallback(not_found).layer(middleware::from_fn(with_route)).with_state(state)
}

/// Notes the route of a request in the response, for the metrics.
async fn with_route(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut response = next.run(request).await;
    if let Some(route) = route {
        response.extensions_mut().insert(route);
    }
    response
}

async fn not_found(uri: Uri) -> Failure {
    Failure::not_found(uri.path())
}

async fn not_allowed(method: Method) -> Failure {
    let problem = format!("{method} is no method of this path: the header Allow has those that are");
    Failure::new(Code::MethodNotAllowed, problem)
}

/// The group, version and plural in a path; the plural is the first one in those with an envelope.
type KindPath = extract::Path<(String, String, String)>;

/// The group, version and plural in a path, and the name of an object.
type ObjectPath = extract::Path<(String, String, String, String)>;

/// A request of a known user.
pub(crate) struct Context {
    pub(crate) gateway: Arc<State>,
    pub(crate) caller: Caller,
    pub(crate) headers: HeaderMap,
    pub(crate) uri: Uri,
}

impl FromRequestParts<Arc<State>> for Context {
    type Rejection = Failure;

    async fn from_request_parts(head: &mut Parts, gateway: &Arc<State>) -> Result<Self, Failure> {
        let caller = head.extensions.get::<Caller>().cloned();
        let unknown = || Failure::new(Code::Unauthorized, "the sender of the request is not known");
        Ok(Context {
            gateway: gateway.clone(),
            caller: caller.ok_or_else(unknown)?,
            headers: head.headers.clone(),
            uri: head.uri.clone(),
        })
    }
}

impl Context {
    /// The parameters, without the choice of a context, which every route has.
    pub(crate) fn query(&self) -> Query {
        Query::parse(self.uri.query()).without(CONTEXT_PARAMETER)
    }

    /// The resource of the last parts of the path: group, version and plural.
    ///
    /// # Errors
    ///
    /// If the cluster does not serve it, or it cannot be listed and watched.
    async fn listed_resource(
        &self,
        group: &str,
        version: &str,
        plural: &str,
    ) -> Result<ApiResource, Failure> {
        let resource = self.caller.identity.resource(group_of(group), version, plural).await?;
        if !(resource.has_verb("list") && resource.has_verb("watch")) {
            let problem = format!("{} cannot be listed and watched", resource.info.group_resource());
            return Err(Failure::new(Code::MethodNotAllowed, problem));
        }
        Ok(resource)
    }

    /// The informer of a resource, with its first list.
    async fn feed(&self, key: FeedKey) -> Result<Arc<Feed>, Failure> {
        let feed = self.caller.identity.pool.feed(key)?;
        let synced = feed.wait_for_sync(self.gateway.options.sync_timeout).await;
        if synced.as_ref().is_err_and(|failure| failure.code == Code::KindUnknown) {
            self.caller.identity.forget_kinds().await;
        }
        synced.map(|()| feed)
    }

    /// The informer of the rows of a resource, in all namespaces or in one; that of one may have the rows of all.
    async fn rows_of(
        &self,
        group: &str,
        version: &str,
        plural: &str,
        namespace: Option<&str>,
    ) -> Result<Arc<Feed>, Failure> {
        let resource = self.listed_resource(group, version, plural).await?.info;
        let namespace = namespace.map(str::to_owned);
        let key = FeedKey { form: Form::Rows, resource, namespace, field_selector: None };
        self.feed(key).await
    }
}

/// The group in a path: the core group has no name, and is `core` there.
fn group_of(part: &str) -> &str {
    if part == "core" { "" } else { part }
}

/// The body of a request, of limited length.
pub(crate) struct RequestBody(pub(crate) Bytes);

impl FromRequest<Arc<State>> for RequestBody {
    type Rejection = Failure;

    async fn from_request(request: Request, gateway: &Arc<State>) -> Result<Self, Failure> {
        let Ok(read) = tokio::time::timeout(PATIENCE, Bytes::from_request(request, gateway)).await else {
            return Err(Failure::new(Code::BadRequest, "the body of the request did not come in time"));
        };
        read.map(RequestBody).map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => {
                Failure::new(Code::BodyTooLarge, "the body of the request is too large")
            }
            _ => Failure::new(
                Code::BadRequest,
                format!("the body of the request cannot be read: {}", rejection.body_text()),
            ),
        })
    }
}

/// Text that is no page.
fn text(status: StatusCode, text: impl Into<Bytes>) -> Response {
    response::whole(status, "text/plain; charset=utf-8", text)
}
