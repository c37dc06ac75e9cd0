//! [`Throttle`], the requests that are answered with 429.

use std::sync::{Mutex, PoisonError};

use http::header::RETRY_AFTER;
use http::{Response, StatusCode};

use crate::respond::{self, Body};

/// The number of requests that are answered with 429, and the `Retry-After` of these answers in seconds.
#[derive(Default)]
pub(crate) struct Throttle(Mutex<(u32, u32)>);

impl Throttle {
    /// Answers so many requests from now on.
    pub(crate) fn set(&self, requests: u32, retry_after_seconds: u32) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (requests, retry_after_seconds);
    }

    /// The answer to the next request, if it is one of them: that of upstream's filters.
    pub(crate) fn answer(&self) -> Option<Response<Body>> {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        left.0 = left.0.checked_sub(1)?;
        let text = "Too many requests, please try again later.\n";
        let answer = respond::plain(StatusCode::TOO_MANY_REQUESTS, "text/plain; charset=utf-8", text);
        let mut answer = respond::as_it_says(answer);
        answer.headers_mut().insert(RETRY_AFTER, left.1.into());
        Some(answer)
    }
}
