//! Transcripts: inputs of an election at times, each with the actions and notices that follow.
//!
//! A line is `TIME INPUT -> ACTION; NOTICE …`. Times are seconds of the monotonic clock, which the wall clock follows
//! unless `wall SECONDS` moves it. A Lease is `HOLDER/DURATION #TRANSITIONS acquired TIME renewed TIME`.

use std::time::Duration;

use klient_api::coordination::v1::Lease;
use klient_apimachinery::MicroTime;

use super::super::clock::{Moment, Now};
use super::super::config::{LeaderElectionConfig, LeaseLock};
use super::super::election::{Action, Answer, Election, Input, Notice, Request};
use super::super::record;

/// Plays a transcript of candidate `a`, and compares the actions with those it names.
#[track_caller]
pub(super) fn check(transcript: &str) {
    check_with(LeaderElectionConfig::default(), transcript);
}

#[track_caller]
pub(super) fn check_with(config: LeaderElectionConfig, transcript: &str) {
    let lock = LeaseLock {
        namespace: "default".into(),
        name: "lock".into(),
        identity: "a".into(),
        labels: [("app", "shop")].into(),
    };
    let mut stage = Stage {
        retry: config.retry_period.as_secs_f64(),
        election: Election::new(lock, config, fastrand::Rng::with_seed(1)),
        wall_offset: 0.0,
        sent: None,
    };
    let expected: Vec<_> = transcript.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let mut actual = Vec::new();
    for line in &expected {
        let input = line.split(" -> ").next().unwrap().trim();
        actual.push(match input.strip_prefix("wall ") {
            Some(offset) => {
                stage.wall_offset = offset.parse().unwrap();
                input.to_owned()
            }
            None => {
                let (time, input) = input.split_once(' ').unwrap();
                format!("{time} {input} -> {}", stage.play(time.parse().unwrap(), input))
            }
        });
    }
    assert_eq!(actual.join("\n"), expected.join("\n"));
}

struct Stage {
    retry: f64,
    election: Election,
    wall_offset: f64,
    /// The last Lease that was sent.
    sent: Option<Lease>,
}

impl Stage {
    fn play(&mut self, time: f64, input: &str) -> String {
        let now = Now { moment: moment(time), wall: wall(time + self.wall_offset) };
        let (word, rest) = input.split_once(' ').unwrap_or((input, ""));
        let input = match word {
            "due" => Input::Due,
            "stop" => Input::Stop,
            "missing" => Input::Answer(Answer::NotFound),
            "conflict" => Input::Answer(Answer::Conflict),
            "failed" => Input::Answer(Answer::Failed),
            "written" => Input::Answer(Answer::Written(Box::new(self.sent.clone().unwrap()))),
            "found" if rest == "sent" => Input::Answer(Answer::Found(Box::new(self.sent.clone().unwrap()))),
            "found" => Input::Answer(Answer::Found(Box::new(lease(rest)))),
            other => panic!("unknown input {other}"),
        };
        let action = match self.election.step(now, input) {
            Action::Send(Request::Get, end) => format!("get until {}", show(end)),
            Action::Send(Request::Create(lease), end) => self.write("create", *lease, end),
            Action::Send(Request::Update(lease), end) => self.write("update", *lease, end),
            Action::Wait(end) => {
                let wait = end.duration_since(now.moment).as_secs_f64();
                let is_jittered = self.election.term().is_none();
                if is_jittered && (self.retry..=self.retry * 2.2).contains(&wait) {
                    "wait".to_owned()
                } else {
                    format!("wait until {}", show(end))
                }
            }
            Action::Done => "done".to_owned(),
        };
        let notices = self.election.take_notices().into_iter().map(|notice| match notice {
            Notice::Elected(tenure) => {
                format!(
                    "; elected #{} until {}",
                    tenure.token(),
                    show(tenure.valid_until(now.moment).unwrap())
                )
            }
            Notice::Lost(loss) => format!("; {loss}"),
            Notice::NewLeader(leader) => format!("; leader {leader}"),
            Notice::SlowPath => "; slow path".to_owned(),
            Notice::Unchanged { holder, duration } => {
                format!("; unchanged {holder}/{}", duration.as_secs())
            }
        });
        let until = self.election.term().and_then(|term| term.tenure.valid_until(now.moment).ok());
        let valid = until.map(|end| format!("; valid until {}", show(end)));
        action + &notices.collect::<String>() + valid.as_deref().unwrap_or_default()
    }

    fn write(&mut self, verb: &str, lease: Lease, end: Moment) -> String {
        let spec = &lease.spec;
        let time = |time: Option<MicroTime>| time.unwrap().unix_micros() as f64 / 1e6;
        let mut text = format!(
            "{verb} {}/{} #{} acquired {} renewed {}",
            record::holder(&lease),
            spec.lease_duration_seconds.unwrap(),
            record::transitions(&lease),
            time(spec.acquire_time),
            time(spec.renew_time),
        );
        for (key, value) in &lease.metadata.labels {
            if key != "app" || value.as_str() != "shop" {
                text += &format!(" {key}={value}");
            }
        }
        self.sent = Some(lease);
        format!("{text} until {}", show(end))
    }
}

/// A Lease of a script: `b/15 #3 renewed 10 preferring c labelled x`.
fn lease(text: &str) -> Lease {
    let mut words = text.split(' ');
    let (holder, duration) = words.next().unwrap().split_once('/').unwrap();
    let mut lease = Lease::default();
    lease.metadata.resource_version = Some("7".into());
    lease.metadata.labels = [("app", "shop")].into();
    lease.spec.holder_identity = Some(holder.into());
    lease.spec.lease_duration_seconds = duration.parse().ok();
    lease.spec.acquire_time = Some(wall(0.0));
    while let Some(word) = words.next() {
        match word.strip_prefix('#') {
            Some(token) => lease.spec.lease_transitions = Some(token.parse().unwrap()),
            None => {
                let value = words.next().unwrap();
                match word {
                    "renewed" => lease.spec.renew_time = Some(wall(value.parse().unwrap())),
                    "acquired" => lease.spec.acquire_time = Some(wall(value.parse().unwrap())),
                    "preferring" => lease.spec.preferred_holder = Some(value.into()),
                    "labelled" => drop(lease.metadata.labels.insert(value, "yes".into())),
                    other => panic!("unknown field {other}"),
                }
            }
        }
    }
    lease
}

fn moment(seconds: f64) -> Moment {
    Moment::after_boot(Duration::from_secs_f64(seconds))
}

fn wall(seconds: f64) -> MicroTime {
    MicroTime::from_unix_micros((seconds * 1e6) as i64)
}

fn show(moment: Moment) -> String {
    moment.duration_since(Moment::after_boot(Duration::ZERO)).as_secs_f64().to_string()
}
