//! [`Observer`], which sees the requests of the steps, and sees and hurts those of the controller.

use std::future::pending;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use klient_apimachinery::{BoxFuture, Unstructured};
use klient_client::{
    BoxError, Client, Config, Dialer, Encoding, Proxy, RequestBody, ResponseBody, Transport,
};
use serde_json::Value;
use tokio::time::Instant;
use tower::{Layer, Service};

use crate::answer;
use crate::incarnation::Incarnation;
use crate::play::{Moment, Play, PlayKind};
use crate::stage::Stage;
use crate::target::{Target, query, with_query};
use crate::write::{Effect, Write, WriteOutcome, changed, has_version, is_dry_run};

/// A client of the steps, or of an incarnation of the controller.
pub(crate) fn client(stage: &Arc<Stage>, incarnation: Option<Arc<Incarnation>>) -> Client {
    let config = Config::from_kubeconfig(&stage.server.kubeconfig());
    let mut config = config.expect("a server writes a configuration that can be used");
    let connector = stage.server.connector();
    config.dialer = Some(Dialer::new(move |_, _| {
        let connector = connector.clone();
        async move { connector.connect().await }
    }));
    // The effect of a write is read from its answer.
    (config.encoding, config.proxy) = (Encoding::Json, Proxy::None);
    // Nothing is lost within a program; signs of life would take most of the time of a play.
    let timeouts = &mut config.timeouts;
    (timeouts.http2_read_idle, timeouts.watch_idle, timeouts.unread) = (None, None, None);
    let observer = Observer { stage: stage.clone(), incarnation };
    Client::with_layer(config, observer).expect("a server writes a configuration that can be used")
}

/// Sees the requests of the steps, or sees and hurts those of an incarnation of the controller.
#[derive(Clone)]
struct Observer {
    stage: Arc<Stage>,
    incarnation: Option<Arc<Incarnation>>,
}

impl Layer<Transport> for Observer {
    type Service = Observed;

    fn layer(&self, transport: Transport) -> Observed {
        Observed { transport, observer: self.clone() }
    }
}

/// A transport whose requests are observed.
#[derive(Clone)]
struct Observed {
    transport: Transport,
    observer: Observer,
}

impl Service<Request<RequestBody>> for Observed {
    type Response = Response<ResponseBody>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        let observed = self.clone();
        Box::pin(async move {
            if observed.is_killed() {
                pending::<()>().await;
            }
            let answered = observed.pass(request).await;
            if observed.is_killed() {
                pending::<()>().await;
            }
            answered
        })
    }
}

type Answer = Result<Response<ResponseBody>, BoxError>;

impl Observed {
    fn is_killed(&self) -> bool {
        self.observer.incarnation.as_ref().is_some_and(|incarnation| incarnation.gate.is_killed())
    }

    async fn send(&self, request: Request<RequestBody>) -> Answer {
        let mut transport = self.transport.clone();
        std::future::poll_fn(|context| transport.poll_ready(context)).await?;
        transport.call(request).await
    }

    /// Counts a request of the controller. Of one that sends too many, it waits for ever, and the play ends.
    async fn admit(&self, line: impl FnOnce() -> String) {
        if self.observer.incarnation.is_some() && !self.observer.stage.watchdog.admit(line()) {
            pending::<()>().await;
        }
    }

    async fn pass(&self, request: Request<RequestBody>) -> Answer {
        let options = &self.observer.stage.options;
        let target = Target::of(request.uri());
        let Some(target) = target.filter(|target| !options.is_excluded(&target.group, &target.plural)) else {
            self.admit(|| format!("{} {}", request.method(), request.uri().path())).await;
            return self.read(request, None).await;
        };
        let body = match *request.method() {
            Method::GET => Value::Null,
            _ => serde_json::from_slice(request.body().bytes()).unwrap_or_default(),
        };
        match target.write_verb(request.method(), request.uri()).filter(|_| !is_dry_run(&body)) {
            Some(verb) => self.write(request, target, verb, body).await,
            None => self.read(request, Some(target)).await,
        }
    }

