//! `/healthz`, `/livez`, `/readyz` and `/metrics`.

use std::sync::Arc;

use axum::extract;
use http::StatusCode;

use super::{Context, text};
use crate::meters::Sizes;
use crate::response::{self, Response};
use crate::state::State;

pub(super) async fn live() -> Response {
    text(StatusCode::OK, "ok")
}

pub(super) async fn ready(extract::State(gateway): extract::State<Arc<State>>) -> Response {
    match problem(&gateway).await {
        None => text(StatusCode::OK, "ok"),
        Some(problem) => text(StatusCode::SERVICE_UNAVAILABLE, problem),
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

pub(super) async fn metrics(context: Context) -> Response {
    let gateway = &context.gateway;
    let [identities, informers, objects] = gateway.clusters.size();
    let sizes = Sizes { identities, informers, objects, streams: gateway.streams.len() };
    response::whole(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", gateway.meters.text(&sizes))
}
