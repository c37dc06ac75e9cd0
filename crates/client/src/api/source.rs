//! A handle as the source of a cache: [`ListWatch`].

use std::marker::PhantomData;

use klient_apimachinery::codec::{Encoded, Wire};
use klient_apimachinery::meta::Reason;
use klient_apimachinery::meta::v1::{ListMeta, Status};
use klient_apimachinery::{
    BoxFuture, ListOptions, ListWatch, Listing, Object, Place, ResourceInfo, SourceError, WatchEvent,
    WatchOptions, Watching, verbs,
};

use super::{Api, DynamicPlace, Endpoint, Items, Watch};
use crate::error::{Error, ErrorKind};

/// A handle without its types.
pub(crate) struct Source {
    endpoint: Endpoint,
    namespace: Option<Box<str>>,
}

impl Source {
    fn handle<K>(&self) -> Api<Encoded<K>, DynamicPlace> {
        Api {
            endpoint: self.endpoint.clone(),
            place: DynamicPlace::new(self.namespace.as_deref()),
            kind: PhantomData,
        }
    }
}

impl<K: Wire + Object> ListWatch<K> for Source {
    fn resource(&self) -> &ResourceInfo {
        &self.endpoint.info
    }

    fn within(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    fn server(&self) -> Option<&str> {
        Some(self.endpoint.connection.server())
    }

    fn list<'a>(
        &'a self,
        options: &'a ListOptions,
    ) -> BoxFuture<'a, Result<Box<dyn Listing<K>>, SourceError>> {
        Box::pin(async move {
            let items = self.handle::<K>().start_items(options).await?;
            Ok(Box::new(items) as Box<dyn Listing<K>>)
        })
    }

    fn watch<'a>(
        &'a self,
        options: &'a WatchOptions,
    ) -> BoxFuture<'a, Result<Box<dyn Watching<K>>, SourceError>> {
        Box::pin(async move {
            let watch = self.handle::<K>().start_watch(options).await?;
            Ok(Box::new(watch) as Box<dyn Watching<K>>)
        })
    }
}

impl<K: Object + Wire + verbs::List + verbs::Watch, P: Place> ListWatch<K> for Api<K, P> {
    fn resource(&self) -> &ResourceInfo {
        &self.endpoint.info
    }

    fn within(&self) -> Option<&str> {
        self.place.namespace()
    }

    fn server(&self) -> Option<&str> {
        Some(self.endpoint.connection.server())
    }

    fn list<'a>(
        &'a self,
        options: &'a ListOptions,
    ) -> BoxFuture<'a, Result<Box<dyn Listing<K>>, SourceError>> {
        Box::pin(async move { self.source().list(options).await })
    }

    fn watch<'a>(
        &'a self,
        options: &'a WatchOptions,
    ) -> BoxFuture<'a, Result<Box<dyn Watching<K>>, SourceError>> {
        Box::pin(async move { self.source().watch(options).await })
    }
}

impl<K, P: Place> Api<K, P> {
    pub(crate) fn source(&self) -> Source {
        Source { endpoint: self.endpoint.clone(), namespace: self.place.namespace().map(Into::into) }
    }
}

impl<K: Wire> Listing<K> for Items<Encoded<K>> {
    fn next<'a>(&'a mut self, out: &'a mut Vec<Encoded<K>>) -> BoxFuture<'a, Result<bool, SourceError>> {
        Box::pin(async move { Ok(self.next_batch(out).await?) })
    }

    fn metadata(&self) -> &ListMeta {
        Items::metadata(self)
    }
}

impl<K: Wire> Watching<K> for Watch<Encoded<K>> {
    fn next<'a>(
        &'a mut self,
        out: &'a mut Vec<WatchEvent<Encoded<K>>>,
    ) -> BoxFuture<'a, Result<bool, SourceError>> {
        Box::pin(async move { Ok(self.next_batch(out).await?) })
    }
}

impl From<Error> for SourceError {
    fn from(error: Error) -> Self {
        match (error.kind(), error.as_status()) {
            (_, Some(status)) => SourceError::status(status.clone(), error.retry_after(), error),
            (ErrorKind::Connect, _) if error.is_untrusted() => SourceError::untrusted(error),
            (ErrorKind::Connect, _) => SourceError::refused(error),
            (ErrorKind::Decode, _) => SourceError::unreadable(error),
            // What is not even sent will not be sent the next time.
            (ErrorKind::Request, _) => {
                SourceError::status(Status::failure(Reason::MethodNotAllowed, error.to_string()), None, error)
            }
            _ => SourceError::transient(error),
        }
    }
}
