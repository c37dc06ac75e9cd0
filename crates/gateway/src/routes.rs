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

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use klient_client::{ApiResource, BoxError, ResponseBody};

pub(crate) use health::health;
pub(crate) use page::refused_page;
pub(crate) use proxy::{has_own_query, proxy};

use crate::clusters::{self, Cluster};
use crate::failure::{Code, Failure};
use crate::feed::{Feed, FeedKey, Form};
use crate::guard::Path;
use crate::identity::Identity;
use crate::query::Query;
use crate::state::State;

/// The route of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Page,
    Asset,
    Ping,
    PodList,
    ResourceList,
    Proxy,
    Kinds,
    Namespaces,
    Contexts,
    Session,
    Table,
    Changes,
    Object,
    Overview,
    OverviewChanges,
    Diff,
    Metrics,
    OpenApi,
    Live,
    Ready,
    Unknown,
    /// The request was refused before its path was looked at.
    Refused,
}

impl Route {
    pub(crate) fn of(path: &Path) -> Self {
        match path.parts().as_slice() {
            [] => Route::Page,
            ["assets", _] => Route::Asset,
            ["ping"] => Route::Ping,
            ["pod", "list"] => Route::PodList,
            ["api" | "apis" | "openapi", ..] | ["version"] => Route::Proxy,
            ["healthz" | "livez"] => Route::Live,
            ["readyz"] => Route::Ready,
            ["metrics"] => Route::Metrics,
            ["openapi.json"] => Route::OpenApi,
            ["v1", "kinds"] => Route::Kinds,
            ["v1", "namespaces"] => Route::Namespaces,
            ["v1", "contexts"] => Route::Contexts,
            ["v1", "session"] => Route::Session,
            ["v1", "overview"] => Route::Overview,
            ["v1", "overview", "changes"] => Route::OverviewChanges,
            ["v1", "diff"] => Route::Diff,
            ["v1", "table", _, _, _] => Route::Table,
            ["v1", "changes", _, _, _] => Route::Changes,
            ["v1", "object", _, _, _, _] => Route::Object,
            ["v1", ..] => Route::Unknown,
            [_, _, _] => Route::ResourceList,
            _ => Route::Unknown,
        }
    }

    /// The name of the route in metrics.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Route::Page => "page",
            Route::Asset => "asset",
            Route::Ping => "ping",
            Route::PodList => "pod_list",
            Route::ResourceList => "resource_list",
            Route::Proxy => "proxy",
            Route::Kinds => "kinds",
            Route::Namespaces => "namespaces",
            Route::Contexts => "contexts",
            Route::Session => "session",
            Route::Table => "table",
            Route::Changes => "changes",
            Route::Object => "object",
            Route::Overview => "overview",
            Route::OverviewChanges => "overview_changes",
            Route::Diff => "diff",
            Route::Metrics => "metrics",
            Route::OpenApi => "openapi",
            Route::Live => "healthz",
            Route::Ready => "readyz",
            Route::Unknown => "unknown",
            Route::Refused => "refused",
        }
    }

    /// The methods of the route.
    pub(crate) fn methods(self) -> &'static [Method] {
        match self {
            Route::Diff => &[Method::POST],
            _ => &[Method::GET, Method::HEAD],
        }
    }
}

/// A request of a known user.
pub(crate) struct Context {
    pub(crate) gateway: Arc<State>,
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) identity: Arc<Identity>,
    /// The name under which its streams are counted.
    pub(crate) client: String,
    pub(crate) head: Parts,
    pub(crate) path: Path,
}

impl Context {
    /// The parameters, without the choice of a context, which every route has.
    pub(crate) fn query(&self) -> Query {
        Query::parse(self.head.uri.query()).without(clusters::PARAMETER)
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
        let resource = self.identity.resource(group_of(group), version, plural).await?;
        if !(resource.has_verb("list") && resource.has_verb("watch")) {
            let problem = format!("{} cannot be listed and watched", resource.info.group_resource());
            return Err(Failure::new(Code::MethodNotAllowed, problem));
        }
        Ok(resource)
    }

