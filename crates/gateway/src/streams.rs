//! [`Streams`], the count of open streams.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::failure::{Code, Failure};

/// The open streams, by client.
#[derive(Clone, Debug)]
pub(crate) struct Streams(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limit: usize,
    limit_per_client: usize,
    open: Mutex<HashMap<String, usize>>,
}

/// An open stream, until it is dropped.
#[derive(Debug)]
pub(crate) struct Stream {
    streams: Streams,
    client: String,
}

impl Streams {
    pub(crate) fn new(limit: usize, limit_per_client: usize) -> Self {
        Streams(Arc::new(Inner { limit, limit_per_client, open: Mutex::default() }))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a stream of a client.
    ///
    /// # Errors
    ///
    /// If there are too many, in all or of the client.
    pub(crate) fn open(&self, client: &str) -> Result<Stream, Failure> {
        let mut open = self.lock();
        let of_client = open.get(client).copied().unwrap_or_default();
        let limit = match () {
            () if of_client >= self.0.limit_per_client => self.0.limit_per_client,
            () if open.values().sum::<usize>() >= self.0.limit => self.0.limit,
            () => {
                open.insert(client.to_owned(), of_client + 1);
                return Ok(Stream { streams: self.clone(), client: client.to_owned() });
            }
        };
        let problem = format!("{limit} streams are open, and no more are allowed at a time: close some");
        Err(Failure::new(Code::TooManyStreams, problem))
    }

    /// The number of open streams.
    pub(crate) fn len(&self) -> usize {
        self.lock().values().sum()
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let mut open = self.streams.lock();
        if let Some(count) = open.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_limited_in_all_and_by_client() {
        let streams = Streams::new(3, 2);
        let first = [streams.open("a").unwrap(), streams.open("a").unwrap()];
        assert_eq!(streams.open("a").unwrap_err().code, Code::TooManyStreams);
        let other = streams.open("b").unwrap();
        assert_eq!(streams.open("c").unwrap_err().code, Code::TooManyStreams);
        drop(first);
        assert_eq!(streams.len(), 1);
        drop(other);
        assert!(streams.lock().is_empty());
    }
}