    async fn read(&self, mut request: Request<RequestBody>, target: Option<Target>) -> Answer {
        let Some(incarnation) = &self.observer.incarnation else { return self.send(request).await };
        let stage = &self.observer.stage;
        let Some(target) = target.filter(|_| request.method() == Method::GET) else {
            let response = self.send(request).await?;
            return Ok(response.map(|body| incarnation.gate.body(body, false)));
        };
        let uri = request.uri().clone();
        let is_watch = query(&uri, "watch").is_some_and(|watch| watch == "true" || watch == "1");
        let verb = if is_watch {
            "watch"
        } else if target.name.is_some() {
            "get"
        } else {
            "list"
        };
        let mut line = format!("{verb} {}", target.describe(None));
        self.admit(|| line.clone()).await;
        match (incarnation.behind(), verb) {
            (Some(_), "watch") if query(&uri, "sendInitialEvents").is_some() => {
                stage.trace(format!("{line}: refused: a streamed list would not be behind"));
                return Ok(answer::no_streamed_lists());
            }
            (Some(behind), "list") if is_served_from_cache(&uri, behind) => {
                line += ", from a cache that is behind";
                let version = behind.to_string();
                let options = [("resourceVersion", &*version), ("resourceVersionMatch", "Exact")];
                *request.uri_mut() = with_query(&uri, &options);
            }
            (_, "watch") if is_renewed(&uri) => {
                *request.uri_mut() = with_query(&uri, &[("timeoutSeconds", LONG)]);
            }
            _ => {}
        }
        stage.trace(line);
        let response = self.send(request).await?;
        let is_streamed = is_watch && response.status().is_success();
        Ok(response.map(|body| incarnation.gate.body(body, is_streamed)))
    }

    async fn write(
        &self,
        request: Request<RequestBody>,
        target: Target,
        verb: &'static str,
        body: Value,
    ) -> Answer {
        let stage = &self.observer.stage;
        let has_version = has_version(verb, &body);
        let object = match body {
            Value::Object(object) if verb == "create" => Unstructured(object),
            _ => Unstructured::default(),
        };
        let name = stage.stable_name(&target, &object);
        let Some(incarnation) = &self.observer.incarnation else {
            stage.trace(format!("the step: {verb} {}", target.describe(name.as_deref())));
            return self.write_of_step(request, &target, verb).await;
        };
        self.admit(|| format!("{verb} {}", target.describe(name.as_deref()))).await;
        let outcome = WriteOutcome::Sent;
        let write = Write { step: 0, verb, target: target.clone(), name, has_version, outcome };
        let number = stage.begin_write(write);
        let withheld = |reason| stage.end_write(number, WriteOutcome::Withheld(reason));
        if stage.state().refused_until.is_some_and(|until| Instant::now() < until) {
            withheld(REFUSED);
            return Ok(answer::too_many_requests(RETRY_AFTER));
        }
        let fault = stage.play.filter(|play| play.at == Moment::Write(number));
        if let Some(fault) = fault {
            stage.state().is_hurt = fault.kind != PlayKind::Conflict || has_version;
        }
        match fault.map(|play| play.kind) {
            Some(PlayKind::KillBefore) => {
                withheld("not sent: the controller is killed, and started again");
                stage.kill(None);
                return pending().await;
            }
            Some(PlayKind::Conflict) if has_version => {
                withheld("not executed: answered with 409 Conflict");
                return Ok(answer::conflict(&target));
            }
            Some(PlayKind::ServerError) => {
                withheld("not executed: answered with 500 InternalError");
                return Ok(answer::server_error());
            }
            Some(PlayKind::TooManyRequests) => {
                withheld(REFUSED);
                stage.state().refused_until = Some(Instant::now() + REFUSED_FOR);
                return Ok(answer::too_many_requests(RETRY_AFTER));
            }
            Some(PlayKind::MergedWrites) => {
                stage.note("from here on the watches show nothing until the controller is at rest");
                incarnation.gate.hold();
            }
            Some(PlayKind::WatchesCut) => incarnation.gate.hold(),
            _ => {}
        }
        let answered = self.execute(request, &target, verb, Some(number)).await;
        if fault.is_some_and(|play| play.kind == PlayKind::WatchesCut) {
            incarnation.gate.cut();
        }
        let (response, status) = match answered {
            Ok(answered) => answered,
            Err(error) => {
                stage.end_write(number, WriteOutcome::Failed(error.to_string()));
                return Err(error);
            }
        };
        stage.pass_moment(Moment::Write(number));
        self.hurt_answer(response, number, status, fault).await
    }

