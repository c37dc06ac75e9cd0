//! `/healthz`, `/livez`, `/readyz` and `/metrics`.

use http::{Response, StatusCode};
use klient_client::ResponseBody;

use super::{Context, Route, text};
use crate::meters::Sizes;
use crate::response;
use crate::state::State;

/// Answers probes, which have no token and name the host by an address.
pub(crate) async fn health(gateway: &State, route: Route) -> Option<Response<ResponseBody>> {
    match route {
        Route::Live => Some(text(StatusCode::OK, "ok")),
        Route::Ready => Some(match problem(gateway).await {
            None => text(StatusCode::OK, "ok"),
            Some(problem) => text(StatusCode::SERVICE_UNAVAILABLE, problem),
        }),
        _ => None,
    }
}

async fn problem(gateway: &State) -> Option<&'static str> {
    if *gateway.shutdown.borrow() {
        return Some("the gateway shuts down");
    }
    match gateway.clusters.own().identities() {
        Ok(identities) => gateway.readiness.problem(identities.own()).await,
        Err(_) => Some("the cluster cannot be reached"),
    }
}

pub(super) fn metrics(context: &Context) -> Response<ResponseBody> {
    let gateway = &context.gateway;
    let [identities, informers, objects] = gateway.clusters.size();
    let sizes = Sizes { identities, informers, objects, streams: gateway.streams.len() };
    response::whole(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", gateway.meters.text(&sizes))
}
