//! `/ping`, `/pod/list` and `/{resource}/{group}/{version}`: answers with `code`, `message` and `data`, and the status 200 also
//! for failures, which have the code 40000.

use std::convert::Infallible;
use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, VARY};
use http::{HeaderValue, Response, StatusCode};
use http_body::Frame;
use http_body_util::StreamBody;
use klient_apimachinery::Unstructured;
use klient_cache::Cached;
use klient_client::ResponseBody;
use serde_json::json;

use super::Context;
use crate::failure::{Code, Failure};
use crate::feed::{FeedKey, Form};
use crate::response;

/// The length of a part of a response. Objects are copied from the cache when the part before was sent.
const PART: usize = 64 << 10;

pub(super) fn ping() -> Response<ResponseBody> {
    response::json(StatusCode::OK, &json!({ "code": 20000, "message": "pong" }))
}

/// All pods.
pub(super) async fn pod_list(context: &Context) -> Response<ResponseBody> {
    list(context, "core", "v1", "pods").await.unwrap_or_else(|failure| refuse(&failure))
}

/// All objects of a resource.
pub(super) async fn resource_list(context: &Context) -> Response<ResponseBody> {
    let [plural, group, version] = context.path.parts()[..] else {
        return refuse(&Failure::not_found(context.head.uri.path()));
    };
    list(context, group, version, plural).await.unwrap_or_else(|failure| refuse(&failure))
}

fn refuse(failure: &Failure) -> Response<ResponseBody> {
    response::json(StatusCode::OK, &json!({ "code": 40000, "message": failure.message }))
}

async fn list(
    context: &Context,
    group: &str,
    version: &str,
    plural: &str,
) -> Result<Response<ResponseBody>, Failure> {
    let resource = context.listed_resource(group, version, plural).await?.info;
    if resource.group.is_empty() && resource.plural == "secrets" && !context.gateway.options.secrets {
        let problem = "Secrets are not shown: start the gateway with --show-secrets";
        return Err(Failure::new(Code::SecretsHidden, problem));
    }
    let key = FeedKey { form: Form::Objects, resource, namespace: None, field_selector: None };
    let feed = context.feed(key).await?;
    let gzip = response::takes_gzip(&context.head.headers)
        .then(|| GzEncoder::new(Vec::with_capacity(PART), Compression::fast()));
    let has_gzip = gzip.is_some();
    let parts = Parts { objects: feed.store().list().into_iter(), is_first: true, has_ended: false, gzip };
    let frames = futures_util::stream::iter(parts.map(|part| Ok::<_, Infallible>(Frame::data(part))));
    let mut response = Response::new(ResponseBody::new(StreamBody::new(frames)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(response::JSON));
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if has_gzip {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Ok(response)
}

/// The parts of a response: objects as they are in the cache, which nothing decodes.
struct Parts {
    objects: std::vec::IntoIter<Cached<Unstructured>>,
    is_first: bool,
    has_ended: bool,
    gzip: Option<GzEncoder<Vec<u8>>>,
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
        let Some(gzip) = &mut self.gzip else { return Some(part.into()) };
        gzip.write_all(&part).expect("a vector takes all bytes");
        if self.has_ended {
            let gzip = self.gzip.take().expect("it is there, as was seen above");
            return Some(gzip.finish().expect("a vector takes all bytes").into());
        }
        Some(std::mem::take(gzip.get_mut()).into())
    }
}
