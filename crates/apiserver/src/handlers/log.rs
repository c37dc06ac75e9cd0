//! Logs of containers: the options of a request, and the lines that they select.

use bytes::{BufMut as _, Bytes, BytesMut};
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use klient_apimachinery::go::quoted;
use klient_apimachinery::validation::field::{ErrorList, FieldError};
use klient_apimachinery::{MicroTime, Time};

use super::Context;
use crate::containers::{ContainerLog, Line, LogStream};
use crate::respond::{Body, whole};
use crate::status::{Failure, Result};
use crate::stream::channel;

/// The number of bytes that are sent at once, about.
const PART: usize = 32 * 1024;

/// The streams that can be selected.
const STREAMS: [&str; 3] = ["All", "Stderr", "Stdout"];

/// `PodLogOptions` of a request.
pub(super) struct LogOptions {
    follow: bool,
    pub(super) previous: bool,
    timestamps: bool,
    /// The time before which lines are left out.
    since: Option<MicroTime>,
    tail: Option<usize>,
    limit: Option<usize>,
    /// The stream whose lines are wanted; none for both.
    stream: Option<LogStream>,
}

impl LogOptions {
    /// Reads and checks the options in a query. A stream can be selected where containers are stood in for, as with the
    /// feature gate `PodLogsQuerySplitStreams`; elsewhere that is refused.
    ///
    /// # Errors
    ///
    /// 400 for values that cannot be read, 422 for those that are invalid.
    pub(super) fn read(context: &Context, has_streams: bool) -> Result<Self> {
        let query = &context.query;
        let mut problems = ErrorList::default();
        let (tail, limit) = (query.number("tailLines")?, query.number("limitBytes")?);
        let seconds = query.number("sinceSeconds")?;
        let time = query.get("sinceTime").filter(|time| !time.is_empty()).map(since_time).transpose()?;
        if let Some(tail) = tail.filter(|tail| *tail < 0) {
            problems.add(FieldError::invalid("tailLines", tail, "must be greater than or equal to 0"));
        }
        if let Some(limit) = limit.filter(|limit| *limit < 1) {
            problems.add(FieldError::invalid("limitBytes", limit, "must be greater than 0"));
        }
        if seconds.is_some() && time.is_some() {
            let problem = "at most one of `sinceTime` or `sinceSeconds` may be specified";
            problems.add(FieldError::forbidden("[]", problem));
        } else if let Some(seconds) = seconds.filter(|seconds| *seconds < 1) {
            problems.add(FieldError::invalid("sinceSeconds", seconds, "must be greater than 0"));
        }
        let stream = query.get("stream").filter(|stream| !stream.is_empty());
        if let Some(stream) = stream {
            if !has_streams {
                problems.add(FieldError::forbidden("stream", "may not be specified"));
            } else if !STREAMS.contains(&stream) {
                problems.add(FieldError::not_supported("stream", stream, &STREAMS));
            }
            if has_streams && stream != "All" && tail.is_some() {
                let problem = "`tailLines` and specific `stream` are mutually exclusive for now";
                problems.add(FieldError::forbidden("[]", problem));
            }
        }
        if !problems.0.is_empty() {
            return Err(Failure::invalid("", "PodLogOptions", context.name(), &problems.0));
        }
        let ago = |seconds: i64| Time::now().unix().saturating_sub(seconds);
        let micros = |time: Time| MicroTime::from_unix_micros(time.unix().saturating_mul(1_000_000));
        let since = time.or(seconds.map(|seconds| Time::from_unix(ago(seconds)))).map(micros);
        let count = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
        Ok(LogOptions {
            follow: query.is_true("follow"),
            previous: query.is_true("previous"),
            timestamps: query.is_true("timestamps"),
            since,
            tail: tail.map(count),
            limit: limit.map(count),
            stream: match stream {
                Some("Stdout") => Some(LogStream::Stdout),
                Some("Stderr") => Some(LogStream::Stderr),
                _ => None,
            },
        })
    }

    fn selects(&self, line: &Line) -> bool {
        self.stream.is_none_or(|stream| stream == line.stream)
            && self.since.is_none_or(|since| line.time >= since)
    }
}

fn since_time(text: &str) -> Result<Time> {
    text.parse().map_err(|_| {
        let (time, layout) = (quoted(text), r#""2006-01-02T15:04:05Z07:00""#);
        let problem = format!("parsing time {time} as {layout}: cannot parse {time} as \"2006\"");
        Failure::bad_request(problem)
    })
}

/// The lines of a log that the options of a request select, sent as the client reads them: one that is slow holds up
/// nobody, and takes memory for a few parts only.
pub(super) fn answer(context: &Context, log: ContainerLog, options: LogOptions) -> Response<Body> {
    let mut response = Response::new(whole(Bytes::new()));
    *response.status_mut() = StatusCode::OK;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    if options.tail == Some(0) && !options.follow {
        return response;
    }
    let (sender, body) = channel(1);
    let mut stopped = context.state.stopped.clone();
    tokio::spawn(async move {
        let sending = async {
            // Without `follow` it ends there, even if it grows faster than it is read.
            let last = log.tail(Some(0));
            let mut position = log.tail(options.tail);
            let mut room = options.limit.unwrap_or(usize::MAX);
            loop {
                let (lines, end) = log.read(position, PART);
                position = end;
                let part = render(&lines, &options, &mut room);
                if !part.is_empty() && sender.send(part).await.is_err() || room == 0 {
                    return;
                }
                let is_over = if options.follow {
                    lines.is_empty() && !log.grows(position).await
                } else {
                    position >= last
                };
                if is_over {
                    return;
                }
            }
        };
        tokio::select! {
            () = sending => {}
            () = sender.closed() => {}
            _ = stopped.wait_for(|stopped| *stopped) => {}
        }
    });
    response.map(|_| body)
}

/// The selected lines, as many bytes as there is room for.
fn render(lines: &[Line], options: &LogOptions, room: &mut usize) -> Bytes {
    let mut part = BytesMut::new();
    for line in lines.iter().filter(|line| options.selects(line)) {
        if options.timestamps {
            // Go's RFC 3339 with nine digits: the times of lines have six.
            let time = line.time.to_string();
            part.put_slice(time.trim_end_matches('Z').as_bytes());
            part.put_slice(b"000Z ");
        }
        part.put_slice(&line.text);
        part.put_u8(b'\n');
        if part.len() >= *room {
            break;
        }
    }
    part.truncate(*room);
    *room -= part.len();
    part.freeze()
}
