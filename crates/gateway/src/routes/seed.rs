//! `/ping`, `/pod/list` and `/{resource}/{group}/{version}`: answers with `code`, `message` and `data`, and the status 200 also
//! for failures, which have the code 40000.

use axum::extract;
use http::StatusCode;
use serde_json::json;

use super::{Context, KindPath};
use crate::failure::{Code, Failure};
use crate::feed::{FeedKey, Form};
use crate::response::{self, Response};

pub(super) async fn ping() -> Response {
    response::json(StatusCode::OK, &json!({ "code": 20000, "message": "pong" }))
}

/// All pods.
pub(super) async fn pod_list(context: Context) -> Response {
    list(&context, "core", "v1", "pods").await.unwrap_or_else(|failure| refuse(&failure))
}

/// All objects of a resource.
pub(super) async fn resource_list(context: Context, path: KindPath) -> Response {
    let extract::Path((plural, group, version)) = path;
    list(&context, &group, &version, &plural).await.unwrap_or_else(|failure| refuse(&failure))
}

fn refuse(failure: &Failure) -> Response {
    response::json(StatusCode::OK, &json!({ "code": 40000, "message": failure.message }))
}

async fn list(context: &Context, group: &str, version: &str, plural: &str) -> Result<Response, Failure> {
    let resource = context.listed_resource(group, version, plural).await?.info;
    if resource.group.is_empty() && resource.plural == "secrets" && !context.gateway.options.secrets {
        let problem = "Secrets are not shown: start the gateway with --show-secrets";
        return Err(Failure::new(Code::SecretsHidden, problem));
    }
    let key = FeedKey { form: Form::Objects, resource, namespace: None, field_selector: None };
    let feed = context.feed(key).await?;
    // The version is read before the objects, which so are no older than their tag.
    Ok(response::kept(&context.headers, &feed.version(), response::CHECKED, || {
        let head = br#"{"code":20000,"data":["#.to_vec();
        response::of_objects(head, feed.store().list(), br#"],"message":"success"}"#)
    }))
}
