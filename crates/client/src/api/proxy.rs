//! [`Api::proxy_get`], a request to a pod, service or node through the API server.

use http::Method;
use klient_apimachinery::codec::Wire;
use klient_apimachinery::go::quoted;
use klient_apimachinery::validation::path_segment;
use klient_apimachinery::{Addressable, BoxFuture, Object, Place, verbs};

use super::Api;
use crate::error::Error;
use crate::rest::{ByteStream, Request};

/// The part of a pod, service or node that a request is sent to through the API server.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProxyOptions {
    /// `http` or `https`. The API server's default is `http`, and `https` for nodes.
    pub scheme: Option<String>,
    /// The number of a port; for services also its name. The default is the first port, and that of the kubelet for
    /// nodes.
    pub port: Option<String>,
    /// The parameters of the query.
    pub parameters: Vec<(String, String)>,
}

impl<K: Wire + Object, P: Place> Api<K, P> {
    /// Sends a GET to a pod, service or node through the API server, and gives the body of the response as it comes.
    ///
    /// ```no_run
    /// # async fn f(client: klient_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use klient_api::core::v1::Service;
    /// use klient_client::ProxyOptions;
    ///
    /// let services = client.api::<Service>().namespace("shop");
    /// let options = ProxyOptions { port: Some("metrics".to_owned()), ..Default::default() };
    /// let mut metrics = services.proxy_get("web", "metrics", &options).await?;
    /// while let Some(line) = metrics.line().await? {
    ///     println!("{}", String::from_utf8_lossy(&line));
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`is_not_found`](Error::is_not_found) if there is no such object; the status of a response that is not a success,
    /// whether it comes from the API server or from behind it.
    pub fn proxy_get(
        &self,
        name: &str,
        path: &str,
        options: &ProxyOptions,
    ) -> BoxFuture<'static, Result<ByteStream, Error>>
    where
        K: verbs::Proxy,
        P: Addressable,
    {
        let request = self.proxied(name, path, options);
        Box::pin(async move { request?.stream().await })
    }

    fn proxied(&self, name: &str, path: &str, options: &ProxyOptions) -> Result<Request, Error> {
        let namespace = Place::namespace(&self.place);
        self.endpoint.check_place("proxy", namespace)?;
        let info = &self.endpoint.info;
        let problems = path_segment(name);
        if name.is_empty() || !problems.is_empty() {
            let problem = format!("invalid resource name {}: {}", quoted(name), problems.join("; "));
            return Err(Error::request(format!("proxy {}", info.group_resource()), problem));
        }
        let root = if info.group.is_empty() { "/api" } else { "/apis/" };
        let version = &info.version;
        let within =
            namespace.filter(|_| info.namespaced).map(|namespace| format!("namespaces/{namespace}/"));
        let (group, within, plural) = (&info.group, within.unwrap_or_default(), &info.plural);
        let (target, path) = (options.target(name), path.trim_start_matches('/'));
        let path = format!("{root}{group}/{version}/{within}{plural}/{target}/proxy/{path}");
        let request = self.request(Method::GET).absolute_path(&path).accept("*/*");
        let parameters = options.parameters.iter();
        Ok(parameters.fold(request, |request, (key, value)| request.query(key, value.as_str())))
    }
}

impl ProxyOptions {
    /// `SCHEME:NAME:PORT`, as the API server reads it.
    fn target(&self, name: &str) -> String {
        let port = self.port.as_deref().unwrap_or_default();
        match self.scheme.as_deref().unwrap_or_default() {
            "" if port.is_empty() => name.to_owned(),
            "" => format!("{name}:{port}"),
            scheme => format!("{scheme}:{name}:{port}"),
        }
    }
}
