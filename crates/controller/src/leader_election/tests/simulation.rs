//! Five candidates in virtual time, with everything that can go wrong, in random order: cut connections, slow and lost
//! requests and answers, wall clocks that jump, machines that sleep, processes that crash, and clocks of different speed.
//!
//! Never are two guards valid at once, tokens only grow, and there is a leader again when the faults end. `KLIENT_SEED` is
//! the first seed, `KLIENT_SEEDS` the number of seeds.

#![allow(clippy::print_stdout, reason = "a random test prints its seed")]

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::Duration;

use klient_api::coordination::v1::Lease;
use klient_apimachinery::MicroTime;

use super::super::clock::{Moment, Now};
use super::super::config::{LeaderElectionConfig, LeaseLock};
use super::super::election::{Action, Answer, Election, Input, Notice, Request};
use super::super::tenure::Tenure;

const MACHINES: usize = 5;
const MILLISECOND: u64 = 1_000_000;
const SECOND: u64 = 1000 * MILLISECOND;
const MINUTE: u64 = 60 * SECOND;

/// The time with faults, and the time after it in which a leader must be elected.
const FAULTS: u64 = 20 * MINUTE;
const CALM: u64 = 2 * MINUTE;

#[test]
fn never_are_two_guards_valid_at_once() {
    let variable = |name: &str| std::env::var(name).ok().map(|value| value.parse::<u64>().unwrap());
    let first = variable("KLIENT_SEED").unwrap_or_else(|| fastrand::u64(..1_000_000_000));
    let seeds = variable("KLIENT_SEEDS").unwrap_or(200);
    println!("KLIENT_SEED={first}, {seeds} seeds");
    let mut elections = 0;
    for seed in first..first + seeds {
        elections += World::new(seed).run();
    }
    // A world in which nobody is ever elected would prove nothing.
    assert!(elections > 10 * seeds, "{elections} elections in {seeds} worlds");
}

/// The server, the machines and what is under way between them.
struct World {
    seed: u64,
    random: fastrand::Rng,
    now: u64,
    events: BinaryHeap<Reverse<(u64, u64, usize)>>,
    pending: Vec<Option<Event>>,
    machines: Vec<Machine>,
    lease: Option<Lease>,
    version: u64,
    greatest_token: i32,
    elections: u64,
}

enum Event {
    /// The end of a wait, an answer, or the end of the time for one.
    Input {
        machine: usize,
        serial: u64,
        input: Input,
    },
    /// A request that arrives at the server.
    Arrival {
        machine: usize,
        serial: u64,
        request: Request,
    },
    Fault {
        machine: usize,
    },
}

struct Machine {
    election: Election,
    tenure: Option<Arc<Tenure>>,
    /// The number of the action of which the end is awaited. Ends of earlier ones do not count.
    serial: u64,
    is_stopping: bool,
    restarts: u32,
    /// The clocks: nanoseconds at the beginning of the world.
    boot: u64,
    wall: i64,
    /// The speed of the monotonic clock, in millionths.
    speed: u64,
    asleep_until: u64,
    cut_until: u64,
    slow_until: u64,
}

impl Machine {
    fn moment(&self, now: u64) -> Moment {
        let elapsed = u128::from(now) * u128::from(self.speed) / 1_000_000;
        Moment::after_boot(Duration::from_nanos(self.boot + elapsed as u64))
    }

    fn clocks(&self, now: u64) -> Now {
        let wall = MicroTime::from_unix_micros((self.wall + now as i64) / 1000);
        Now { moment: self.moment(now), wall }
    }

    /// The time of the world at which the monotonic clock shows a moment.
    fn time_of(&self, moment: Moment) -> u64 {
        let since_boot = moment.duration_since(Moment::after_boot(Duration::ZERO)).as_nanos() as u64;
        let elapsed = u128::from(since_boot.saturating_sub(self.boot));
        (elapsed * 1_000_000).div_ceil(u128::from(self.speed)) as u64
    }
}

