//! [`Authenticator`], which finds the users of requests and tokens.

use std::sync::Arc;

use http::HeaderMap;
use http::header::AUTHORIZATION;

use super::service_account::{AUDIENCE, ServiceAccountTokens};
use super::{SigningKey, Tokens, User};
use crate::registry::Registry;
use crate::status::{Failure, Result};
use crate::storage::Storage;

/// Authenticates requests and tokens.
pub(crate) struct Authenticator<'a> {
    pub(crate) tokens: &'a Tokens,
    /// The key of service account tokens.
    pub(crate) key: &'a SigningKey,
    pub(crate) store: &'a dyn Storage,
    pub(crate) registry: &'a Registry,
}

/// The user of a token, for some of the audiences that it was presented to.
pub(crate) struct Authenticated {
    pub(crate) user: Arc<User>,
    /// Those of the audiences that the token is for.
    pub(crate) audiences: Vec<String>,
}

impl Authenticator<'_> {
    /// Authenticates a request by its client certificate, then by its bearer token. Requests without either are
    /// anonymous.
    ///
    /// # Errors
    ///
    /// 401 if the token is not valid.
    pub(crate) fn request(&self, headers: &HeaderMap, certificate: Option<&Arc<User>>) -> Result<Arc<User>> {
        if let Some(user) = certificate {
            return Ok(user.clone());
        }
        let token = headers.get(AUTHORIZATION).and_then(|value| {
            let (scheme, token) = value.to_str().ok()?.trim().split_once(' ')?;
            // As upstream, which splits at every blank: the token is the second part, and further ones are ignored.
            let token = token.split(' ').next().filter(|token| !token.is_empty());
            token.filter(|_| scheme.eq_ignore_ascii_case("bearer"))
        });
        let Some(token) = token else { return Ok(Arc::new(User::anonymous())) };
        match self.token(token, &[AUDIENCE.to_owned()]) {
            Ok(authenticated) => Ok(authenticated.user),
            Err(problem) => {
                tracing::debug!(problem, "a token is not valid");
                Err(Failure::unauthorized())
            }
        }
    }

    /// Authenticates a bearer token that was presented to some audiences.
    ///
    /// # Errors
    ///
    /// Upstream's message, if the token is not valid.
    pub(crate) fn token(
        &self,
        token: &str,
        audiences: &[String],
    ) -> std::result::Result<Authenticated, String> {
        // Tokens of a file name no audience: they are for that of the server.
        if audiences.iter().any(|audience| audience == AUDIENCE)
            && let Some(user) = self.tokens.find(token)
        {
            return Ok(Authenticated { user, audiences: vec![AUDIENCE.to_owned()] });
        }
        let accounts = ServiceAccountTokens { key: self.key, store: self.store, registry: self.registry };
        match accounts.authenticate(token, audiences) {
            None => Err("invalid bearer token".to_owned()),
            Some(Ok((user, audiences))) => Ok(Authenticated { user: Arc::new(user), audiences }),
            // Upstream also reports the authenticator of protocols that could not use the token.
            Some(Err(problem)) => Err(format!("[invalid bearer token, {problem}]")),
        }
    }
}
