//! Deleting: [`Api::delete`], [`Api::delete_collection`], [`Deleted`].

use http::Method;
use klient_apimachinery::codec::Wire;
use klient_apimachinery::meta::v1::{DeleteOptions, Status};
use klient_apimachinery::{Addressable, BoxFuture, List, ListOptions, Object, Place, Str, verbs};

use super::{Api, listing};
use crate::error::Error;
use crate::rest::{Form, Request, Response};

/// The result of a delete.
#[derive(Clone, Debug, PartialEq)]
pub enum Deleted<K> {
    /// It is gone, or on its way; this is how the server last saw it.
    Object(Box<K>),
    /// It is gone.
    Status(Box<Status>),
}

impl<K: Wire> Deleted<K> {
    fn read(response: &Response) -> Result<Self, Error> {
        // A Status names itself; anything else is the object.
        match response.decode::<Status>() {
            Ok(status) => Ok(Deleted::Status(Box::new(status))),
            Err(_) => response.decode().map(|object| Deleted::Object(Box::new(object))),
        }
    }
}

impl<K: Wire + Object, P: Place> Api<K, P> {
    /// Deletes an object.
    ///
    /// # Errors
    ///
    /// [`is_not_found`](Error::is_not_found) if it does not exist, [`is_conflict`](Error::is_conflict) if a
    /// precondition does not hold.
    pub fn delete(&self, name: &str, options: &DeleteOptions) -> BoxFuture<'static, Result<Deleted<K>, Error>>
    where
        K: verbs::Delete,
        P: Addressable,
    {
        let request = self.checked("delete", Method::DELETE).map(|request| request.name(name));
        let options = self.delete_options(options);
        Box::pin(async move { Deleted::read(&send::<K>(request?, &options).await?) })
    }

    /// Deletes all objects that are selected, and gives them as they last were.
    ///
    /// # Errors
    ///
    /// Those of [`delete`](Self::delete) and [`list`](Self::list).
    pub fn delete_collection(
        &self,
        options: &DeleteOptions,
        which: &ListOptions,
    ) -> BoxFuture<'static, Result<List<K>, Error>>
    where
        K: verbs::DeleteCollection,
        P: Addressable,
    {
        let form = K::is_partial().then_some(Form::MetadataList);
        let request = self.checked("deletecollection", Method::DELETE);
        let request = request.map(|request| listing(request, which).form(form));
        let options = self.delete_options(options);
        Box::pin(async move { send::<List<K>>(request?, &options).await?.decode() })
    }

    /// Options with the handle's own.
    fn delete_options(&self, options: &DeleteOptions) -> DeleteOptions {
        let mut options = options.clone();
        let all: Str = "All".into();
        if self.endpoint.write.dry_run && !options.dry_run.contains(&all) {
            options.dry_run.push(all);
        }
        options
    }
}

/// Sends a delete with its options in the body.
async fn send<A: Wire>(request: Request, options: &DeleteOptions) -> Result<Response, Error> {
    let request = request.dry_run(!options.dry_run.is_empty());
    // Options that are all defaults need no body.
    if *options == DeleteOptions::default() {
        return request.respond::<A>().await;
    }
    request.submit::<DeleteOptions, A>(options).await
}
