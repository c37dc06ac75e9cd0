//! [`Issuer`], the token endpoint of an OpenID Connect issuer.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Limited};
use serde_json::Value;
use tower::ServiceExt as _;

use super::settings::{Settings, Tokens};
use crate::config::Config;
use crate::error::{Error, Problem};
use crate::transport::{BoxError, RequestBody, Transport};

/// The largest response that is read.
const MAX_RESPONSE: usize = 1 << 20;

/// An issuer and a client that is registered with it.
pub(super) struct Issuer {
    url: String,
    client_id: String,
    client_secret: String,
    transport: Transport,
}

/// The token endpoint, from the issuer's metadata.
struct TokenEndpoint {
    url: Uri,
    /// The client's secret goes into a header, not into the form.
    takes_basic: bool,
}

impl Issuer {
    pub(super) fn new(settings: &Settings) -> Result<Self, Error> {
        let mut config = Config::from_url(&settings.issuer_url).map_err(|error| {
            let cause = error.cause().map_or_else(String::new, ToString::to_string);
            Error::config("idp-issuer-url of the auth provider oidc", Problem(cause))
        })?;
        config.tls.ca = settings.certificate_authority.clone();
        Ok(Issuer {
            url: settings.issuer_url.trim_end_matches('/').to_owned(),
            client_id: settings.client_id.clone(),
            client_secret: settings.client_secret.clone(),
            transport: Transport::new(&config)?,
        })
    }

    /// Exchanges a refresh token for new tokens.
    ///
    /// # Errors
    ///
    /// If the issuer does not answer or refuses; the error has its reason and no token.
    pub(super) async fn refresh(&self, refresh_token: &str) -> Result<Tokens, BoxError> {
        let endpoint = self.discover().await?;
        let in_header = endpoint.takes_basic && !self.client_secret.is_empty();
        let mut form = vec![("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
        if !in_header {
            form.push(("client_id", &self.client_id));
            if !self.client_secret.is_empty() {
                form.push(("client_secret", &self.client_secret));
            }
        }
        let form: Vec<String> =
            form.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        let mut request = self.request(Method::POST, &endpoint.url, form.join("&"));
        let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(header::CONTENT_TYPE, form_type);
        if in_header {
            let pair = format!("{}:{}", encode(&self.client_id), encode(&self.client_secret));
            let mut value = HeaderValue::try_from(format!("Basic {}", BASE64.encode(pair)))?;
            value.set_sensitive(true);
            request.headers_mut().insert(header::AUTHORIZATION, value);
        }
        let (status, answer) = self.send(request).await?;
        if status != StatusCode::OK {
            return Err(Problem(refusal(
                &endpoint.url,
                status,
                &answer,
                &[refresh_token, &self.client_secret],
            ))
            .into());
        }
        let field = |name: &str| answer[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let id_token = field("id_token").ok_or_else(|| {
            let problem = "token response did not contain an id_token, either the scope \"openid\" wasn't requested \
                           upon login, or the provider doesn't support id_tokens as part of the refresh response";
            Problem(problem.to_owned())
        })?;
        let refresh_token = field("refresh_token").unwrap_or_else(|| refresh_token.to_owned());
        Ok(Tokens { id_token, refresh_token })
    }

    /// Reads the issuer's metadata: <https://openid.net/specs/openid-connect-discovery-1_0.html>.
    async fn discover(&self) -> Result<TokenEndpoint, BoxError> {
        let url: Uri = format!("{}/.well-known/openid-configuration", self.url).parse()?;
        let (status, answer) = self.send(self.request(Method::GET, &url, String::new())).await?;
        let refuse = |problem: String| Err(Problem(format!("{url}: {problem}")).into());
        if status != StatusCode::OK {
            return refuse(format!("failed to query metadata endpoint: {status}"));
        }
        let Some(endpoint) = answer["token_endpoint"].as_str().filter(|endpoint| !endpoint.is_empty()) else {
            return refuse("discovery object doesn't contain a token_endpoint".to_owned());
        };
        let Ok(endpoint) = endpoint.parse::<Uri>() else {
            return refuse("its token_endpoint is no URL".to_owned());
        };
        let methods = answer["token_endpoint_auth_methods_supported"].as_array();
        let takes_basic =
            methods.is_none_or(|methods| methods.iter().any(|method| method == "client_secret_basic"));
        Ok(TokenEndpoint { url: endpoint, takes_basic })
    }

    fn request(&self, method: Method, url: &Uri, body: String) -> Request<RequestBody> {
        let mut request = Request::new(RequestBody::from(Bytes::from(body)));
        *request.method_mut() = method;
        *request.uri_mut() = url.clone();
        request.headers_mut().insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        request
    }

    /// Sends a request, and reads the response as JSON; what is none is null.
    async fn send(&self, request: Request<RequestBody>) -> Result<(StatusCode, Value), BoxError> {
        let url = request.uri().clone();
        let failed = |error: BoxError| Unanswered { url: url.to_string(), error };
        let response = self.transport.clone().oneshot(request).await.map_err(failed)?;
        let status = response.status();
        let body = Limited::new(response.into_body(), MAX_RESPONSE).collect().await.map_err(failed)?;
        Ok((status, serde_json::from_slice(&body.to_bytes()).unwrap_or_default()))
    }
}

/// The reason of a refusal: <https://www.rfc-editor.org/rfc/rfc6749#section-5.2>. An issuer may repeat the request in it,
/// of which the secrets are masked.
fn refusal(url: &Uri, status: StatusCode, answer: &Value, secrets: &[&str]) -> String {
    let shown = |name: &str| {
        let mut text = answer[name].as_str().unwrap_or_default().to_owned();
        for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
            text = text.replace(secret, "***").replace(&encode(secret), "***");
        }
        text.chars().filter(|character| !character.is_control()).take(200).collect::<String>()
    };
    let mut reason = format!("{url}: failed to refresh token: {status}");
    for text in [shown("error"), shown("error_description")].iter().filter(|text| !text.is_empty()) {
        reason.push_str(": ");
        reason.push_str(text);
    }
    if answer["error"] == "invalid_grant" {
        reason.push_str(": sign in again with the tool that wrote the kubeconfig");
    }
    reason
}

/// Encodes a value of a form.
fn encode(value: &str) -> String {
    let mut encoded = String::new();
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte))
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// An issuer that did not answer.
#[derive(Debug)]
struct Unanswered {
    url: String,
    error: BoxError,
}

impl std::fmt::Display for Unanswered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: no response", self.url)
    }
}

impl std::error::Error for Unanswered {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.error)
    }
}
