//! [`Clusters`], which a request chooses from by the name of a context.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::HeaderMap;
use http::request::Parts;
use http::uri::{PathAndQuery, Uri};
use klient_client::{Client, Config};

use crate::failure::{Code, Failure};
use crate::guard::{Path, shown};
use crate::identity::Identities;
use crate::options::{CONTEXT_HEADER, CONTEXT_PARAMETER, Options};
use crate::query::Query;

/// The clusters of a gateway: its own, and those of the other contexts.
pub(crate) struct Clusters {
    own: Arc<Cluster>,
    others: Vec<Arc<Cluster>>,
}

/// A cluster with the users who have caches of it.
pub(crate) struct Cluster {
    /// The name of its context.
    pub(crate) name: String,
    pub(crate) config: Config,
    options: Options,
    /// Made when it is first chosen: a kubeconfig may have many contexts.
    identities: OnceLock<Identities>,
}

impl Clusters {
    pub(crate) fn new(client: Client, options: &Options) -> Self {
        let config = client.config().clone();
        let name = options.context.clone().unwrap_or_else(|| server(&config).to_owned());
        let own = Cluster { name, config, options: options.clone(), identities: OnceLock::new() };
        own.identities.get_or_init(|| Identities::new(client, options));
        let others = options.contexts.iter().filter(|context| context.name != own.name).map(|context| {
            Arc::new(Cluster {
                name: context.name.clone(),
                config: context.config.clone(),
                options: options.clone(),
                identities: OnceLock::new(),
            })
        });
        Clusters { others: others.collect(), own: Arc::new(own) }
    }

    /// The cluster of requests that choose none.
    pub(crate) fn own(&self) -> &Arc<Cluster> {
        &self.own
    }

    /// The clusters, the gateway's own first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Cluster>> {
        std::iter::once(&self.own).chain(&self.others)
    }

    /// The cluster that a request chooses, by its path, by the header, or else by the parameter, which is looked at only if it is
    /// the gateway's: that of the page is the page's, and behind the proxy of a pod or service it is theirs.
    ///
    /// # Errors
    ///
    /// If there is no context of the name, or the path and the header name two.
    pub(crate) fn choose(&self, head: &Parts, path: &Path) -> Result<&Arc<Cluster>, Failure> {
        let query = Query::parse(head.uri.query());
        let in_header = head.headers.get(CONTEXT_HEADER).map(|name| name.to_str().unwrap_or_default());
        if let (Some(one), Some(other)) = (path.context(), in_header)
            && one != other
        {
            return Err(Failure::new(
                Code::BadRequest,
                "the path and the header of the request name two contexts",
            ));
        }
        let in_query = query.get(CONTEXT_PARAMETER).filter(|_| path.has_own_query());
        let Some(name) = path.context().or(in_header).or(in_query) else {
            return Ok(&self.own);
        };
        self.all().find(|cluster| cluster.name == name).ok_or_else(|| {
            let problem = format!("there is no context {} here: see /v1/contexts", shown(name));
            Failure::new(Code::ContextUnknown, problem)
        })
    }

    /// Stops what was unused for some time, see [`Identities::tidy`].
    pub(crate) async fn tidy(&self, idle: Duration) {
        for cluster in self.all() {
            if let Some(identities) = cluster.identities.get() {
                identities.tidy(idle).await;
            }
        }
    }

    /// The numbers of identities, informers and objects.
    pub(crate) fn size(&self) -> [usize; 3] {
        let sizes = self.all().filter_map(|cluster| cluster.identities.get()).map(Identities::size);
        sizes.fold([0; 3], |sum, size| [sum[0] + size[0], sum[1] + size[1], sum[2] + size[2]])
    }
}

impl Cluster {
    /// The users of the cluster.
    ///
    /// # Errors
    ///
    /// If its configuration cannot be used, such as one whose certificates cannot be read.
    pub(crate) fn identities(&self) -> Result<&Identities, Failure> {
        if let Some(identities) = self.identities.get() {
            return Ok(identities);
        }
        let client = Client::new(self.config.clone()).map_err(|error| {
            let problem = format!("the context {} cannot be used: {error}", shown(&self.name));
            Failure::new(Code::ContextUnusable, problem)
        })?;
        Ok(self.identities.get_or_init(|| Identities::new(client, &self.options)))
    }

    /// The host and port of the server.
    pub(crate) fn server(&self) -> &str {
        server(&self.config)
    }
}

fn server(config: &Config) -> &str {
    let authority = config.url.authority().map(http::uri::Authority::as_str).unwrap_or_default();
    // Without a user and a password.
    authority.rsplit('@').next().unwrap_or_default()
}

/// Takes the choice of a context away from a request that is passed on.
pub(crate) fn strip(uri: &mut Uri, headers: &mut HeaderMap, path: &Path) {
    headers.remove(CONTEXT_HEADER);
    let is_choice =
        |part: &str| path.has_own_query() && Query::parse(Some(part)).get(CONTEXT_PARAMETER).is_some();
    let query = uri.query().unwrap_or_default();
    if path.context().is_none() && !query.split('&').any(is_choice) {
        return;
    }
    let rest = uri.path().strip_prefix(path.context_prefix()).unwrap_or(uri.path());
    let query = query.split('&').filter(|part| !is_choice(part)).collect::<Vec<_>>().join("&");
    let question = if query.is_empty() { "" } else { "?" };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = PathAndQuery::try_from(format!("{rest}{question}{query}")).ok();
    if let Ok(stripped) = Uri::from_parts(parts) {
        *uri = stripped;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_choice_is_not_passed_on() {
        for (uri, expected) in [
            ("/api/v1/pods", "/api/v1/pods"),
            ("/api/v1/pods?watch=1&a=%2F", "/api/v1/pods?watch=1&a=%2F"),
            ("/api/v1/pods?context=prod", "/api/v1/pods"),
            ("/api/v1/pods?watch=1&cont%65xt=prod&a=%2F", "/api/v1/pods?watch=1&a=%2F"),
            ("/context/prod/api/v1/pods?watch=1&context=prod", "/api/v1/pods?watch=1"),
            // Behind the proxy of a pod it is the pod's.
            (
                "/api/v1/namespaces/a/pods/b/proxy/?context=its",
                "/api/v1/namespaces/a/pods/b/proxy/?context=its",
            ),
            (
                "/context/a%252Fb/api/v1/namespaces/a/pods/b/proxy/x%20y?context=its&&",
                "/api/v1/namespaces/a/pods/b/proxy/x%20y?context=its&&",
            ),
        ] {
            let (mut stripped, mut headers): (Uri, _) = (uri.parse().unwrap(), HeaderMap::new());
            headers.insert(CONTEXT_HEADER, "prod".parse().unwrap());
            let path = Path::parse(stripped.path()).unwrap();
            strip(&mut stripped, &mut headers, &path);
            assert_eq!((stripped.to_string().as_str(), headers.len()), (expected, 0), "{uri}");
        }
    }
}
