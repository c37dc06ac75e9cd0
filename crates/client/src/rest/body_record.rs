//! [`BodyRecord`], the trace and the metrics of a response that is read to its end.

use std::sync::Arc;

use crate::call::Call;
use crate::http_trace::{BodyTrace, HttpTrace};
use crate::metrics;

/// The trace and the metrics of a response that is read to its end.
pub(super) struct BodyRecord {
    call: Arc<Call>,
    trace: Option<BodyTrace>,
    length: usize,
    _latency: Option<metrics::Latency>,
}

impl BodyRecord {
    /// Begins with the head of a response. `latency` is that of the request, which ends with the body.
    pub(super) fn begin(detail: HttpTrace, call: &Arc<Call>, latency: Option<metrics::Latency>) -> Self {
        BodyRecord { call: call.clone(), trace: BodyTrace::begin(detail), length: 0, _latency: latency }
    }

    /// Adds the next part.
    pub(super) fn push(&mut self, part: &[u8]) {
        self.length += part.len();
        if let Some(trace) = &mut self.trace {
            trace.push(part);
        }
    }

    /// Records the body as it is, after its last part.
    pub(super) fn end(self) {
        metrics::response_size(&self.call.method, &self.call.uri, self.length);
        if let Some(trace) = self.trace {
            trace.response();
        }
    }
}
