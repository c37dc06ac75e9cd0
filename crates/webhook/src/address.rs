//! [`WebhookAddress`], the address at which the API server calls webhooks.

use klient_api::{admissionregistration, apiextensions};
use klient_apimachinery::{ByteString, Str};

use crate::webhooks::CONVERT;

/// The address at which the API server calls webhooks, and the authorities whose certificates it accepts there.
///
/// ```
/// use klient_webhook::WebhookAddress;
/// let address = WebhookAddress::service("shop", "webhook");
/// assert_eq!(address.hosts(), ["webhook.shop.svc", "webhook.shop.svc.cluster.local", "webhook.shop"]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookAddress {
    place: Place,
    path: String,
    ca_bundle: Option<ByteString>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Url(String),
    Service { namespace: Str, name: Str, port: Option<i32> },
}

/// The address of a webhook: that of a conversion and that of admission have types of their own, with the same fields.
macro_rules! client_config {
    ($group:ident, $address:ident, $path:expr) => {{
        let path = $path;
        let (url, service) = match &$address.place {
            Place::Url(url) => (Some(format!("{url}{path}").into()), None),
            Place::Service { namespace, name, port } => {
                let service = $group::v1::ServiceReference {
                    namespace: namespace.clone(),
                    name: name.clone(),
                    path: Some(path.into()),
                    port: *port,
                    ..Default::default()
                };
                (None, Some(Box::new(service)))
            }
        };
        let ca_bundle = $address.ca_bundle.clone();
        $group::v1::WebhookClientConfig { url, service, ca_bundle, ..Default::default() }
    }};
}

impl WebhookAddress {
    /// A URL such as `https://10.0.0.1:9443`, without user and query. The API server reaches it by its own network.
    pub fn url(url: impl Into<String>) -> Self {
        let url: String = url.into();
        Self::of(Place::Url(url.trim_end_matches('/').to_owned()))
    }

    /// A service of the cluster, at port 443. Certificates have the name `NAME.NAMESPACE.svc`.
    pub fn service(namespace: impl Into<Str>, name: impl Into<Str>) -> Self {
        Self::of(Place::Service { namespace: namespace.into(), name: name.into(), port: None })
    }

    fn of(place: Place) -> Self {
        WebhookAddress { place, path: String::new(), ca_bundle: None }
    }

    /// Replaces the port of a service.
    pub fn port(mut self, number: u16) -> Self {
        if let Place::Service { port, .. } = &mut self.place {
            *port = Some(number.into());
        }
        self
    }

    /// Sets the path in front of those of the webhooks, such as that of `nest_service` of a router.
    pub fn path_prefix(mut self, path: impl Into<String>) -> Self {
        let path: String = path.into();
        self.path = path.trim_end_matches('/').to_owned();
        self
    }

    /// Sets the `caBundle`: the certificates in PEM, of which those of servers are to be signed by one. Without it the server
    /// keeps that of the present configuration, or trusts the authorities of its machine.
    pub fn ca_bundle(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.ca_bundle = Some(ByteString::from(pem));
        self
    }

    /// The names that the certificate of a service is to have; of a URL its host.
    pub fn hosts(&self) -> Vec<String> {
        match &self.place {
            Place::Service { namespace, name, .. } => {
                let name = format!("{name}.{namespace}");
                vec![format!("{name}.svc"), format!("{name}.svc.cluster.local"), name]
            }
            Place::Url(url) => {
                let host = url.parse::<http::Uri>().ok().and_then(|url| {
                    Some(url.host()?.trim_start_matches('[').trim_end_matches(']').to_owned())
                });
                host.into_iter().collect()
            }
        }
    }

    /// The address of the conversions, for `Definition::conversion_webhook`.
    pub fn conversion(&self) -> apiextensions::v1::WebhookClientConfig {
        client_config!(apiextensions, self, self.path_of(CONVERT))
    }

    /// The address of a webhook for writes.
    pub(crate) fn admission(&self, path: &str) -> admissionregistration::v1::WebhookClientConfig {
        client_config!(admissionregistration, self, self.path_of(path))
    }

    /// The path of a webhook behind the prefix.
    fn path_of(&self, path: &str) -> String {
        format!("{}{path}", self.path)
    }
}
