//! [`Caller`], who sends a request, and the checks that find it.

use std::sync::Arc;

use http::request::Parts;
use klient_proxy::PeerAddress;

use crate::clusters::Cluster;
use crate::digest;
use crate::failure::Failure;
use crate::guard::{Admitted, Path, User};
use crate::identity::Identity;
use crate::response::Response;
use crate::state::State;

/// The sender of a request that was admitted, as an extension of the request.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) identity: Arc<Identity>,
    /// The name under which its streams are counted.
    pub(crate) client: String,
    pub(crate) path: Path,
}

/// The result of the checks of a request.
pub(crate) enum Admission {
    Caller(Caller),
    /// A request that needs no user: a probe, or what a browser needs to sign in.
    Open,
    /// The response to an address with the token.
    SignedIn(Response),
}

impl State {
    /// Checks a request, before its path is looked at.
    ///
    /// # Errors
    ///
    /// If it has a form that is refused, or is from another site or for another host, or its user is not known.
    pub(crate) async fn admit(&self, head: &Parts) -> Result<Admission, Failure> {
        self.guard.check_form(head)?;
        let path = Path::parse(head.uri.path())?;
        // It names the host by an address.
        if path.is_probe() {
            return Ok(Admission::Open);
        }
        self.guard.check_origin(head)?;
        if self.guard.is_form(head) || self.assets.is_open(&path.parts()) {
            return Ok(Admission::Open);
        }
        let user = match self.guard.admit(head, &path)? {
            Admitted::User(user) => user,
            Admitted::SignedIn(response) => return Ok(Admission::SignedIn(response)),
        };
        let client = match &user {
            User::Own => {
                head.extensions.get::<PeerAddress>().map(|peer| peer.0.to_string()).unwrap_or_default()
            }
            User::Bearer(token) => digest::short(token.as_bytes()),
            User::Impersonated(user) => user.user.clone(),
        };
        // The page opens for any context, and tells that there is none of the name.
        let cluster = match path.parts().is_empty() {
            true => self.clusters.own().clone(),
            false => self.clusters.choose(head, &path)?.clone(),
        };
        let identity = cluster.identities()?.of(user).await?;
        Ok(Admission::Caller(Caller { cluster, identity, client, path }))
    }
}
