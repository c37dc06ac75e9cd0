//! [`Identity`], whose permissions a request has, and [`Identities`].
//!
//! Each identity has a client, discovery and caches of its own, so that nobody sees by the gateway what the cluster would not
//! show him.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use http::Method;
use klient_client::{ApiResource, CachedDiscovery, Client, Credentials};
use klient_proxy::{ReverseProxy, ReverseProxyOptions};
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::digest::{Digest, sha256};
use crate::failure::{Code, Failure};
use crate::guard::User;
use crate::options::{Limits, Options};
use crate::overviews::Overviews;
use crate::pool::Pool;

/// The longest wait for the answer of the cluster about a token.
const PATIENCE: Duration = Duration::from_secs(10);

/// The number of tokens that are shown to the cluster for the first time, at a time.
const NEWCOMERS: usize = 16;

/// The shortest time between two discoveries for kinds that are not found.
const REDISCOVERY: Duration = Duration::from_secs(2);

/// The number of lists of a user that are not kept, at a time.
const LISTS: usize = 8;

/// A user of the cluster, with a client and caches.
pub(crate) struct Identity {
    pub(crate) client: Client,
    pub(crate) discovery: CachedDiscovery,
    pub(crate) pool: Pool,
    pub(crate) proxy: ReverseProxy,
    /// The overviews of what the user may see, which others may not.
    pub(crate) overviews: Overviews,
    /// The turns of lists that are not kept, which are limited for the cluster's sake.
    pub(crate) lists: Semaphore,
    /// The time after which the cluster is asked about its bearer token again, if that proves it.
    recheck: Option<Duration>,
    times: Mutex<Times>,
}

struct Times {
    used: Instant,
    verified: Instant,
    discovered: Option<Instant>,
}

/// The name of an identity; tokens are not kept.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum IdentityKey {
    Own,
    Token(Digest),
    User(String, Vec<String>),
}

/// The identities that have caches.
pub(crate) struct Identities {
    own: Client,
    limits: Limits,
    recheck: Duration,
    proxy: ReverseProxyOptions,
    known: Mutex<HashMap<IdentityKey, Arc<Identity>>>,
    /// The turns of identities that are not known yet, since anybody can send tokens.
    newcomers: Semaphore,
}

impl Identity {
    fn new(client: Client, has_token: bool, identities: &Identities) -> Self {
        let now = Instant::now();
        Identity {
            discovery: client.discovery().memory_cached(),
            pool: Pool::new(client.clone(), identities.limits.clone(), identities.recheck),
            proxy: ReverseProxy::new(client.clone(), identities.proxy.clone()),
            client,
            overviews: Overviews::new(),
            lists: Semaphore::new(LISTS),
            recheck: has_token.then_some(identities.recheck),
            times: Mutex::new(Times { used: now, verified: now, discovered: None }),
        }
    }

    fn times(&self) -> MutexGuard<'_, Times> {
        self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The resource with a group, a version and a plural. One that is not known is looked for once more.
    ///
    /// # Errors
    ///
    /// If the cluster does not serve it, or does not answer.
    pub(crate) async fn resource(
        &self,
        group: &str,
        version: &str,
        plural: &str,
    ) -> Result<ApiResource, Failure> {
        let is_it = |resource: &&ApiResource| {
            let info = &resource.info;
            info.group == group && info.version == version && info.plural == plural
        };
        let mut served = self.discovery.resources().await?;
        if let Some(found) = served.resources.iter().find(is_it) {
            return Ok(found.clone());
        }
        if self.may_discover() {
            self.discovery.invalidate().await;
            served = self.discovery.resources().await?;
            if let Some(found) = served.resources.iter().find(is_it) {
                return Ok(found.clone());
            }
        }
        let of_group = if group.is_empty() { "the core group".to_owned() } else { format!("group {group}") };
        let problem = format!("the cluster serves no {plural} of {of_group} in version {version}");
        let hint = hint(&served.resources, group, version, plural).unwrap_or_default();
        Err(Failure::new(Code::KindUnknown, problem + &hint))
    }