impl World {
    fn new(seed: u64) -> Self {
        let mut world = World {
            seed,
            random: fastrand::Rng::with_seed(seed),
            now: 0,
            events: BinaryHeap::new(),
            pending: Vec::new(),
            machines: Vec::new(),
            lease: None,
            version: 1,
            greatest_token: -1,
            elections: 0,
        };
        for machine in 0..MACHINES {
            let election = world.election(machine, 0);
            let random = &mut world.random;
            let machine_state = Machine {
                election,
                tenure: None,
                serial: 0,
                is_stopping: false,
                restarts: 0,
                boot: random.u64(0..1000 * SECOND),
                wall: random.i64(0..1_700_000_000) * SECOND as i64,
                speed: random.u64(980_000..1_020_000),
                asleep_until: 0,
                cut_until: 0,
                slow_until: 0,
            };
            world.machines.push(machine_state);
            let start = world.random.u64(0..5 * SECOND);
            world.schedule(start, Event::Input { machine, serial: 0, input: Input::Due });
            world.schedule(start, Event::Fault { machine });
        }
        world
    }

    fn election(&mut self, machine: usize, restarts: u32) -> Election {
        let lock = LeaseLock {
            namespace: "default".into(),
            name: "lock".into(),
            identity: format!("machine-{machine}-{restarts}").into(),
            labels: [("app", "shop")].into(),
        };
        // Not all candidates agree on the times.
        let lease_duration = Duration::from_secs(self.random.u64(11..18));
        let config = LeaderElectionConfig { lease_duration, ..Default::default() };
        Election::new(lock, config, fastrand::Rng::with_seed(self.random.u64(..)))
    }

    fn schedule(&mut self, time: u64, event: Event) {
        self.pending.push(Some(event));
        self.events.push(Reverse((time, self.pending.len() as u64, self.pending.len() - 1)));
    }

    /// Runs to the end, and returns the number of elections.
    fn run(mut self) -> u64 {
        while let Some(Reverse((time, _, index))) = self.events.pop() {
            if time > FAULTS + CALM {
                break;
            }
            self.now = time;
            let event = self.pending[index].take().expect("an event happens once");
            match event {
                Event::Input { machine, serial, input } => self.input(machine, serial, input),
                Event::Arrival { machine, serial, request } => self.arrive(machine, serial, request),
                Event::Fault { machine } => self.fault(machine),
            }
            self.check();
        }
        assert_eq!(self.leaders().len(), 1, "seed {}: nobody leads when the faults are over", self.seed);
        self.elections
    }

    fn leaders(&self) -> Vec<usize> {
        let is_valid = |machine: &&usize| {
            let machine = &self.machines[**machine];
            let now = machine.moment(self.now);
            machine.tenure.as_ref().is_some_and(|tenure| tenure.valid_until(now).is_ok())
        };
        [0, 1, 2, 3, 4].iter().filter(is_valid).copied().collect()
    }

    #[track_caller]
    fn check(&self) {
        let leaders = self.leaders();
        let seconds = Duration::from_nanos(self.now).as_secs_f64();
        assert!(leaders.len() <= 1, "seed {}, second {seconds}: machines {leaders:?} lead", self.seed);
    }

    fn input(&mut self, machine: usize, serial: u64, input: Input) {
        let asleep_until = self.machines[machine].asleep_until;
        if asleep_until > self.now {
            // Nothing happens on a machine that sleeps.
            return self.schedule(asleep_until, Event::Input { machine, serial, input });
        }
        if self.machines[machine].serial == serial {
            self.step(machine, input);
        }
    }

