//! [`Play`], the point at which a run is hurt, and the fault.

use std::fmt;
use std::str::FromStr;

/// The kind of a play: the point at which the run is hurt, and the fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PlayKind {
    /// The controller is killed before a write is sent, and started again.
    KillBefore,
    /// The controller is killed after a write has taken effect, before it has the answer, and started again.
    KillAfter,
    /// A write that names the resource version which it changes is answered with a conflict, and not executed.
    Conflict,
    /// A write is answered with an internal error, and not executed.
    ServerError,
    /// A write, and all that follow for half a minute, are answered with 429 and a `Retry-After` of a second, and not
    /// executed.
    TooManyRequests,
    /// A write takes effect, and is answered with a time-out of the server.
    Timeout,
    /// A write takes effect, and its connection is lost before the answer.
    ConnectionLost,
    /// The watches lose their connections after a write of the controller or the first one of a step, before they show its
    /// event.
    WatchesCut,
    /// The controller is started again at rest.
    Restart,
    /// The controller is down during a step, and started again after it.
    Down,
    /// The controller is started again, and its caches are behind: lists are answered from an earlier version, and the
    /// changes since then come when it is at rest.
    Behind,
    /// The watches show nothing of a step, and end after it, so that caches list again: of an object that was deleted, they
    /// learn that it is no more.
    Relist,
    /// Two steps follow each other at once, and the watches show the outcome only.
    MergedSteps,
    /// The watches show nothing from a write of the controller until it is at rest, and then the outcome only.
    MergedWrites,
}

impl PlayKind {
    /// All kinds.
    pub const ALL: [PlayKind; 14] = [
        PlayKind::KillBefore,
        PlayKind::KillAfter,
        PlayKind::Conflict,
        PlayKind::ServerError,
        PlayKind::TooManyRequests,
        PlayKind::Timeout,
        PlayKind::ConnectionLost,
        PlayKind::WatchesCut,
        PlayKind::Restart,
        PlayKind::Down,
        PlayKind::Behind,
        PlayKind::Relist,
        PlayKind::MergedSteps,
        PlayKind::MergedWrites,
    ];

    fn name(self) -> &'static str {
        match self {
            PlayKind::KillBefore => "kill-before",
            PlayKind::KillAfter => "kill-after",
            PlayKind::Conflict => "conflict",
            PlayKind::ServerError => "server-error",
            PlayKind::TooManyRequests => "too-many-requests",
            PlayKind::Timeout => "timeout",
            PlayKind::ConnectionLost => "connection-lost",
            PlayKind::WatchesCut => "watches-cut",
            PlayKind::Restart => "restart",
            PlayKind::Down => "down",
            PlayKind::Behind => "behind",
            PlayKind::Relist => "relist",
            PlayKind::MergedSteps => "merged-steps",
            PlayKind::MergedWrites => "merged-writes",
        }
    }

    /// Returns true if a step may need the controller to work while it is taken, which it cannot in such a play.
    pub(crate) fn may_block_steps(self) -> bool {
        matches!(self, PlayKind::Down | PlayKind::Relist | PlayKind::MergedSteps)
    }

    /// Returns true if the caches of the controller show, at all times, objects as they are or just were: all the values
    /// that it writes then are those of the reference run. Behind, they may show a mixture that never was.
    pub(crate) fn is_prompt(self) -> bool {
        match self {
            PlayKind::KillBefore
            | PlayKind::KillAfter
            | PlayKind::Conflict
            | PlayKind::ServerError
            | PlayKind::TooManyRequests
            | PlayKind::Timeout
            | PlayKind::ConnectionLost
            | PlayKind::Restart
            | PlayKind::Down => true,
            PlayKind::WatchesCut
            | PlayKind::Behind
            | PlayKind::Relist
            | PlayKind::MergedSteps
            | PlayKind::MergedWrites => false,
        }
    }
}

impl fmt::Display for PlayKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A moment of a run. Steps and writes count from 1; step 0 is the start of the controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Moment {
    /// The writes of a step are done.
    Written(usize),
    /// The answer to a write of the controller.
    Write(usize),
    /// The controller is at rest after a step.
    Step(usize),
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Moment::Written(step) => write!(f, "written{step}"),
            Moment::Step(step) => write!(f, "step{step}"),
            Moment::Write(write) => write!(f, "write{write}"),
        }
    }
}

impl FromStr for Moment {
    type Err = ();

    fn from_str(text: &str) -> Result<Moment, ()> {
        let parse = |number: &str| number.parse().map_err(drop);
        match text.split_at(text.find(|letter: char| letter.is_ascii_digit()).ok_or(())?) {
            ("written", step) => parse(step).map(Moment::Written),
            ("write", write) => parse(write).map(Moment::Write),
            ("step", step) => parse(step).map(Moment::Step),
            _ => Err(()),
        }
    }
}

