//! [`Items`], the objects of a list as they arrive.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use klient_apimachinery::codec::{ListReader, ManagedFields, Wire};
use klient_apimachinery::meta::v1::ListMeta;
use tokio::time::Instant;

use crate::error::{Error, ErrorKind, Problem};
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
    ready: VecDeque<K>,
    metadata: ListMeta,
    /// Nothing has arrived yet.
    is_first: bool,
    /// When the whole list must have arrived, and how long that is.
    deadline: Option<(Instant, Duration)>,
}

impl<K: Wire> Items<K> {
    pub(super) async fn start(
        request: Request,
        managed_fields: ManagedFields,
        limit: Option<Duration>,
    ) -> Result<Self, Error> {
        let deadline = limit.map(|limit| (Instant::now() + limit, limit));
        let what = request.clone();
        let starting = request.stream_of::<K>();
        let stream = match deadline {
            None => starting.await?,
            Some((at, limit)) => match tokio::time::timeout_at(at, starting).await {
                Ok(stream) => stream?,
                Err(_) => return Err(too_late(format!("{what:?}"), limit)),
            },
        };
        let reader = Some(ListReader::new(stream.format(), managed_fields));
        Ok(Items {
            stream,
            reader,
            ready: VecDeque::new(),
            metadata: ListMeta::default(),
            is_first: true,
            deadline,
        })
    }

    /// The next object; `None` at the end.
    ///
    /// # Errors
    ///
    /// If the connection breaks, or what arrives is no list of this type.
    pub async fn next(&mut self) -> Result<Option<K>, Error> {
        while let Some(reader) = &mut self.reader {
            let what = || self.stream.what.clone();
            if let Some(item) = reader.next_item().map_err(|error| Error::decode(what(), error))? {
                return Ok(Some(item));
            }
            let reading = self.stream.chunk();
            let chunk = match self.deadline {
                None => reading.await,
                Some((at, limit)) => match tokio::time::timeout_at(at, reading).await {
                    Ok(chunk) => chunk,
                    Err(_) => Err(too_late(self.stream.what.clone(), limit)),
                },
            }?;
            match chunk {
                Some(chunk) => {
                    if std::mem::take(&mut self.is_first)
                        && let Some(status) = failure_in(self.stream.format(), &chunk)
                    {
                        return Err(Error::status(self.stream.what.clone(), status, None));
                    }
                    reader.push(&chunk);
                }
                None => {
                    reader.end();
                    let what = || self.stream.what.clone();
                    while let Some(item) = reader.next_item().map_err(|error| Error::decode(what(), error))? {
                        self.ready.push_back(item);
                    }
                    if let Some(reader) = self.reader.take() {
                        let what = self.stream.what.clone();
                        self.metadata = reader.finish().map_err(|error| Error::decode(what, error))?;
                    }
                }
            }
        }
        Ok(self.ready.pop_front())
    }

    /// What the list says of itself: its resourceVersion, and how to go on when there is more. It is empty until the
    /// last object has been taken.
    pub fn metadata(&self) -> &ListMeta {
        &self.metadata
    }

    pub(super) fn into_metadata(self) -> ListMeta {
        self.metadata
    }
}

fn too_late(what: String, limit: Duration) -> Error {
    let problem = format!("no whole answer within {} s", limit.as_secs_f64());
    Error::new(ErrorKind::Timeout, what, Problem(problem))
}

impl<K> fmt::Debug for Items<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Items").field(&self.stream.what).finish()
    }
}