    fn step(&mut self, index: usize, input: Input) {
        let machine = &mut self.machines[index];
        machine.serial += 1;
        let serial = machine.serial;
        let action = machine.election.step(machine.clocks(self.now), input);
        for notice in machine.election.take_notices() {
            if let Notice::Elected(tenure) = notice {
                let token = tenure.token();
                assert!(token > self.greatest_token, "seed {}: token {token} again", self.seed);
                self.greatest_token = token;
                self.elections += 1;
                machine.tenure = Some(tenure);
            }
        }
        match action {
            Action::Send(request, end) => {
                let end = machine.time_of(end);
                let answer = Input::Answer(Answer::Failed);
                self.schedule(end, Event::Input { machine: index, serial, input: answer });
                if let Some(delay) = self.transmission(index) {
                    let arrival = Event::Arrival { machine: index, serial, request };
                    self.schedule(self.now + delay, arrival);
                }
            }
            Action::Wait(end) => {
                let end = machine.time_of(end);
                self.schedule(end, Event::Input { machine: index, serial, input: Input::Due });
            }
            Action::Done => {
                // It runs for office again.
                machine.is_stopping = false;
                let again = self.now + self.random.u64(0..2 * SECOND);
                self.schedule(again, Event::Input { machine: index, serial, input: Input::Due });
            }
        }
    }

    /// The time that a message between a machine and the server takes, if it arrives.
    fn transmission(&mut self, machine: usize) -> Option<u64> {
        let machine = &self.machines[machine];
        // The connection is cut, or the message lost.
        if machine.cut_until > self.now || (self.now < FAULTS && self.random.u8(..100) < 3) {
            return None;
        }
        let slow = [100 * MILLISECOND, 8 * SECOND, 40 * SECOND];
        let most =
            if machine.slow_until > self.now { slow[self.random.usize(..3)] } else { 50 * MILLISECOND };
        Some(self.random.u64(MILLISECOND..most))
    }

    fn arrive(&mut self, machine: usize, serial: u64, request: Request) {
        let answer = match (request, &self.lease) {
            (Request::Get, Some(lease)) => Answer::Found(Box::new(lease.clone())),
            (Request::Get | Request::Update(_), None) => Answer::NotFound,
            (Request::Create(_), Some(_)) => Answer::Conflict,
            (Request::Create(lease), None) => self.store(*lease),
            (Request::Update(lease), Some(stored))
                if lease.metadata.resource_version == stored.metadata.resource_version =>
            {
                self.store(*lease)
            }
            (Request::Update(_), Some(_)) => Answer::Conflict,
        };
        if let Some(delay) = self.transmission(machine) {
            let input = Input::Answer(answer);
            self.schedule(self.now + delay, Event::Input { machine, serial, input });
        }
    }

    fn store(&mut self, mut lease: Lease) -> Answer {
        self.version += 1;
        lease.metadata.resource_version = Some(self.version.to_string().into());
        self.lease = Some(lease.clone());
        Answer::Written(Box::new(lease))
    }

    /// Lets one thing go wrong on a machine, and plans the next.
    fn fault(&mut self, index: usize) {
        if self.now >= FAULTS {
            return;
        }
        let next = self.now + self.random.u64(SECOND..MINUTE);
        let end = (self.now + self.random.u64(SECOND..40 * SECOND)).min(FAULTS);
        let jump = self.random.i64(-3600..3600) * SECOND as i64 / [1, 60, 1800][self.random.usize(..3)];
        let kind = self.random.u8(..12);
        let restarts = self.machines[index].restarts + u32::from(kind == 9);
        let machine = &mut self.machines[index];
        match kind {
            0..3 => machine.cut_until = end,
            3..5 => machine.slow_until = end,
            5..7 => machine.wall += jump,
            7 => machine.asleep_until = end,
            // A crash and a restart, under the same identity or another.
            8..10 => {
                machine.tenure = None;
                machine.restarts = restarts;
                machine.serial += 1;
                machine.is_stopping = false;
                let serial = machine.serial;
                let election = self.election(index, restarts);
                self.machines[index].election = election;
                self.schedule(end, Event::Input { machine: index, serial, input: Input::Due });
            }
            _ if machine.asleep_until <= self.now && !machine.is_stopping => {
                machine.is_stopping = true;
                self.step(index, Input::Stop);
            }
            _ => {}
        }
        self.schedule(next, Event::Fault { machine: index });
    }
}
