//! `/v1/session` and `/v1/contexts`: the user, the cluster, and what the gateway allows.

use std::time::Duration;

use futures_util::future::join;
use http::{Method, StatusCode};
use klient_client::Client;
use serde_json::{Value, json};

use super::Context;
use crate::failure::{Code, Failure};
use crate::response::{self, Response};

/// The longest wait for the cluster: the page opens also while it is away.
const PATIENCE: Duration = Duration::from_secs(3);

/// The facts that a page needs first. What the cluster does not say is null, and `problem` has the reason.
pub(super) async fn session(context: Context) -> Result<Response, Failure> {
    context.query().check(&[])?;
    let client = &context.caller.identity.client;
    let version = client.discovery();
    let (user, version) = join(in_time(user(client)), in_time(async { Ok(version.version().await?) })).await;
    let options = &context.gateway.options;
    let contexts: Vec<&str> = context.gateway.clusters.all().map(|cluster| &*cluster.name).collect();
    let problem = version.as_ref().err().map_or(Value::Null, Failure::to_value);
    Ok(response::json(
        StatusCode::OK,
        &json!({
            "context": context.caller.cluster.name,
            "contexts": contexts,
            "namespace": client.default_namespace(),
            // A cluster before 1.28 does not tell.
            "user": user.unwrap_or_default(),
            "version": version.map_or(Value::Null, |version| version.git_version.into()),
            "gateway": env!("CARGO_PKG_VERSION"),
            "access": options.access.as_str(),
            "writes": options.writes,
            "exec": options.exec,
            "secrets": options.secrets,
            "problem": problem,
        }),
    ))
}

/// The name of the user, as the cluster sees it.
async fn user(client: &Client) -> Result<Value, Failure> {
    let review = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview" });
    let request = client.request(Method::POST).group_version("authentication.k8s.io", "v1");
    let request = request.resource("selfsubjectreviews").body("application/json", review.to_string());
    let mut answer: Value = serde_json::from_slice(request.send().await?.bytes()).unwrap_or_default();
    Ok(answer.pointer_mut("/status/userInfo/username").map(Value::take).unwrap_or_default())
}

async fn in_time<T>(answer: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let answer = tokio::time::timeout(PATIENCE, answer).await;
    answer.unwrap_or_else(|_| Err(Failure::new(Code::Unreachable, "the cluster does not answer")))
}

/// The contexts that a request can choose from.
pub(super) async fn contexts(context: Context) -> Result<Response, Failure> {
    context.query().check(&[])?;
    let clusters = &context.gateway.clusters;
    let contexts = clusters.all().map(|cluster| {
        json!({
            "name": cluster.name,
            "server": cluster.server(),
            "namespace": cluster.config.namespace,
            "current": cluster.name == clusters.own().name,
        })
    });
    Ok(response::json(StatusCode::OK, &json!({ "contexts": contexts.collect::<Vec<_>>() })))
}
