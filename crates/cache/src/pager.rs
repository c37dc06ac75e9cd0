//! [`Pager`], a list in pages.
//!
//! - *bounded*: at most one page is held, in encoded form, and no request is open while its objects are
//!   processed;
//! - *consistent*: all pages are of the resourceVersion of the first. If the server no longer has it, that is
//!   an error, or everything is listed at once.

use std::fmt;
use std::sync::Arc;

use klient_apimachinery::codec::{Encoded, Wire};
use klient_apimachinery::meta::v1::ListMeta;
use klient_apimachinery::{List, ListOptions, ListWatch, Object, SourceError};

use crate::error::Error;

/// The page size of client-go.
const DEFAULT_PAGE_SIZE: u32 = 500;

/// Options of a [`Pager`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PagerOptions {
    /// The list request. `limit` is the page size, 500 by default; resourceVersion and match apply to the
    /// first page, and the others continue it.
    pub list: ListOptions,
    /// Makes [`Pager::list`] list everything at once if the server no longer has the version of the first
    /// page.
    pub full_list_if_expired: bool,
}

impl Default for PagerOptions {
    fn default() -> Self {
        PagerOptions { list: ListOptions::default(), full_list_if_expired: true }
    }
}

/// A list in pages, object by object or as a whole (client-go's `ListPager`).
///
/// A page is requested when the last object of the page before is taken. client-go buffers up to ten pages
/// ahead, which saves a round trip per page; here memory is bounded by one page.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use klient_api::core::v1::Namespace;
/// use klient_cache::{Pager, PagerOptions};
/// use klient_client::{Client, Config, ListOptions};
///
/// let server = klient_apiserver::TestServer::start().await?;
/// let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
///
/// let list = ListOptions { limit: Some(3), ..Default::default() };
/// let mut pager = Pager::new(client.api::<Namespace>(), PagerOptions { list, ..Default::default() });
/// let mut names = Vec::new();
/// while let Some(namespace) = pager.next().await? {
///     names.extend(namespace.metadata.name);
/// }
/// assert_eq!((names.len(), pager.pages()), (4, 2));
/// # Ok(()) }
/// ```
#[doc(alias = "ListPager")]
pub struct Pager<K> {
    source: Arc<dyn ListWatch<K>>,
    options: PagerOptions,
    /// The request for the next page; `None` after the last.
    next: Option<ListOptions>,
    page: std::vec::IntoIter<Encoded<K>>,
    /// The list metadata of the first page.
    metadata: ListMeta,
    pages: usize,
}

impl<K: Wire + Object> Pager<K> {
    /// A pager that has not sent a request yet.
    pub fn new(source: impl ListWatch<K>, options: PagerOptions) -> Self {
        let first =
            ListOptions { limit: options.list.limit.or(Some(DEFAULT_PAGE_SIZE)), ..options.list.clone() };
        Pager {
            source: Arc::new(source),
            options,
            next: Some(first),
            page: Vec::new().into_iter(),
            metadata: ListMeta::default(),
            pages: 0,
        }
    }

    /// The next object; `None` at the end. Cancel safe.
    ///
    /// # Errors
    ///
    /// If the server refuses the list. [`is_expired`](Error::is_expired) if it no longer has the version of
    /// the pages before: start a new list. After an error the same page is requested again; after an object
    /// that cannot be decoded ([`undecodable_object`](Error::undecodable_object)) the next call continues
    /// behind it.
    pub async fn next(&mut self) -> Result<Option<K>, Error> {
        let object = self.next_encoded().await?;
        object.map(|object| self.decode(&object)).transpose()
    }

    /// The next object in encoded form: see [`next`](Self::next).
    pub(crate) async fn next_encoded(&mut self) -> Result<Option<Encoded<K>>, Error> {
        loop {
            if let Some(object) = self.page.next() {
                return Ok(Some(object));
            }
            let Some(options) = self.next.clone() else { return Ok(None) };
            let (page, metadata) = self.fetch(&options).await.map_err(|error| self.error(error))?;
            self.set_page(page, metadata);
        }
    }

    /// All remaining objects, and the version of the list. If the server no longer has that version,
    /// everything is listed at once, at the version of the first request, if
    /// [`full_list_if_expired`](PagerOptions::full_list_if_expired) is set.
    ///
    /// # Errors
    ///
    /// As [`next`](Self::next). [`is_expired`](Error::is_expired) also if a page was taken before, because
    /// the objects already returned cannot be listed again.
    pub async fn list(mut self) -> Result<List<K>, Error> {
        let may_restart = self.pages == 0 && self.options.full_list_if_expired;
        let mut items = Vec::new();
        loop {
            for object in std::mem::take(&mut self.page) {
                items.push(self.decode(&object)?);
            }
            let Some(options) = self.next.clone() else { break };
            match self.fetch(&options).await {
                Ok((page, metadata)) => self.set_page(page, metadata),
                Err(error) if error.is_expired() && may_restart && options.continue_token.is_some() => {
                    items = Vec::new();
                    let whole = ListOptions { limit: None, ..self.options.list.clone() };
                    let whole = self.fetch(&whole).await.map_err(|error| self.error(error))?;
                    (self.page, self.metadata) = (whole.0.into_iter(), whole.1);
                    self.next = None;
                }
                Err(error) => return Err(self.error(error)),
            }
        }
        let metadata = ListMeta { continue_: None, remaining_item_count: None, ..self.metadata };
        Ok(List { metadata, items })
    }

    /// The resourceVersion of the list; empty before the first page.
    pub fn resource_version(&self) -> &str {
        self.metadata.resource_version.as_deref().unwrap_or_default()
    }

    /// The number of pages received.
    pub fn pages(&self) -> usize {
        self.pages
    }

    /// Requests a page and reads all of it: a response that stays open while objects are processed would run
    /// into the server's time limit.
    async fn fetch(&self, options: &ListOptions) -> Result<(Vec<Encoded<K>>, ListMeta), SourceError> {
        let source = self.source.clone();
        let mut listing = source.list(options).await?;
        let mut page = Vec::new();
        while listing.next(&mut page).await? {}
        Ok((page, listing.metadata().clone()))
    }

    /// Makes a page current.
    fn set_page(&mut self, page: Vec<Encoded<K>>, metadata: ListMeta) {
        let token = metadata.continue_.clone().filter(|token| !token.is_empty());
        // The API server refuses a resourceVersion beside a continue token (https://issue.k8s.io/85221).
        self.next = token.zip(self.next.take()).map(|(token, options)| ListOptions {
            continue_token: Some(token),
            resource_version: None,
            resource_version_match: None,
            ..options
        });
        if self.pages == 0 {
            self.metadata = metadata;
        }
        self.pages += 1;
        self.page = page.into_iter();
    }

    fn decode(&self, object: &Encoded<K>) -> Result<K, Error> {
        let resource = self.source.resource();
        let decoded = object.decode_as(resource);
        decoded.map_err(|problem| Error::undecodable(resource, object.identity(), &problem))
    }

    fn error(&self, error: SourceError) -> Error {
        Error::list_failed(self.source.resource(), self.source.within(), error)
    }
}

impl<K: 'static> fmt::Debug for Pager<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pager({:?}, {} pages)", self.source.resource(), self.pages)
    }
}
