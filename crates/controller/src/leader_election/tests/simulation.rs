//! Five candidates in virtual time, with everything that can go wrong, in random order: cut connections, slow and lost
//! requests and answers, wall clocks that jump, machines that sleep, processes that crash, and clocks of different speed.
//!
//! Never are two guards valid at once, tokens only grow, and there is a leader again when the faults end. `KLIENT_SEED` is
//! the first seed, `KLIENT_SEEDS` the number of seeds.

use std::sync::Arc;
use std::time::Duration;

use klient_api::coordination::v1::Lease;

use super::super::config::{LeaderElectionConfig, LeaseLock};
use super::super::election::{Action, Answer, Election, Input, Notice, Request};
use super::super::tenure::Tenure;
use crate::simulation::{Host, MINUTE, SECOND, Schedule, seeds};

const MACHINES: usize = 5;

/// The time with faults, and the time after it in which a leader must be elected.
const FAULTS: u64 = 20 * MINUTE;
const CALM: u64 = 2 * MINUTE;

#[test]
fn never_are_two_guards_valid_at_once() {
    let seeds = seeds(200);
    let mut elections = 0;
    for seed in seeds.clone() {
        elections += World::new(seed).run();
    }
    // A world in which nobody is ever elected would prove nothing.
    let worlds = seeds.end - seeds.start;
    assert!(elections > 10 * worlds, "{elections} elections in {worlds} worlds");
}

/// The server, the machines and what is under way between them.
struct World {
    seed: u64,
    random: fastrand::Rng,
    now: u64,
    events: Schedule<Event>,
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
    host: Host,
    election: Election,
    tenure: Option<Arc<Tenure>>,
    /// The number of the action of which the end is awaited. Ends of earlier ones do not count.
    serial: u64,
    is_stopping: bool,
    restarts: u32,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut world = World {
            seed,
            random: fastrand::Rng::with_seed(seed),
            now: 0,
            events: Schedule::new(),
            machines: Vec::new(),
            lease: None,
            version: 1,
            greatest_token: -1,
            elections: 0,
        };
        for machine in 0..MACHINES {
            let election = world.election(machine, 0);
            let host = Host::new(&mut world.random, 980_000..1_020_000);
            let state = Machine { host, election, tenure: None, serial: 0, is_stopping: false, restarts: 0 };
            world.machines.push(state);
            let start = world.random.u64(0..5 * SECOND);
            world.events.add(start, Event::Input { machine, serial: 0, input: Input::Due });
            world.events.add(start, Event::Fault { machine });
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

    /// Runs to the end, and returns the number of elections.
    fn run(mut self) -> u64 {
        while let Some((time, event)) = self.events.next_until(FAULTS + CALM) {
            self.now = time;
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
            let now = machine.host.moment(self.now);
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
        let asleep_until = self.machines[machine].host.asleep_until;
        if asleep_until > self.now {
            // Nothing happens on a machine that sleeps.
            return self.events.add(asleep_until, Event::Input { machine, serial, input });
        }
        if self.machines[machine].serial == serial {
            self.step(machine, input);
        }
    }

    fn step(&mut self, index: usize, input: Input) {
        let machine = &mut self.machines[index];
        machine.serial += 1;
        let serial = machine.serial;
        let action = machine.election.step(machine.host.clocks(self.now), input);
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
                let end = machine.host.time_of(end);
                let answer = Input::Answer(Answer::Failed);
                self.events.add(end, Event::Input { machine: index, serial, input: answer });
                if let Some(delay) = self.transmission(index) {
                    let arrival = Event::Arrival { machine: index, serial, request };
                    self.events.add(self.now + delay, arrival);
                }
            }
            Action::Wait(end) => {
                let end = machine.host.time_of(end);
                self.events.add(end, Event::Input { machine: index, serial, input: Input::Due });
            }
            Action::Done => {
                // It runs for office again.
                machine.is_stopping = false;
                let again = self.now + self.random.u64(0..2 * SECOND);
                self.events.add(again, Event::Input { machine: index, serial, input: Input::Due });
            }
        }
    }

    /// The time that a message between a machine and the server takes, if it arrives.
    fn transmission(&mut self, machine: usize) -> Option<u64> {
        let lost = if self.now < FAULTS { 3 } else { 0 };
        self.machines[machine].host.transmission(self.now, lost, &mut self.random)
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
            self.events.add(self.now + delay, Event::Input { machine, serial, input });
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
        let machine = &mut self.machines[index];
        match self.random.u8(..12) {
            // A crash and a restart, under the same identity or another.
            kind @ (0 | 1) => {
                let restarts = machine.restarts + u32::from(kind);
                let serial = machine.serial + 1;
                let election = self.election(index, restarts);
                let machine = &mut self.machines[index];
                (machine.election, machine.tenure) = (election, None);
                (machine.serial, machine.restarts, machine.is_stopping) = (serial, restarts, false);
                self.events.add(end, Event::Input { machine: index, serial, input: Input::Due });
            }
            2 | 3 if machine.host.asleep_until <= self.now && !machine.is_stopping => {
                machine.is_stopping = true;
                self.step(index, Input::Stop);
            }
            2 | 3 => {}
            _ => machine.host.disturb(end, &mut self.random),
        }
        self.events.add(next, Event::Fault { machine: index });
    }
}