    /// The informer of a resource, with its first list.
    async fn feed(&self, key: FeedKey) -> Result<Arc<Feed>, Failure> {
        let feed = self.identity.pool.feed(key)?;
        let synced = feed.wait_for_sync(self.gateway.options.sync_timeout).await;
        if synced.as_ref().is_err_and(|failure| failure.code == Code::KindUnknown) {
            self.identity.forget_kinds().await;
        }
        synced.map(|()| feed)
    }

    /// The informer of the rows of a resource in all namespaces.
    async fn rows_of(&self, group: &str, version: &str, plural: &str) -> Result<Arc<Feed>, Failure> {
        let resource = self.listed_resource(group, version, plural).await?.info;
        let key = FeedKey { form: Form::Rows, resource, namespace: None, field_selector: None };
        self.feed(key).await
    }
}

/// The group in a path: the core group has no name, and is `core` there.
fn group_of(part: &str) -> &str {
    if part == "core" { "" } else { part }
}

/// The longest wait for the body of a request.
const PATIENCE: Duration = Duration::from_secs(30);

/// The body of a request, of limited length.
pub(crate) struct RequestBody(Pin<Box<dyn Body<Data = Bytes, Error = BoxError> + Send>>);

impl RequestBody {
    pub(crate) fn new<B>(body: B, limit: u64) -> Self
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        RequestBody(Box::pin(Limited::new(body, usize::try_from(limit).unwrap_or(usize::MAX))))
    }

    async fn read(self) -> Result<Bytes, Failure> {
        let Ok(read) = tokio::time::timeout(PATIENCE, self.0.collect()).await else {
            return Err(Failure::new(Code::BadRequest, "the body of the request did not come in time"));
        };
        match read {
            Ok(body) => Ok(body.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => {
                Err(Failure::new(Code::BodyTooLarge, "the body of the request is too large"))
            }
            Err(error) => Err(Failure::new(
                Code::BadRequest,
                format!("the body of the request cannot be read: {error}"),
            )),
        }
    }
}

/// Answers a request of a route of the gateway.
pub(crate) async fn answer(
    route: Route,
    context: Context,
    body: RequestBody,
) -> Result<Response<ResponseBody>, Failure> {
    let context = &context;
    match route {
        Route::Page => Ok(page::index(context)),
        Route::Asset => page::asset(context),
        Route::Ping => Ok(seed::ping()),
        Route::PodList => Ok(seed::pod_list(context).await),
        Route::ResourceList => Ok(seed::resource_list(context).await),
        Route::Kinds => kinds::kinds(context).await,
        Route::Namespaces => kinds::namespaces(context).await,
        Route::Contexts => session::contexts(context),
        Route::Session => session::session(context).await,
        Route::Table => table::table(context).await,
        Route::Changes => table::changes(context).await,
        Route::Object => object::object(context).await,
        Route::Overview => overview::overview(context).await,
        Route::OverviewChanges => overview::changes(context).await,
        Route::Diff => writes::diff(context, body).await,
        Route::Metrics => Ok(health::metrics(context)),
        Route::OpenApi => Ok(page::openapi(context)),
        Route::Proxy | Route::Live | Route::Ready | Route::Unknown | Route::Refused => {
            Err(Failure::not_found(context.head.uri.path()))
        }
    }
}

/// The failure of a method that a route does not have.
pub(crate) fn not_allowed(method: &Method, allowed: &[Method]) -> Failure {
    let allowed: Vec<&str> = allowed.iter().map(Method::as_str).collect();
    let problem = format!("{method} is no method of this path, which has {}", allowed.join(" and "));
    Failure::new(Code::MethodNotAllowed, problem)
}

/// Text that is no page.
fn text(status: StatusCode, text: impl Into<Bytes>) -> Response<ResponseBody> {
    crate::response::whole(status, "text/plain; charset=utf-8", text)
}
