//! The encoding of requests, and the fall-back for servers that do not know it.
//!
//! Built-in types are sent in protobuf, and protobuf or JSON is accepted as the answer. A server, or a proxy before
//! it, that answers in JSON, or that refuses with 406 or 415, is spoken to in JSON from then on, as far as the same
//! group and version are concerned.

use http::{HeaderValue, StatusCode, header};
use klient_apimachinery::codec::{Format, Wire};

use super::format::PROTOBUF;
use super::{ByteStream, Form, Request, Response};
use crate::config::Encoding;
use crate::error::Error;

const JSON: &str = "application/json";

/// The header of typed requests for whole objects.
const PROTOBUF_OR_JSON: &str = "application/vnd.kubernetes.protobuf,application/json";

/// The `Accept` header for media types and a transformation of objects.
fn accepted(media_types: &[&str], form: Option<Form>) -> HeaderValue {
    let form = match form {
        None if *media_types == [PROTOBUF, JSON] => return HeaderValue::from_static(PROTOBUF_OR_JSON),
        None => "",
        Some(Form::Metadata) => ";as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
        Some(Form::MetadataList) => ";as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
    };
    let accepted = media_types.iter().map(|media_type| format!("{media_type}{form}"));
    let accepted = accepted.collect::<Vec<_>>().join(",");
    HeaderValue::from_str(&accepted).expect("media types have ASCII characters only")
}

fn is_refusal(error: &Error) -> bool {
    let refused = [StatusCode::NOT_ACCEPTABLE, StatusCode::UNSUPPORTED_MEDIA_TYPE];
    refused.iter().any(|code| error.code() == Some(code.as_u16()))
}

/// Encodings that a type allows in an exchange.
#[derive(Clone, Copy)]
struct Wish {
    /// Request and response may be protobuf.
    protobuf: bool,
    /// The response may be protobuf.
    answer: bool,
}

/// A way to read a response: whole, or as a stream.
trait Answer: Sized {
    /// Sends a request and takes its answer.
    fn to(request: &Request) -> impl Future<Output = Result<Self, Error>> + Send;

    /// The format it is in.
    fn format(&self) -> Format;
}

impl Answer for Response {
    fn to(request: &Request) -> impl Future<Output = Result<Self, Error>> + Send {
        request.response()
    }

    fn format(&self) -> Format {
        Response::format(self)
    }
}

impl Answer for ByteStream {
    fn to(request: &Request) -> impl Future<Output = Result<Self, Error>> + Send {
        request.response_stream()
    }

    fn format(&self) -> Format {
        ByteStream::format(self)
    }
}

impl Request {
    /// Sends the request's body and decodes the response as a type.
    pub(crate) async fn fetch<A: Wire>(self) -> Result<A, Error> {
        self.respond::<A>().await?.decode()
    }

    /// Sends the request's body and reads a response of a type, or a Status.
    pub(crate) async fn respond<A: Wire>(self) -> Result<Response, Error> {
        let wish = Wish { protobuf: A::has_protobuf(), answer: A::has_protobuf() };
        self.negotiate(wish, |request| request).await
    }

    /// Sends an object, and takes an answer of a type.
    pub(crate) async fn exchange<B: Wire, A: Wire>(self, body: &B) -> Result<A, Error> {
        self.submit::<B, A>(body).await?.decode()
    }

    /// Sends an object, and reads an answer that is a type's, or a Status.
    pub(crate) async fn submit<B: Wire, A: Wire>(self, body: &B) -> Result<Response, Error> {
        let wish = Wish { protobuf: B::has_protobuf() || A::has_protobuf(), answer: A::has_protobuf() };
        let put = |request: Request| {
            if request.speaks_protobuf && B::has_protobuf() {
                let mut bytes = Vec::new();
                body.to_protobuf(&mut bytes);
                return request.body(PROTOBUF, bytes);
            }
            request.object(body)
        };
        self.negotiate(wish, put).await
    }

    /// Sends the request and returns a response of objects of a type as a stream.
    pub(crate) async fn stream_of<A: Wire>(self) -> Result<ByteStream, Error> {
        let wish = Wish { protobuf: A::has_protobuf(), answer: A::has_protobuf() };
        self.negotiate(wish, |request| request).await
    }

    /// Makes an attempt in protobuf, if that is possible, and one in JSON if it is refused.
    async fn negotiate<R: Answer>(
        mut self,
        wish: Wish,
        put_body: impl Fn(Request) -> Request + Send,
    ) -> Result<R, Error> {
        let encoding = self.connection.config().encoding;
        let group_version = self.path.group_version();
        self.speaks_protobuf =
            wish.protobuf && encoding != Encoding::Json && !self.connection.json_only().has(&group_version);
        if !self.speaks_protobuf {
            self = put_body(self.in_json());
            return R::to(&self).await;
        }
        let accepted = match encoding {
            _ if !wish.answer => accepted(&[JSON], self.form),
            Encoding::Protobuf => accepted(&[PROTOBUF], self.form),
            _ => accepted(&[PROTOBUF, JSON], self.form),
        };
        self = put_body(self.accepting(accepted));
        let first = R::to(&self).await;
        match first {
            Ok(answer) => {
                // A response in JSON to a request for JSON proves nothing about the server.
                if wish.answer && answer.format() == Format::Json {
                    self.connection.json_only().insert(group_version);
                }
                Ok(answer)
            }
            // It was refused for its form, before anything was done.
            Err(error) if is_refusal(&error) && encoding == Encoding::Negotiate => {
                self.speaks_protobuf = false;
                self = put_body(self.in_json());
                // In a box, since the future of every request would have room for it.
                let answer = Box::pin(R::to(&self)).await?;
                self.connection.json_only().insert(group_version);
                Ok(answer)
            }
            Err(error) => Err(error),
        }
    }

    fn in_json(self) -> Self {
        let accepted = accepted(&[JSON], self.form);
        self.accepting(accepted)
    }

    fn accepting(mut self, accepted: HeaderValue) -> Self {
        self.headers.retain(|(name, _)| *name != header::ACCEPT);
        self.headers.push((header::ACCEPT, accepted));
        self
    }
}
