//! Many objects: list, whole, in pages or one by one, and watch.

use http::Method;
use klient_apimachinery::codec::Wire;
use klient_apimachinery::meta::v1::ListMeta;
use klient_apimachinery::{BoxFuture, List, ListOptions, Object, Place, WatchOptions, verbs};

use super::{Api, Items, Watch, listing};
use crate::error::Error;
use crate::rest::Form;

/// The objects per page, as client-go's pager.
const PAGE: u32 = 500;

impl<K: Wire + Object, P: Place> Api<K, P> {
    /// Lists objects.
    ///
    /// # Errors
    ///
    /// [`is_expired`](Error::is_expired) if the version or token to go on from is too old. If an object cannot be
    /// decoded, [`undecodable_object`](Error::undecodable_object) names it;
    /// [`list_decodable`](Self::list_decodable) gives the others.
    pub fn list(&self, options: &ListOptions) -> BoxFuture<'static, Result<List<K>, Error>>
    where
        K: verbs::List,
    {
        let starting = self.start_items(options);
        Box::pin(async move { collect(starting.await?, Err).await })
    }

    /// Lists the objects that can be decoded, and gives an error for each of the others, which
    /// [`undecodable_object`](Error::undecodable_object) names.
    ///
    /// # Errors
    ///
    /// As [`list`](Self::list), but for objects that cannot be decoded.
    pub async fn list_decodable(&self, options: &ListOptions) -> Result<(List<K>, Vec<Error>), Error>
    where
        K: verbs::List,
    {
        let mut undecodable = Vec::new();
        let list = collect(self.start_items(options).await?, |error| {
            undecodable.push(error);
            Ok(())
        });
        Ok((list.await?, undecodable))
    }

    /// Lists objects page by page, 500 each or [`limit`](ListOptions::limit), and gives all of them as one list of one
    /// version. If the server forgets that version on the way, everything is listed again at once, as client-go's pager
    /// does.
    ///
    /// `klient_cache::Pager` holds one page at a time, [`items`](Self::items) one object.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use klient_api::core::v1::Namespace;
    /// use klient_client::{Client, Config, ListOptions};
    ///
    /// let server = klient_apiserver::TestServer::start().await?;
    /// let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
    /// let options = ListOptions { limit: Some(3), ..Default::default() };
    /// assert_eq!(client.api::<Namespace>().list_all(&options).await?.items.len(), 4);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`list`](Self::list).
    pub fn list_all(&self, options: &ListOptions) -> BoxFuture<'static, Result<List<K>, Error>>
    where
        K: verbs::List,
    {
        let (api, options) = (self.clone(), options.clone());
        Box::pin(async move {
            let mut page = ListOptions { limit: Some(options.limit.unwrap_or(PAGE)), ..options.clone() };
            let mut all = api.list(&page).await?;
            while let Some(token) = all.metadata.continue_.take().filter(|token| !token.is_empty()) {
                page.continue_token = Some(token);
                // The token determines the version.
                (page.resource_version, page.resource_version_match) = (None, None);
                let next = match api.list(&page).await {
                    Ok(next) => next,
                    Err(error) if error.is_expired() && options.continue_token.is_none() => {
                        return api.list(&ListOptions { limit: None, ..options }).await;
                    }
                    Err(error) => return Err(error),
                };
                all.items.extend(next.items);
                all.metadata = next.metadata;
            }
            all.metadata.remaining_item_count = None;
            Ok(all)
        })
    }

    /// Lists objects one by one as they arrive, so that no more than one is held.
    ///
    /// # Errors
    ///
    /// As [`list`](Self::list).
    pub fn items(&self, options: &ListOptions) -> BoxFuture<'static, Result<Items<K>, Error>>
    where
        K: verbs::List,
    {
        Box::pin(self.start_items(options))
    }

    /// Follows changes as they are made.
    ///
    /// # Errors
    ///
    /// If the watch is refused. Its end, and a version that is too old, come in the stream.
    pub fn watch(&self, options: &WatchOptions) -> BoxFuture<'static, Result<Watch<K>, Error>>
    where
        K: verbs::Watch,
    {
        Box::pin(self.start_watch(options))
    }
}

impl<K: Wire, P: Place> Api<K, P> {
    pub(super) fn start_items(
        &self,
        options: &ListOptions,
    ) -> impl Future<Output = Result<Items<K>, Error>> + Send + use<K, P> {
        let checked = self.endpoint.check("list", false, None);
        let form = K::is_partial().then_some(Form::MetadataList);
        let request = listing(self.request(Method::GET), options).form(form);
        let managed_fields = options.managed_fields;
        async move {
            checked?;
            Items::start(request, managed_fields).await
        }
    }

    pub(super) fn start_watch(
        &self,
        options: &WatchOptions,
    ) -> impl Future<Output = Result<Watch<K>, Error>> + Send + use<K, P> {
        let checked = self.endpoint.check("watch", false, None);
        let (request, options) = (self.request(Method::GET), options.clone());
        let connection = self.endpoint.connection.clone();
        async move {
            checked?;
            Watch::start(request, &options, &connection).await
        }
    }
}

/// A list of all items. `pass_over` receives the error of a single object and decides whether the list continues.
pub(super) async fn collect<K: Wire>(
    mut items: Items<K>,
    mut pass_over: impl FnMut(Error) -> Result<(), Error> + Send,
) -> Result<List<K>, Error> {
    let mut list = List { items: Vec::new(), metadata: ListMeta::default() };
    loop {
        match items.next().await {
            Ok(Some(item)) => list.items.push(item),
            Ok(None) => break,
            Err(error) if error.undecodable_object().is_some() => pass_over(error)?,
            Err(error) => return Err(error),
        }
    }
    list.items.shrink_to_fit();
    list.metadata = items.into_metadata();
    Ok(list)
}