    /// Returns true, and begins another interval, if the last discovery for a missing kind is some time ago.
    fn may_discover(&self) -> bool {
        let mut times = self.times();
        let may = times.discovered.is_none_or(|last| last.elapsed() >= REDISCOVERY);
        if may {
            times.discovered = Some(Instant::now());
        }
        may
    }

    /// Forgets the kinds, since one was removed.
    pub(crate) async fn forget_kinds(&self) {
        self.discovery.invalidate().await;
    }

    /// Shows the token to the cluster.
    ///
    /// # Errors
    ///
    /// If the cluster does not accept it, or does not answer.
    async fn verify(&self) -> Result<(), Failure> {
        let review = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview" });
        let request = self.client.request(Method::POST).group_version("authentication.k8s.io", "v1");
        let request = request.resource("selfsubjectreviews").body("application/json", review.to_string());
        match request.timeout(PATIENCE).send().await {
            // The cluster knows the user, who may not ask, or it is one before 1.28, which has no such reviews.
            Err(error) if matches!(error.code(), Some(403 | 404)) => Ok(()),
            Err(error) if error.code() == Some(401) => {
                let problem = "the cluster does not accept the bearer token of the request";
                Err(Failure::new(Code::Unauthorized, format!("{problem}: {error}")))
            }
            Err(error) => Err(error.into()),
            Ok(_) => Ok(()),
        }
    }

    /// Returns true while a connection through the proxy, such as that of a shell, would end with the identity.
    fn has_connections(&self) -> bool {
        self.proxy.upgraded_connections() > 0
    }

    /// Returns true, and begins another interval, if the token is to be shown to the cluster again. Others who send it do not
    /// wait meanwhile.
    fn begin_to_verify(&self) -> bool {
        let Some(recheck) = self.recheck else { return false };
        let mut times = self.times();
        let is_due = times.verified.elapsed() >= recheck;
        if is_due {
            times.verified = Instant::now();
        }
        is_due
    }
}

/// The resource that a name may mean that no resource has: one of that singular, short name or kind, or of another version or
/// group.
fn hint(resources: &[ApiResource], group: &str, version: &str, name: &str) -> Option<String> {
    let is_named = |resource: &&ApiResource| {
        let names = [&*resource.info.plural, &*resource.info.kind, &*resource.singular];
        let mut names = names.into_iter().chain(resource.short_names.iter().map(String::as_str));
        names.any(|one| one.eq_ignore_ascii_case(name))
    };
    let found = resources.iter().filter(is_named);
    let found = found.min_by_key(|found| (found.info.group != group, found.info.version != version))?;
    let info = &found.info;
    let group = if info.group.is_empty() { "core" } else { &info.group };
    let place = format!("{} of {group}/{}", info.plural, info.version);
    Some(match info.plural == name {
        true => format!("; it serves {place}"),
        false => format!("; did you mean {place}? Resources are named by their plurals"),
    })
}

