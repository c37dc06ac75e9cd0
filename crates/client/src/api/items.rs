//! [`Items`], the objects of a list as they arrive.

use std::fmt;

use klient_apimachinery::codec::{ListReader, ManagedFields, Wire};
use klient_apimachinery::meta::v1::ListMeta;

use crate::error::Error;
use crate::rest::{ByteStream, Request, failure_in};

/// The objects of a list, one by one as they arrive, so that no more than one is held. Dropping it ends the request.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use klient_api::core::v1::Namespace;
/// use klient_client::{Client, Config, ListOptions};
///
/// let server = klient_apiserver::TestServer::start().await?;
/// let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
/// let mut namespaces = client.api::<Namespace>().items(&ListOptions::default()).await?;
/// let mut count = 0;
/// while let Some(namespace) = namespaces.next().await? {
///     assert!(namespace.metadata.name.is_some());
///     count += 1;
/// }
/// assert_eq!(count, 4);
/// assert!(namespaces.metadata().resource_version.is_some());
/// # Ok(()) }
/// ```
pub struct Items<K> {
    stream: ByteStream,
    reader: Option<ListReader<'static, K>>,
    metadata: ListMeta,
    /// Nothing has arrived yet.
    is_first: bool,
    /// All has arrived.
    has_ended: bool,
}

impl<K: Wire> Items<K> {
    pub(super) async fn start(request: Request, managed_fields: ManagedFields) -> Result<Self, Error> {
        let stream = request.whole().stream_of::<K>().await?;
        let reader = Some(ListReader::new(stream.format(), managed_fields));
        Ok(Items { stream, reader, metadata: ListMeta::default(), is_first: true, has_ended: false })
    }

    /// The next object; `None` at the end.
    ///
    /// # Errors
    ///
    /// If the connection breaks, or the response is no list of this type. If one object cannot be decoded,
    /// [`undecodable_object`](Error::undecodable_object) names it, and the next call continues after it.
    pub async fn next(&mut self) -> Result<Option<K>, Error> {
        while let Some(reader) = &mut self.reader {
            let unreadable = |error| Error::decode(self.stream.call().to_string(), error);
            if let Some(item) = reader.next_item().map_err(unreadable)? {
                return Ok(Some(item));
            }
            if self.has_ended {
                let finished = self.reader.take().map(ListReader::finish).transpose();
                self.metadata = finished.map_err(unreadable)?.unwrap_or_default();
                break;
            }
            let Some(chunk) = self.stream.chunk().await? else {
                reader.end();
                self.has_ended = true;
                continue;
            };
            if std::mem::take(&mut self.is_first)
                && let Some(status) = failure_in(self.stream.format(), &chunk)
            {
                return Err(Error::status(self.stream.call().to_string(), status, None));
            }
            reader.push(&chunk);
        }
        Ok(None)
    }

    /// Appends the next object and those that have arrived with it; false at the end.
    pub(super) async fn next_batch(&mut self, out: &mut Vec<K>) -> Result<bool, Error> {
        let Some(first) = self.next().await? else { return Ok(false) };
        out.push(first);
        while let Some(reader) = &mut self.reader {
            let unreadable = |error| Error::decode(self.stream.call().to_string(), error);
            match reader.next_item().map_err(unreadable)? {
                Some(item) => out.push(item),
                None => break,
            }
        }
        Ok(true)
    }

    /// The list's metadata: its resourceVersion, and the token for the next page. It is empty until the
    /// last object has been taken.
    pub fn metadata(&self) -> &ListMeta {
        &self.metadata
    }

    pub(super) fn into_metadata(self) -> ListMeta {
        self.metadata
    }
}

impl<K> fmt::Debug for Items<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Items").field(&format_args!("{}", self.stream.call())).finish()
    }
}
