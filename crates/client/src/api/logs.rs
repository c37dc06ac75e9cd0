//! [`Api::logs`], the logs of a pod.

use std::time::Duration;

use http::Method;
use klient_apimachinery::codec::Wire;
use klient_apimachinery::{Addressable, BoxFuture, Object, Place, Time, verbs};

use super::Api;
use crate::error::Error;
use crate::rest::{ByteStream, Request};

/// The part of a pod's logs that is read, as `PodLogOptions` of core/v1.
#[doc(alias = "PodLogOptions")]
#[doc(alias = "LogParams")]
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LogOptions {
    /// The container. A pod with one container needs no name.
    pub container: Option<String>,
    /// Continues with new lines until the container ends.
    pub follow: bool,
    /// The logs of the container before its last restart.
    pub previous: bool,
    /// Logs that are not older; a part of a second counts as a second.
    pub since: Option<Duration>,
    /// Logs from a time on; not together with `since`.
    pub since_time: Option<Time>,
    /// Begin each line with its time, in RFC 3339.
    pub timestamps: bool,
    /// The number of lines from the end.
    pub tail_lines: Option<u64>,
    /// The number of bytes after which the logs are cut.
    pub limit_bytes: Option<u64>,
    /// The stream of the container that is read; the server's default is both. It needs the feature gate
    /// `PodLogsQuerySplitStreams` (KEP-3288), without which servers refuse it, and is not together with `tail_lines`.
    pub stream: Option<LogStream>,
    /// Skips the API server's verification of the kubelet's certificate.
    pub insecure_skip_tls_verify_backend: bool,
}

/// A stream that a container writes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogStream {
    /// Standard output and standard error.
    All,
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl LogStream {
    /// Its name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            LogStream::All => "All",
            LogStream::Stdout => "Stdout",
            LogStream::Stderr => "Stderr",
        }
    }
}

impl<K: Wire + Object, P: Place> Api<K, P> {
    /// Reads the logs of a pod as they come: [`line`](ByteStream::line) by line, as a stream of
    /// [`lines`](ByteStream::lines), or by [`chunk`](ByteStream::chunk).
    ///
    /// ```no_run
    /// # async fn f(client: klient_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use klient_api::core::v1::Pod;
    /// use klient_client::LogOptions;
    ///
    /// let options = LogOptions { tail_lines: Some(100), follow: true, ..Default::default() };
    /// let mut logs = client.api::<Pod>().namespace("shop").logs("web-0", &options).await?;
    /// while let Some(line) = logs.line().await? {
    ///     println!("{}", String::from_utf8_lossy(&line));
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`is_not_found`](Error::is_not_found) if the pod does not exist, [`is_bad_request`](Error::is_bad_request) if it
    /// has no such container, or several and none is named.
    #[doc(alias = "GetLogs")]
    pub fn logs(&self, name: &str, options: &LogOptions) -> BoxFuture<'static, Result<ByteStream, Error>>
    where
        K: verbs::Log,
        P: Addressable,
    {
        let request = self.below(Method::GET, name, "log").map(|request| options.put_into(request));
        Box::pin(async move { request?.stream().await })
    }
}

impl LogOptions {
    /// The parameters, under the names of `PodLogOptions`.
    fn put_into(&self, request: Request) -> Request {
        let flag = |flag: bool| flag.then(|| "true".to_owned());
        let parameters = [
            ("container", self.container.clone()),
            ("follow", flag(self.follow)),
            ("previous", flag(self.previous)),
            ("sinceSeconds", self.since.map(whole_seconds)),
            ("sinceTime", self.since_time.as_ref().map(ToString::to_string)),
            ("timestamps", flag(self.timestamps)),
            ("tailLines", self.tail_lines.map(|lines| lines.to_string())),
            ("limitBytes", self.limit_bytes.map(|bytes| bytes.to_string())),
            ("stream", self.stream.map(|stream| stream.as_str().to_owned())),
            ("insecureSkipTLSVerifyBackend", flag(self.insecure_skip_tls_verify_backend)),
        ];
        parameters.into_iter().fold(request.accept("*/*"), |request, (key, value)| match value {
            Some(value) => request.query(key, value),
            None => request,
        })
    }
}

/// The number of seconds, rounded up: a server refuses 0.
fn whole_seconds(time: Duration) -> String {
    time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0)).to_string()
}