impl Identities {
    pub(crate) fn new(own: Client, options: &Options) -> Self {
        let limits = &options.limits;
        Identities {
            own,
            limits: limits.clone(),
            recheck: options.recheck,
            proxy: ReverseProxyOptions {
                max_header_bytes: limits.header_bytes,
                max_body_bytes: Some(limits.body_bytes),
                max_upgraded_connections: limits.streams,
                ..ReverseProxyOptions::default()
            },
            known: Mutex::default(),
            newcomers: Semaphore::new(NEWCOMERS),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IdentityKey, Arc<Identity>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The identity of a user. A bearer token is shown to the cluster first, and again at times.
    ///
    /// # Errors
    ///
    /// If the cluster does not accept the token.
    pub(crate) async fn of(&self, user: User) -> Result<Arc<Identity>, Failure> {
        let key = match &user {
            User::Own => IdentityKey::Own,
            User::Bearer(token) => IdentityKey::Token(sha256(token.as_bytes())),
            User::Impersonated(user) => IdentityKey::User(user.user.clone(), user.groups.clone()),
        };
        let known = || self.lock().get(&key).cloned();
        if let Some(identity) = known() {
            identity.times().used = Instant::now();
            if identity.begin_to_verify() {
                self.verify_again(&key, &identity).await?;
            }
            return Ok(identity);
        }
        let _turn = self.newcomers.acquire().await.expect("it is never closed");
        if let Some(identity) = known() {
            return Ok(identity);
        }
        let identity = Arc::new(Identity::new(self.client(&user)?, matches!(user, User::Bearer(_)), self));
        if identity.recheck.is_some() {
            identity.verify().await?;
        }
        let mut known = self.lock();
        if let Some(identity) = known.get(&key) {
            return Ok(identity.clone());
        }
        if known.len() >= self.limits.identities.max(1) {
            let oldest = known
                .iter()
                .filter(|(key, identity)| **key != IdentityKey::Own && !identity.has_connections());
            // Rather one that no request has.
            let oldest = oldest
                .min_by_key(|(_, identity)| (Arc::strong_count(identity) > 1, identity.times().used))
                .map(|(key, _)| key.clone());
            if let Some(identity) = oldest.and_then(|oldest| known.remove(&oldest)) {
                let problem = "the gateway has too many users: ask again";
                identity.pool.end(&Failure::new(Code::TooManyRequests, problem));
            }
        }
        known.insert(key, identity.clone());
        Ok(identity)
    }

    /// A client with the permissions of a user.
    fn client(&self, user: &User) -> Result<Client, Failure> {
        let mut config = self.own.config().clone();
        match user {
            User::Own => return Ok(self.own.clone()),
            User::Bearer(token) => {
                config.credentials = Credentials::token(token.as_str());
                // The certificate would be who the gateway is.
                config.tls.client = None;
                config.impersonate = None;
            }
            User::Impersonated(user) => config.impersonate = Some(user.clone()),
        }
        Ok(Client::new(config)?)
    }

    /// Shows a token to the cluster again. One that is not accepted any more loses its caches and streams; while the cluster is
    /// away, it keeps them.
    async fn verify_again(&self, key: &IdentityKey, identity: &Identity) -> Result<(), Failure> {
        match identity.verify().await {
            Err(failure) if failure.code == Code::Unauthorized => {
                self.lock().remove(key);
                identity.pool.end(&failure);
                Err(failure)
            }
            _ => Ok(()),
        }
    }

    /// Stops the informers and forgets the identities that were unused for some time, and asks about the tokens of those that
    /// have streams.
    pub(crate) async fn tidy(&self, idle: Duration) {
        let known: Vec<_> =
            self.lock().iter().map(|(key, identity)| (key.clone(), identity.clone())).collect();
        let mut asked = Vec::new();
        for (key, identity) in known {
            let informers = identity.pool.stop_unused(idle);
            if key == IdentityKey::Own {
                continue;
            }
            let unused = identity.times().used.elapsed();
            if informers == 0 && unused >= idle && !identity.has_connections() {
                self.forget(&key, &identity);
            } else if identity.begin_to_verify() {
                asked.push((key, identity));
            }
        }
        // A token that is not accepted ends its streams, which is all that follows.
        join_all(asked.iter().map(|(key, identity)| self.verify_again(key, identity))).await;
    }

    /// Forgets an identity, unless a request has it, whose connection would end with it.
    fn forget(&self, key: &IdentityKey, identity: &Arc<Identity>) {
        let mut known = self.lock();
        // The map has it, and the caller.
        if Arc::strong_count(identity) == 2 {
            known.remove(key);
        }
    }

    /// The numbers of identities, informers and objects.
    pub(crate) fn size(&self) -> [usize; 3] {
        let known = self.lock();
        let sizes = known.values().map(|identity| identity.pool.size());
        let (informers, objects) = sizes.fold((0, 0), |sum, size| (sum.0 + size.0, sum.1 + size.1));
        [known.len(), informers, objects]
    }

    /// The client of the gateway itself.
    pub(crate) fn own(&self) -> &Client {
        &self.own
    }
}
