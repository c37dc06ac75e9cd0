//! [`Mischief`], random faults of single requests.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;

use crate::proxy::{Act, Answer, Asked, Edit, Kind, status};
use crate::unreadable::spoilt;

pub(super) struct Mischief {
    random: Mutex<fastrand::Rng>,
    has_ended: AtomicBool,
    faults: Arc<AtomicUsize>,
    /// The number of replacements of the server.
    generation: AtomicUsize,
    /// The server that answered the last list of each client.
    listed: Mutex<HashMap<String, usize>>,
}

impl Mischief {
    pub(super) fn new(random: fastrand::Rng) -> Self {
        Mischief {
            random: Mutex::new(random),
            has_ended: AtomicBool::new(false),
            faults: Arc::default(),
            generation: AtomicUsize::new(0),
            listed: Mutex::default(),
        }
    }

    /// Ends all faults.
    pub(super) fn end(&self) {
        self.has_ended.store(true, Ordering::Relaxed);
    }

    /// Records that another server answers from now on.
    pub(super) fn turn(&self) {
        self.generation.fetch_add(1, Ordering::Relaxed);
    }

    /// The number of faults.
    pub(super) fn faults(&self) -> usize {
        self.faults.load(Ordering::Relaxed)
    }

    /// The fault of a request, if any.
    pub(super) fn answer(&self, asked: &Asked) -> Answer {
        let generation = self.generation.load(Ordering::Relaxed);
        let mut listed = self.listed.lock().unwrap();
        match asked.kind() {
            // Versions of one server mean nothing to another. A server that is properly restored from a
            // backup reports that: it has advanced its versions and forgotten its history.
            kind if (kind == Kind::Watch || !asked.get("continue").is_empty())
                && listed.get(&asked.source()) != Some(&generation) =>
            {
                return Answer::Failure(410, "Expired");
            }
            Kind::Watch => {}
            _ => drop(listed.insert(asked.source(), generation)),
        }
        if self.has_ended.load(Ordering::Relaxed) {
            return Answer::Edit(Box::new(|piece| Act::Instead(spoilt(piece))));
        }
        let mut random = self.random.lock().unwrap();
        let answer = match random.u8(..100) {
            0..5 => Answer::Failure(410, "Expired"),
            5..10 => Answer::Failure(429, "TooManyRequests"),
            10 => Answer::Later(1),
            11..14 => Answer::Failure(500, "InternalError"),
            14..17 => Answer::Failure(503, "ServiceUnavailable"),
            17..20 => Answer::Close,
            20 => Answer::Silence,
            21 => Answer::Text("<html>a proxy's own page</html>\n".to_owned()),
            22 if asked.kind() == Kind::Stream => Answer::Failure(400, "BadRequest"),
            23 => Answer::Failure(403, "Forbidden"),
            _ => return Answer::Edit(self.edit(random.fork(), asked.kind())),
        };
        self.faults.fetch_add(1, Ordering::Relaxed);
        answer
    }

    fn edit(&self, mut random: fastrand::Rng, kind: Kind) -> Edit {
        let swallows_bookmarks = random.u8(..10) == 0;
        let faults = self.faults.clone();
        Box::new(move |piece| {
            let is_bookmark = piece.windows(8).take(32).any(|word| word == b"BOOKMARK");
            if is_bookmark && swallows_bookmarks && kind != Kind::List {
                return Act::Skip;
            }
            // A list that is cut fails as a whole; an event that is cut or late comes as it was.
            let whole = spoilt(piece);
            let is_spoilt = whole != *piece;
            let act = match random.u16(..1000) {
                0..8 if kind == Kind::List || !is_spoilt => Act::Cut(random.usize(..1 << 20)),
                8..12 => Act::End,
                12..14 => Act::Silence,
                14..22 if !is_spoilt => Act::Delay(Duration::from_millis(random.u64(..40))),
                22..30 => Act::Instead(garbage(piece, &mut random)),
                _ if is_spoilt => return Act::Instead(whole),
                _ => return Act::Pass,
            };
            faults.fetch_add(1, Ordering::Relaxed);
            act
        })
    }
}

/// Bytes that cannot be taken for an event or a list.
fn garbage(piece: &Bytes, random: &mut fastrand::Rng) -> Bytes {
    let failure = |code: u16, reason: &str| {
        let mut status = status(code, reason, "in the middle");
        status["details"] = json!({});
        format!("{}\n", json!({"type": "ERROR", "object": status})).into()
    };
    let is_event = piece.starts_with(b"{\"type\"");
    match (is_event, random.u8(..4)) {
        (true, 0) => failure(410, "Expired"),
        (true, 1) => failure(429, "TooManyRequests"),
        (true, 2) => failure(500, "InternalError"),
        (true, _) => Bytes::from_static(b"{\"type\":\"ADDED\",\"obj\n"),
        (false, 0) => Bytes::from_static(b"\xff\xff\xff\xff\xff"),
        (false, _) => Bytes::from_static(b"\0\0\0\x05\xff\xff\xff\xff\xff"),
    }
}
