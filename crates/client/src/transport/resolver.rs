//! [`Resolver`], the system's resolution of host names, measured.

use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use tower::Service;

use crate::http_trace::{ConnectTimes, Step};
use crate::metrics;

/// The system's resolution of host names, whose time is a metric and part of the HTTP trace.
#[derive(Clone)]
pub(super) struct Resolver(GaiResolver);

impl Default for Resolver {
    fn default() -> Self {
        Resolver(GaiResolver::new())
    }
}

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = std::io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, std::io::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), std::io::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let (host, lookup) = (name.as_str().to_owned(), self.0.call(name));
        Box::pin(async move {
            let began = Instant::now();
            let addresses = ConnectTimes::step(Step::Dns, lookup).await;
            metrics::dns_resolution_duration(&host, began.elapsed());
            let addresses = addresses.map(Vec::from_iter);
            ConnectTimes::log_lookup(&host, addresses.as_deref().unwrap_or_default());
            Ok(addresses?.into_iter())
        })
    }
}
