//! Lists in pages, where lists are not streamed.

use std::time::Duration;

use klient_apimachinery::codec::Wire;
use klient_apimachinery::{ListOptions, Object, SourceError, Str};

use super::decode_batches::DecodeBatches;
use super::reflector_loop::ReflectorLoop;
use crate::decode_result::DecodeResult;

/// The longest time without data in the middle of a list; the connection counts as broken then.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// The page size of client-go.
const DEFAULT_PAGE_SIZE: u32 = 500;

impl<K: Wire + Object> ReflectorLoop<K> {
    /// Lists all objects, at the last version if the server still has it.
    pub(super) async fn list(&mut self) -> Result<(), SourceError> {
        self.begin_attempt();
        let version = self.list_version();
        match self.list_from(&version).await {
            Err(error) if error.is_expired() || error.is_too_large_version() => {
                self.is_last_version_unavailable = true;
                self.list_from("").await
            }
            listed => listed,
        }
    }

    /// The version to list at: 0, any that the server has cached, before the first list; the last version, or
    /// newer, afterwards; the latest, from etcd, if the server cannot serve that one.
    fn list_version(&self) -> Box<str> {
        if self.is_last_version_unavailable {
            return "".into();
        }
        if self.last_sync_version.is_empty() { "0".into() } else { self.last_sync_version.clone() }
    }

    async fn list_from(&mut self, version: &str) -> Result<(), SourceError> {
        let limit = match (self.options.page_size, version) {
            (Some(size), _) => Some(size),
            (None, "" | "0") => Some(DEFAULT_PAGE_SIZE),
            (None, _) => self.is_paginated.then_some(DEFAULT_PAGE_SIZE),
        };
        let whole = ListOptions {
            resource_version: (!version.is_empty()).then(|| version.into()),
            ..self.list_options()
        };
        let mut options = ListOptions { limit, ..whole.clone() };
        let mut entries = Vec::new();
        loop {
            let (is_continued, listed) =
                (options.continue_token.is_some(), self.page(&options, &mut entries).await);
            let (listed_at, token) = match listed {
                // The continue token has expired: list the rest, and all before it, without pages.
                Err(error) if error.is_expired() && is_continued => {
                    entries.clear();
                    self.page(&whole, &mut entries).await?
                }
                listed => listed?,
            };
            let Some(token) = token else {
                self.replace(entries, &listed_at).await;
                return Ok(());
            };
            self.is_paginated |= version == "0";
            options = ListOptions { limit, continue_token: Some(token), ..self.list_options() };
        }
    }

    /// Lists a page; returns the resourceVersion, and the continue token if there is more.
    async fn page(
        &mut self,
        options: &ListOptions,
        entries: &mut Vec<DecodeResult<K>>,
    ) -> Result<(Str, Option<Str>), SourceError> {
        let source = self.source.clone();
        let mut listing = source.list(options).await?;
        let mut batches = DecodeBatches::new(self.store.clone());
        let mut arrived = Vec::new();
        loop {
            let next = tokio::time::timeout(IDLE_TIMEOUT, listing.next(&mut arrived)).await;
            if !next.unwrap_or_else(|_| Err(SourceError::transient("the list stopped in the middle")))? {
                break;
            }
            let objects = arrived.drain(..).map(|object| (object, ())).collect();
            self.collect(batches.push(objects).await, |decoded, ()| entries.push(decoded));
        }
        while let Some(batch) = batches.next().await {
            self.collect(batch, |decoded, ()| entries.push(decoded));
        }
        let metadata = listing.metadata();
        let token = metadata.continue_.clone().filter(|token| !token.is_empty());
        Ok((metadata.resource_version.clone().unwrap_or_default(), token))
    }
}