    /// Sends a write of a step, which may be the one whose events the watches of the controller do not show.
    async fn write_of_step(
        &self,
        request: Request<RequestBody>,
        target: &Target,
        verb: &'static str,
    ) -> Answer {
        let stage = &self.observer.stage;
        let incarnation = stage.current();
        let is_cut = {
            let mut state = stage.state();
            let at = Moment::Written(state.step);
            let is_cut = stage.play.is_some_and(|play| play.is(PlayKind::WatchesCut, at)) && !state.is_hurt;
            state.is_hurt |= is_cut;
            is_cut
        };
        if is_cut {
            incarnation.gate.hold();
        }
        let answered = self.execute(request, target, verb, None).await;
        if is_cut {
            stage.note("the watches lose their connections");
            incarnation.gate.cut();
        }
        answered.map(|(response, _)| response)
    }

    /// Withholds the answer to an executed write, or gives another, if the play is such.
    async fn hurt_answer(
        &self,
        response: Response<ResponseBody>,
        number: usize,
        got: Executed,
        fault: Option<Play>,
    ) -> Answer {
        let stage = &self.observer.stage;
        let (kind, from) = (fault.map(|play| play.kind), fault.and_then(|play| play.from));
        let text = match kind {
            Some(PlayKind::KillAfter) => {
                Some("the controller is killed before it has the answer, and started again")
            }
            Some(PlayKind::Behind) => Some(
                "the controller is killed before it has the answer, and started again with caches that are behind",
            ),
            Some(PlayKind::Timeout) => Some("but answered with 504 Timeout"),
            Some(PlayKind::WatchesCut) => Some("and the watches lose their connections"),
            Some(PlayKind::ConnectionLost) => Some("but its connection is lost before the answer"),
            _ => None,
        };
        let outcome = WriteOutcome::Executed { status: got.status, effect: got.effect, got: text };
        stage.end_write(number, outcome);
        match kind {
            Some(PlayKind::KillAfter) => {
                stage.kill(None);
                pending().await
            }
            Some(PlayKind::Behind) => {
                let version = from.and_then(|from| stage.state().moments.version(from));
                stage.state().is_hurt = version.is_some();
                stage.kill(version);
                pending().await
            }
            Some(PlayKind::Timeout) => Ok(answer::timeout()),
            Some(PlayKind::ConnectionLost) => Err(io::Error::from(io::ErrorKind::ConnectionReset).into()),
            _ => Ok(response),
        }
    }

    /// Sends a write, and notes its effect.
    async fn execute(
        &self,
        request: Request<RequestBody>,
        target: &Target,
        verb: &'static str,
        number: Option<usize>,
    ) -> Result<(Response<ResponseBody>, Executed), BoxError> {
        let stage = &self.observer.stage;
        let before = stage.server.resource_version();
        let (head, body) = self.send(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        let status = head.status.as_u16();
        let changed =
            if head.status.is_success() { changed(verb, target, status, &body, before) } else { Vec::new() };
        stage.note_changed(number, target, &changed);
        let effect = changed.first().map_or(Effect::None, |first| first.effect);
        let response = Response::from_parts(head, ResponseBody::new(Full::new(body)));
        Ok((response, Executed { status, effect }))
    }
}

/// The result of a write that was sent.
struct Executed {
    status: u16,
    effect: Effect,
}

/// The seconds after which a refused write is to be sent again.
const RETRY_AFTER: u32 = 1;

/// The time for which writes are refused: longer than a client sends one again by itself.
const REFUSED_FOR: Duration = Duration::from_secs(30);

/// The outcome of a refused write.
const REFUSED: &str = "not executed: answered with 429 TooManyRequests";

/// The time-out, in seconds, of watches that are renewed.
const LONG: &str = "86400";

/// Returns true if a watch is one of those that go on for ever, and are renewed every few minutes. A play would be busy with
/// that for most of its time.
fn is_renewed(uri: &http::Uri) -> bool {
    let seconds = query(uri, "timeoutSeconds").and_then(|seconds| seconds.parse::<u64>().ok());
    seconds.is_none_or(|seconds| seconds >= 60)
}

/// Returns true if a list accepts an earlier version: one that wants the latest gets that from a server that is behind,
/// too.
fn is_served_from_cache(uri: &http::Uri, behind: u64) -> bool {
    let version = query(uri, "resourceVersion").and_then(|version| version.parse::<u64>().ok());
    query(uri, "continue").is_none()
        && query(uri, "resourceVersionMatch") != Some("Exact")
        && version.is_some_and(|version| version <= behind)
}
