//! [`User`], who sends a request.

use std::fmt;

use http::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName, LOCATION, SET_COOKIE};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode};
use klient_client::Impersonation;

use super::{Admitted, Guard, Path, authority::Authority, is_secure};
use crate::digest::sha256;
use crate::failure::{Code, Failure};
use crate::options::Access;
use crate::query::Query;
use crate::response::{self, Response};

/// The user whose permissions a request has.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum User {
    /// The gateway itself.
    Own,
    /// The one with a bearer token.
    Bearer(String),
    /// The one whom the gateway impersonates.
    Impersonated(Impersonation),
}

/// Does not show tokens.
impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            User::Own => "own",
            User::Bearer(_) => "bearer",
            User::Impersonated(_) => "impersonated",
        })
    }
}

impl Guard {
    /// Finds the user of a request. An address with the token is answered by a cookie, and an address without it.
    pub(crate) fn admit(&self, head: &Parts, path: &Path) -> Result<Admitted, Failure> {
        let names_user = |name: &HeaderName| name.as_str().starts_with("impersonate-");
        if head.headers.keys().any(names_user) {
            let problem =
                "the gateway decides who a request acts as: headers Impersonate-… are not passed on";
            return Err(Failure::new(Code::BadRequest, problem));
        }
        match &self.access {
            Access::Token => {
                let query = Query::parse(head.uri.query());
                if let Some(token) = query.get("token")
                    && path.parts().is_empty()
                    && head.method == Method::GET
                    && self.is_token(token)
                {
                    return Ok(Admitted::SignedIn(signed_in(head, token)));
                }
                if self.cookie(head).is_some()
                    || bearer(&head.headers).is_some_and(|token| self.is_token(token))
                {
                    return Ok(Admitted::User(User::Own));
                }
                Err(no_token(head))
            }
            Access::Bearer => {
                let remedy = "send Authorization: Bearer TOKEN, with the token of a user of the cluster";
                let token = bearer(&head.headers).ok_or_else(|| unauthorized(remedy))?;
                Ok(Admitted::User(User::Bearer(token.to_owned())))
            }
            Access::Impersonate { .. } => {
                if !bearer(&head.headers).is_some_and(|token| self.is_token(token)) {
                    return Err(unauthorized(
                        "the proxy in front is to send Authorization: Bearer TOKEN, with the token of the gateway",
                    ));
                }
                self.impersonated(&head.headers).map(Admitted::User)
            }
        }
    }

    fn impersonated(&self, headers: &HeaderMap) -> Result<User, Failure> {
        let text =
            |value: &HeaderValue| value.to_str().ok().map(str::to_owned).filter(|text| !text.is_empty());
        let (user_header, group_header) = (self.user_headers.first(), self.user_headers.get(1));
        let mut users = user_header.into_iter().flat_map(|name| headers.get_all(name)).map(text);
        let user = match (users.next(), users.next()) {
            (Some(Some(user)), None) => user,
            (None, _) => return Err(unauthorized("the proxy in front has not named the user")),
            _ => return Err(Failure::new(Code::BadRequest, "the header with the user's name is malformed")),
        };
        let groups = group_header.into_iter().flat_map(|name| headers.get_all(name)).map(text);
        let groups: Option<Vec<String>> = groups.collect();
        let groups = groups
            .ok_or_else(|| Failure::new(Code::BadRequest, "a header with the user's groups is malformed"))?;
        Ok(User::Impersonated(Impersonation { user, groups, ..Impersonation::default() }))
    }

    /// Removes the headers that are for the gateway alone.
    pub(crate) fn strip(&self, headers: &mut HeaderMap) {
        // An API server may know the gateway's certificate as that of a proxy that signs users in.
        let names_user = |name: &&HeaderName| name.as_str().starts_with("x-remote-");
        let named: Vec<HeaderName> = headers.keys().filter(names_user).cloned().collect();
        for name in [&AUTHORIZATION, &COOKIE].into_iter().chain(&self.user_headers).chain(&named) {
            headers.remove(name);
        }
    }

    /// Returns true for the form of the page that signs browsers in.
    pub(crate) fn is_form(&self, head: &Parts) -> bool {
        self.access == Access::Token && head.method == Method::POST && head.uri.path() == "/"
    }

    /// Signs a browser in by a form, which has the token, or the address that has it; or nothing, if the browser has the cookie
    /// and did not send it along with a link from another web site.
    ///
    /// # Errors
    ///
    /// If that is not the token.
    pub(crate) fn sign_in(&self, head: &Parts, form: &str) -> Result<Response, Failure> {
        let form = Query::parse(Some(form));
        let typed = form.get("token").unwrap_or_default().trim();
        let token = match typed.split_once("token=") {
            Some((_, rest)) => rest.split(['&', '#']).next().unwrap_or_default(),
            None => typed,
        };
        let token = if typed.is_empty() { self.cookie(head) } else { Some(token) };
        match token.filter(|token| self.is_token(token)) {
            Some(token) => Ok(signed_in(head, token)),
            None => Err(no_token(head)),
        }
    }

    /// The gateway's token, if it is in the cookie.
    fn cookie<'a>(&self, head: &'a Parts) -> Option<&'a str> {
        let name = cookie_name(head);
        let mut found = cookies(&head.headers).filter(|(key, value)| *key == name && self.is_token(value));
        found.next().map(|(_, value)| value)
    }

    fn is_token(&self, token: &str) -> bool {
        sha256(token.as_bytes()) == self.token
    }
}

fn no_token(head: &Parts) -> Failure {
    let problem = match bearer(&head.headers) {
        Some(_) => "the bearer token of the request is not that of the gateway",
        None => "the request has no token of the gateway",
    };
    let remedy = "send Authorization: Bearer TOKEN, with the token of the address that the gateway printed at its start, or of the \
                  file of --access-token-file; a browser opens that address";
    Failure::new(Code::Unauthorized, format!("{problem}: {remedy}"))
}

fn unauthorized(remedy: &str) -> Failure {
    Failure::new(Code::Unauthorized, format!("the request has no token that is known: {remedy}"))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty()).then(|| token.trim())
}

fn cookies(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    let values = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(';')).filter_map(|cookie| cookie.trim().split_once('='))
}

/// The name of the cookie: browsers send a cookie to all ports of a host.
fn cookie_name(head: &Parts) -> String {
    let host = head.headers.get(http::header::HOST).and_then(|host| host.to_str().ok());
    let host = head.uri.authority().map(http::uri::Authority::as_str).or(host);
    let port = host.and_then(Authority::parse).and_then(|host| host.port);
    format!("klient-gateway-{}", port.unwrap_or(0))
}

/// Sets the cookie, and leads to the same address without the token, so that it is not in the history.
fn signed_in(head: &Parts, token: &str) -> Response {
    let rest = Query::parse(head.uri.query()).without("token").to_string();
    let location = if rest.is_empty() { "/".to_owned() } else { format!("/?{rest}") };
    let secure = if is_secure(head) == Some(true) { "; Secure" } else { "" };
    let cookie = format!("{}={token}; Path=/; HttpOnly; SameSite=Strict{secure}", cookie_name(head));
    let mut response = response::whole(StatusCode::SEE_OTHER, "text/plain; charset=utf-8", "");
    for (name, value) in [(LOCATION, location), (SET_COOKIE, cookie)] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
