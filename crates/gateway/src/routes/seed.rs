//! `/ping`, `/pod/list` and `/{resource}/{group}/{version}`: answers with `code`, `message` and `data`, and the status 200 also
//! for failures, which have the code 40000.

use axum::extract;
use axum::response::IntoResponse as _;
use bytes::Bytes;
use futures_util::stream;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use klient_apimachinery::Unstructured;
use klient_cache::Cached;
use serde_json::json;

use super::{Context, KindPath};
use crate::failure::{Code, Failure};
use crate::feed::{FeedKey, Form};
use crate::response::{self, Response};

/// The length of a part of a response. Objects are copied from the cache when the part before was sent.
const PART: usize = 64 << 10;

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
        let parts = Parts { objects: feed.store().list().into_iter(), is_first: true, has_ended: false };
        ([(CONTENT_TYPE, response::JSON)], response::in_parts(stream::iter(parts))).into_response()
    }))
}

/// The parts of a response: objects as they are in the cache, which nothing decodes.
struct Parts {
    objects: std::vec::IntoIter<Cached<Unstructured>>,
    is_first: bool,
    has_ended: bool,
}

impl Iterator for Parts {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        if self.has_ended {
            return None;
        }
        let mut part = Vec::with_capacity(PART + (8 << 10));
        if self.is_first {
            part.extend_from_slice(br#"{"code":20000,"data":["#);
        }
        while part.len() < PART {
            let Some(object) = self.objects.next() else {
                part.extend_from_slice(br#"],"message":"success"}"#);
                self.has_ended = true;
                break;
            };
            if !std::mem::take(&mut self.is_first) {
                part.push(b',');
            }
            part.extend_from_slice(object.encoded().bytes());
        }
        Some(part.into())
    }
}
