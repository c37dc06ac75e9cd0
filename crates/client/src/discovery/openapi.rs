//! [`OpenApiV3`], the OpenAPI v3 documents of a server, one for each group-version.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::Method;
use serde::Deserialize;

use super::{Discovery, JSON};
use crate::error::Error;
use crate::rest::Request;

/// A client for the OpenAPI v3 documents of a server. Clones share what they have read.
///
/// The server names each document with a hash of its content. A document is read again only if its hash has changed, so
/// that a new CustomResourceDefinition costs one document.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use klient_client::{Client, Config};
/// # let server = klient_apiserver::TestServer::start().await?;
/// # let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
/// let openapi = client.discovery().openapi_v3();
/// let paths = openapi.paths().await?;
/// let apps: serde_json::Value = serde_json::from_slice(&paths["apis/apps/v1"].schema("application/json").await?)?;
/// assert_eq!(apps["openapi"], "3.0.0");
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct OpenApiV3 {
    discovery: Discovery,
    documents: Arc<Mutex<Documents>>,
}

/// By path and media type: the URL with the hash, and the document.
type Documents = HashMap<(String, String), (String, Bytes)>;

/// The OpenAPI v3 document of a group-version, which has not been read yet.
#[derive(Clone)]
pub struct OpenApiV3GroupVersion {
    client: OpenApiV3,
    path: String,
    url: String,
}

/// The document at `/openapi/v3`.
#[derive(Deserialize)]
struct Index {
    paths: BTreeMap<String, Place>,
}

#[derive(Deserialize)]
struct Place {
    #[serde(rename = "serverRelativeURL")]
    server_relative_url: String,
}

impl OpenApiV3 {
    pub(super) fn new(discovery: Discovery) -> Self {
        OpenApiV3 { discovery, documents: Arc::default() }
    }

    /// The documents by path, such as `api/v1` and `apis/apps/v1`, with their current hashes.
    ///
    /// # Errors
    ///
    /// [`is_not_found`](Error::is_not_found) if the server publishes none.
    pub async fn paths(&self) -> Result<BTreeMap<String, OpenApiV3GroupVersion>, Error> {
        let index: Index = self.discovery.get("/openapi/v3", JSON).await?;
        let paths = index.paths.into_iter().map(|(path, place)| {
            let url = place.server_relative_url;
            (path.clone(), OpenApiV3GroupVersion { client: self.clone(), path, url })
        });
        Ok(paths.collect())
    }
}

impl OpenApiV3GroupVersion {
    /// The path and query of the document, with its hash: another value means another document.
    pub fn server_relative_url(&self) -> &str {
        &self.url
    }

    /// The document in a media type, such as `application/json`.
    ///
    /// # Errors
    ///
    /// [`is_not_acceptable`](Error::is_not_acceptable) if the server does not have it in that media type.
    pub async fn schema(&self, media_type: &str) -> Result<Bytes, Error> {
        let key = (self.path.clone(), media_type.to_owned());
        let kept = self.client.documents.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some((_, document)) = kept.filter(|(url, _)| *url == self.url) {
            return Ok(document);
        }
        let connection = &self.client.discovery.connection;
        // Every request has the path of the configuration's URL before its own.
        let prefix = connection.config().url.path().trim_end_matches('/');
        let uri = self.url.strip_prefix(prefix).unwrap_or(&self.url);
        let request = Request::new(connection.clone(), Method::GET).request_uri(uri).accept(media_type);
        let document = self.client.discovery.fetch(request).await?.bytes().clone();
        if self.url.contains("hash=") {
            let mut documents = self.client.documents.lock().unwrap_or_else(PoisonError::into_inner);
            documents.insert(key, (self.url.clone(), document.clone()));
        }
        Ok(document)
    }
}

impl fmt::Debug for OpenApiV3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OpenApiV3").field(&self.discovery.connection).finish()
    }
}

impl fmt::Debug for OpenApiV3GroupVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OpenApiV3GroupVersion").field(&self.url).finish()
    }
}
