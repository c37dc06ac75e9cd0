//! [`Http2`], a server that writes frames of HTTP/2 by a script: RST_STREAM and GOAWAY where a test wants them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::front::Front;

/// The reaction of a server to a request that has arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Answers it.
    Answer,
    /// Refuses the stream.
    Refuse,
    /// Resets the stream with another code.
    Reset,
    /// Closes the connection with a GOAWAY of this code, and does not process the request.
    GoAway(u32),
    /// Closes the connection with a GOAWAY, and answers the request.
    AnswerAndGoAway,
    /// Closes the connection with a GOAWAY that includes the request, and does not answer it.
    GoAwayAndCut,
    /// Leaves it waiting for a later step.
    Hold,
    /// Closes the connection with a GOAWAY, and answers half of the requests that wait: the older ones.
    AnswerHalf,
}

/// The code of a graceful GOAWAY.
pub(crate) const NO_ERROR: u32 = 0;
/// The code of a GOAWAY by a server that has too much to do.
pub(crate) const ENHANCE_YOUR_CALM: u32 = 11;

/// An HTTP/2 server that follows a script, and answers all requests after it.
pub(crate) struct Http2 {
    pub(crate) front: Front,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    script: VecDeque<Step>,
    /// Requests that arrived.
    arrived: usize,
    /// Requests that were answered.
    answered: usize,
}

impl Http2 {
    pub(crate) async fn start(script: impl IntoIterator<Item = Step>) -> Http2 {
        let state = State { script: script.into_iter().collect(), ..Default::default() };
        let state = Arc::new(Mutex::new(state));
        let shared = state.clone();
        let front = Front::tls("h2", move |stream, _| {
            let state = shared.clone();
            async move {
                Connection { stream, state, waiting: Vec::new() }.serve().await;
            }
        })
        .await;
        Http2 { front, state }
    }

    /// The number of requests that arrived.
    pub(crate) fn arrived(&self) -> usize {
        self.state.lock().unwrap().arrived
    }

    /// The number of requests that were answered.
    pub(crate) fn answered(&self) -> usize {
        self.state.lock().unwrap().answered
    }
}

struct Connection<S> {
    stream: S,
    state: Arc<Mutex<State>>,
    /// Streams whose requests wait.
    waiting: Vec<u32>,
}

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;

const END_STREAM: u8 = 1;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Serves until the client closes the connection, or the script does.
    async fn serve(mut self) -> Option<()> {
        let mut preface = [0; 24];
        self.stream.read_exact(&mut preface).await.ok()?;
        self.write(SETTINGS, 0, 0, &[]).await?;
        loop {
            let mut head = [0; 9];
            self.stream.read_exact(&mut head).await.ok()?;
            let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
            self.stream.read_exact(&mut payload).await.ok()?;
            let (kind, flags) = (head[3], head[4]);
            let id = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
            match kind {
                SETTINGS if flags & ACK == 0 => self.write(SETTINGS, ACK, 0, &[]).await?,
                PING if flags & ACK == 0 => self.write(PING, ACK, 0, &payload).await?,
                HEADERS | DATA if flags & END_STREAM != 0 => self.request(id).await?,
                _ => {}
            }
        }
    }

    /// Follows the script with a request that is complete.
    async fn request(&mut self, id: u32) -> Option<()> {
        let step = {
            let mut state = self.state.lock().unwrap();
            state.arrived += 1;
            state.script.pop_front().unwrap_or(Step::Answer)
        };
        match step {
            Step::Answer => self.answer(id).await,
            Step::Refuse => self.write(RST_STREAM, 0, id, &7_u32.to_be_bytes()).await,
            Step::Reset => self.write(RST_STREAM, 0, id, &2_u32.to_be_bytes()).await,
            Step::GoAway(code) => self.go_away(id.saturating_sub(2), code).await,
            Step::AnswerAndGoAway => {
                self.go_away(id, NO_ERROR).await?;
                self.answer(id).await
            }
            Step::GoAwayAndCut => {
                self.go_away(id, NO_ERROR).await?;
                None
            }
            Step::Hold => {
                self.waiting.push(id);
                Some(())
            }
            Step::AnswerHalf => {
                self.waiting.push(id);
                self.waiting.sort_unstable();
                let older: Vec<u32> = self.waiting[..self.waiting.len() / 2].to_vec();
                self.go_away(*older.last()?, NO_ERROR).await?;
                for id in older {
                    self.answer(id).await?;
                }
                Some(())
            }
        }
    }

    /// Answers with an empty JSON object.
    async fn answer(&mut self, id: u32) -> Option<()> {
        self.state.lock().unwrap().answered += 1;
        // `:status: 200` is number 8 of the static table of HPACK.
        self.write(HEADERS, END_HEADERS, id, &[0x88]).await?;
        self.write(DATA, END_STREAM, id, b"{}").await
    }

    async fn go_away(&mut self, last: u32, code: u32) -> Option<()> {
        self.write(GOAWAY, 0, 0, &[last.to_be_bytes(), code.to_be_bytes()].concat()).await
    }

    async fn write(&mut self, kind: u8, flags: u8, id: u32, payload: &[u8]) -> Option<()> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let mut frame = vec![length[1], length[2], length[3], kind, flags];
        frame.extend_from_slice(&id.to_be_bytes());
        frame.extend_from_slice(payload);
        self.stream.write_all(&frame).await.ok()?;
        self.stream.flush().await.ok()
    }
}
