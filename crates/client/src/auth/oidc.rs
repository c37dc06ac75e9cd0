//! [`Oidc`], the auth provider `oidc` of kubeconfigs: ID tokens of OpenID Connect, which a refresh token renews.
//!
//! - An ID token is used until ten seconds before it expires.
//! - A renewal goes on when the request that began it is dropped: a refresh token may be valid once only.
//! - New tokens are written back to the kubeconfig. If that fails, they are used by this program.
//! - Configurations of the same user of the same cluster share their tokens.

mod id_token;
mod issuer;
mod settings;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::HeaderValue;
use klient_apimachinery::BoxFuture;
use tokio::time::Instant;

use issuer::Issuer;
use settings::Tokens;
pub(crate) use settings::{Persist, Settings};

use super::AuthProvider;
use super::header::authorization;
use crate::error::step_timeout::StepTimeout;
use crate::error::{Error, Problem};
use crate::transport::BoxError;

/// The time for a renewal.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The age from which on a token is renewed that the server refused.
const REFUSED_AGE: Duration = Duration::from_secs(60);

/// The providers of the whole program.
static PROVIDERS: Mutex<Vec<Arc<Shared>>> = Mutex::new(Vec::new());

/// A user of an issuer.
pub(super) struct Oidc(Arc<Shared>);

/// State that the configurations of one user share.
struct Shared {
    /// `oidc provider URL of user "NAME"`.
    name: String,
    issuer: Issuer,
    settings: Settings,
    state: Mutex<State>,
    /// Held while the tokens are renewed.
    renewal: tokio::sync::Mutex<()>,
}

struct State {
    tokens: Tokens,
    renewed: Option<Instant>,
}

impl Oidc {
    /// The provider of a user.
    ///
    /// # Errors
    ///
    /// If the certificates of the issuer's authority cannot be used.
    pub(super) fn new(settings: Settings) -> Result<Self, Error> {
        let mut all = PROVIDERS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shared) = all.iter().find(|shared| shared.settings.is_same_user(&settings)) {
            shared.adopt(settings.tokens);
            return Ok(Oidc(shared.clone()));
        }
        let shared = Arc::new(Shared {
            name: settings.name(),
            issuer: Issuer::new(&settings)?,
            state: Mutex::new(State { tokens: settings.tokens.clone(), renewed: None }),
            renewal: tokio::sync::Mutex::default(),
            settings,
        });
        all.push(shared.clone());
        Ok(Oidc(shared))
    }

    /// The header of the ID token, or that of one that takes the place of a token which is not used any more.
    async fn header(&self, instead_of: Option<String>) -> Result<Option<HeaderValue>, BoxError> {
        if let Some(token) = self.0.usable(instead_of.as_deref()) {
            return bearer(&token);
        }
        let shared = self.0.clone();
        // The new refresh token must not be lost with the request.
        let renewal = tokio::spawn(async move { shared.renew(instead_of.as_deref()).await });
        bearer(&renewal.await??)
    }
}

impl Shared {
    /// Takes the tokens of a kubeconfig that was read again, if they are newer.
    fn adopt(&self, tokens: Tokens) {
        let mut state = self.lock();
        let expiry = |tokens: &Tokens| id_token::expiry(&tokens.id_token).unwrap_or_default();
        if tokens != state.tokens && expiry(&tokens) > expiry(&state.tokens) {
            *state = State { tokens, renewed: None };
        }
    }

    /// The ID token, if it is valid and other than one that is not used any more.
    fn usable(&self, instead_of: Option<&str>) -> Option<String> {
        let state = self.lock();
        let token = &state.tokens.id_token;
        (instead_of != Some(token.as_str()) && id_token::is_valid(token)).then(|| token.clone())
    }

    /// Exchanges the refresh token for an ID token.
    async fn renew(&self, instead_of: Option<&str>) -> Result<String, BoxError> {
        let _renewal = self.renewal.lock().await;
        if let Some(token) = self.usable(instead_of) {
            return Ok(token);
        }
        let refresh_token = self.lock().tokens.refresh_token.clone();
        if refresh_token.is_empty() {
            let problem = "No valid id-token, and cannot refresh without refresh-token: sign in again with the tool \
                           that wrote the kubeconfig";
            return Err(Problem(problem.to_owned()).into());
        }
        let granted = tokio::time::timeout(TIMEOUT, self.issuer.refresh(&refresh_token)).await;
        let tokens = granted.map_err(|_| StepTimeout { step: "ID token", limit: TIMEOUT })??;
        if !id_token::is_valid(&tokens.id_token) {
            tracing::warn!(
                "the ID token of {} has expired already: check the clock of this machine",
                self.name
            );
        }
        *self.lock() = State { tokens: tokens.clone(), renewed: Some(Instant::now()) };
        let id_token = tokens.id_token.clone();
        if let Some(persist) = self.settings.persist.clone() {
            // Writing blocks.
            let persisted = tokio::task::spawn_blocking(move || persist(&tokens)).await;
            if let Err(error) = persisted.map_err(BoxError::from).and_then(|persisted| persisted) {
                tracing::warn!(error, "the new tokens of {} are not written to the kubeconfig", self.name);
            }
        }
        Ok(id_token)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AuthProvider for Oidc {
    fn name(&self) -> &str {
        &self.0.name
    }

    fn authorization(&self) -> BoxFuture<'_, Result<Option<HeaderValue>, BoxError>> {
        Box::pin(self.header(None))
    }

    fn refresh(&self) -> BoxFuture<'_, Result<Option<HeaderValue>, BoxError>> {
        let refused = {
            let state = self.0.lock();
            let is_new = state.renewed.is_some_and(|renewed| renewed.elapsed() < REFUSED_AGE);
            let can_renew = !is_new && !state.tokens.refresh_token.is_empty();
            can_renew.then(|| state.tokens.id_token.clone())
        };
        Box::pin(self.header(refused))
    }
}

fn bearer(token: &str) -> Result<Option<HeaderValue>, BoxError> {
    let invalid = || Problem("the ID token has characters that no header can hold".to_owned());
    Ok(Some(authorization("Bearer", token).ok_or_else(invalid)?))
}