/// The point at which a run is hurt, and the fault. Its text is what `KLIENT_PLAY` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Play {
    pub(crate) kind: PlayKind,
    /// A write of the controller, or a step, or the end of one.
    pub(crate) at: Moment,
    /// The earlier moment whose version the caches are filled from, of [`PlayKind::Behind`].
    pub(crate) from: Option<Moment>,
}

impl Play {
    /// Returns true if it is one of a kind at a moment.
    pub(crate) fn is(&self, kind: PlayKind, at: Moment) -> bool {
        self.kind == kind && self.at == at
    }
}

impl fmt::Display for Play {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.at)?;
        self.from.map_or(Ok(()), |from| write!(f, ":from-{from}"))
    }
}

impl FromStr for Play {
    type Err = ();

    fn from_str(text: &str) -> Result<Play, ()> {
        let mut parts = text.split(':');
        let kind = parts.next().and_then(|name| PlayKind::ALL.into_iter().find(|kind| kind.name() == name));
        let at = parts.next().ok_or(())?.parse()?;
        let from = parts.next().map(|from| from.strip_prefix("from-").ok_or(())?.parse()).transpose()?;
        let kind = kind.filter(|kind| from.is_some() == (*kind == PlayKind::Behind)).ok_or(())?;
        if parts.next().is_some() { Err(()) } else { Ok(Play { kind, at, from }) }
    }
}

/// The moments of a run in their order, with the server's version at each.
#[derive(Clone, Debug, Default)]
pub(crate) struct Moments(Vec<(Moment, u64)>);

impl Moments {
    pub(crate) fn push(&mut self, moment: Moment, version: u64) {
        self.0.push((moment, version));
    }

    /// The version at a moment, if the run has come to it.
    pub(crate) fn version(&self, moment: Moment) -> Option<u64> {
        self.0.iter().find(|(other, _)| *other == moment).map(|(_, version)| *version)
    }

    /// The moments before another whose versions differ from its own and from each other.
    fn before(&self, moment: Moment) -> Vec<Moment> {
        let version = self.version(moment).unwrap_or_default();
        let mut earlier: Vec<(Moment, u64)> = self.0.clone();
        earlier.truncate(self.0.iter().position(|(other, _)| *other == moment).unwrap_or_default());
        earlier.dedup_by_key(|(_, version)| *version);
        earlier.into_iter().filter(|(_, earlier)| *earlier < version).map(|(moment, _)| moment).collect()
    }

    /// The plays of a run: about ten for each write, and for each step as many as there are moments before its end.
    /// `has_version` tells of a write if it names the version that it changes.
    pub(crate) fn plays(&self, has_version: impl Fn(usize) -> bool) -> Vec<Play> {
        let mut plays = Vec::new();
        let mut last_step = None;
        for (at, _) in self.0.iter().copied() {
            let mut add = |kind, from| plays.push(Play { kind, at, from });
            match at {
                Moment::Write(write) => {
                    add(PlayKind::KillBefore, None);
                    add(PlayKind::KillAfter, None);
                    if has_version(write) {
                        add(PlayKind::Conflict, None);
                    }
                    add(PlayKind::ServerError, None);
                    add(PlayKind::TooManyRequests, None);
                    add(PlayKind::Timeout, None);
                    add(PlayKind::ConnectionLost, None);
                    add(PlayKind::WatchesCut, None);
                    add(PlayKind::MergedWrites, None);
                    // The caches lack the last write, or all of the step.
                    let earlier = self.before(at);
                    let previous = earlier.last().copied();
                    let of_step = last_step.filter(|step| earlier.contains(step));
                    add_behind(
                        &mut add,
                        of_step.filter(|step| Some(*step) != previous).into_iter().chain(previous),
                    );
                }
                Moment::Written(0) => {}
                Moment::Written(_) => {
                    add(PlayKind::WatchesCut, None);
                    add(PlayKind::Down, None);
                    add(PlayKind::Relist, None);
                }
                Moment::Step(step) => {
                    add(PlayKind::Restart, None);
                    add_behind(&mut add, self.before(at));
                    if step > 1 {
                        add(PlayKind::MergedSteps, None);
                    }
                    last_step = Some(at);
                }
            }
        }
        plays
    }
}

fn add_behind(add: &mut impl FnMut(PlayKind, Option<Moment>), moments: impl IntoIterator<Item = Moment>) {
    moments.into_iter().for_each(|moment| add(PlayKind::Behind, Some(moment)));
}
