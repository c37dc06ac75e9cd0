//! [`Api::list_all`], a long list in pages.

use klient_apimachinery::codec::Wire;
use klient_apimachinery::{List, ListOptions, Object, Place, verbs};

use super::Api;
use crate::error::Error;

/// The objects per page, as client-go's pager.
const PAGE: u32 = 500;

impl<K: Wire + Object, P: Place> Api<K, P> {
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
    pub async fn list_all(&self, options: &ListOptions) -> Result<List<K>, Error>
    where
        K: verbs::List,
    {
        let mut page = ListOptions { limit: Some(options.limit.unwrap_or(PAGE)), ..options.clone() };
        let mut all = self.list(&page).await?;
        while let Some(token) = all.metadata.continue_.take().filter(|token| !token.is_empty()) {
            page.continue_token = Some(token);
            // The token says at which version.
            (page.resource_version, page.resource_version_match) = (None, None);
            let next = match self.list(&page).await {
                Ok(next) => next,
                Err(error) if error.is_expired() && options.continue_token.is_none() => {
                    return self.list(&ListOptions { limit: None, ..options.clone() }).await;
                }
                Err(error) => return Err(error),
            };
            all.items.extend(next.items);
            all.metadata = next.metadata;
        }
        all.metadata.remaining_item_count = None;
        Ok(all)
    }
}
