//! Eight replicas that share keys in virtual time, with everything that can go wrong, in random order: cut connections,
//! slow and lost requests and answers, writes that take effect after they were given up, wall clocks that jump, machines
//! that sleep, clocks of different speed, processes that crash, leave and join, and work that is in hand for long.
//!
//! Never is a key in two hands, tokens only grow, and two lease durations after the faults have ended, and after each death
//! and each join from then on, all keys are in hands. That needs a member: a process that leaves takes no keys. The first
//! world has all of 10,000 keys, each other one a random part of them. `KLIENT_SEED` is the first seed, `KLIENT_SEEDS` the
//! number of seeds.

#![allow(clippy::print_stdout, reason = "a random test prints its seed")]

use std::sync::Arc;
use std::time::Duration;

use super::super::config::ShardingConfig;
use super::super::hands::Hands;
use super::super::key::ShardKey;
use super::super::member::{Action, Answer, Input, Member, Request};
use super::super::term::Term;
use super::group::Server;
use crate::simulation::{Host, MILLISECOND, MINUTE, SECOND, Schedule, seeds};

const MACHINES: usize = 8;
const KEYS: usize = 10_000;
const PART: usize = 500;

/// The time with faults.
const FAULTS: u64 = 8 * MINUTE;

/// The deaths and joins after it, and the longest lease duration: two of it are between them.
///
/// By the slowest clock, of 0.93, a lease duration takes 16.2 s and a retry period 2.2 s; a cycle of up to four requests of up
/// to 0.1 s each takes 2.6 s. A cycle after a death all have seen the last renewal, a lease duration and a cycle after that
/// the Lease is known to be that of a dead process, and a cycle later its keys are granted: 24 s.
const ROUNDS: u64 = 6;
const LEASE: u64 = 15 * SECOND;

/// The time in which the owner of a key gets it when the work at another process ends that has retained it: that process
/// gives it up within a cycle, as above, and the owner lists the group within another one: 5.2 s.
const HANDOVER: u64 = 6 * SECOND;

#[test]
fn never_is_a_key_in_two_hands_and_all_are_in_hands_again_within_two_lease_durations() {
    let seeds = seeds(100);
    let all = keys();
    let (mut grants, mut begun) = (0, 0);
    for seed in seeds.clone() {
        let keys = if seed == seeds.start { all.clone() } else { part(seed, &all) };
        let mut world = World::new(seed, keys.into());
        world.run_until(FAULTS);
        world.recover();
        grants += world.grants;
        begun += world.begun;
    }
    println!("{grants} grants of keys, {begun} keys taken in hand");
    // A world in which nobody ever gets a key would prove nothing.
    let worlds = seeds.end - seeds.start;
    assert!(
        grants > 50 * worlds && begun > 1000 * worlds,
        "{grants} grants and {begun} keys in {worlds} worlds"
    );
}

#[test]
fn all_are_in_hands_again_when_members_die_while_others_leave() {
    let all = keys();
    for seed in 1..=10 {
        let mut world = World::new(seed, part(seed, &all).into());
        world.run_until(FAULTS);
        for machine in 1..MACHINES {
            world.leave(machine);
        }
        world.recover();
    }
}

fn keys() -> Vec<ShardKey> {
    (0..KEYS).map(|key| ShardKey::from(&format!("default/web-{key}"))).collect()
}

fn part(seed: u64, keys: &[ShardKey]) -> Vec<ShardKey> {
    fastrand::Rng::with_seed(seed).choose_multiple(keys.iter().copied(), PART)
}

/// The server, the machines and what is under way between them.
struct World {
    seed: u64,
    random: fastrand::Rng,
    keys: Arc<[ShardKey]>,
    now: u64,
    events: Schedule<Event>,
    machines: Vec<Machine>,
    server: Server,
    /// The messages that get lost during the time with faults, per hundred.
    lost: u8,
    /// The greatest token of each key, and the process that had it.
    tokens: Vec<(u64, u64)>,
    /// The time at which work on each key ended last that was another's by then.
    handed_over: Vec<u64>,
    incarnations: u64,
    grants: u64,
    begun: u64,
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
    /// A machine takes a random key in hand.
    Work {
        machine: usize,
    },
    /// A key in hand is given back.
    Done {
        machine: usize,
        term: Arc<Term>,
        key: usize,
    },
}

struct Machine {
    host: Host,
    process: Option<Process>,
    /// The number of the action of which the end is awaited. Ends of earlier ones do not count.
    serial: u64,
    waits: bool,
}

struct Process {
    number: u64,
    /// It takes no more keys, and ends when its work does.
    is_leaving: bool,
    member: Member,
    hands: Arc<Hands>,
    /// The guards, each of a term and the place of a key.
    in_hand: Vec<(Arc<Term>, usize)>,
    /// The keys by the assignment with a serial, as bits.
    owned: (u64, Vec<u64>),
}

impl World {
    fn new(seed: u64, keys: Arc<[ShardKey]>) -> Self {
        let mut world = World {
            seed,
            random: fastrand::Rng::with_seed(seed),
            tokens: vec![(0, 0); keys.len()],
            handed_over: vec![0; keys.len()],
            keys,
            now: 0,
            events: Schedule::new(),
            machines: Vec::new(),
            server: Server::default(),
            lost: 0,
            incarnations: 0,
            grants: 0,
            begun: 0,
        };
        world.lost = [1, 3, 10, 25][world.random.usize(..4)];
        for machine in 0..MACHINES {
            // The shortest lease duration by the fastest is a little longer than the renew deadline by the slowest.
            let host = Host::new(&mut world.random, 930_000..1_070_000);
            let state = Machine { host, process: None, serial: 0, waits: false };
            world.machines.push(state);
            let start = world.random.u64(..20 * SECOND);
            world.events.add(start, Event::Fault { machine });
            world.events.add(start, Event::Work { machine });
            world.join(machine, start);
        }
        world
    }

    /// Starts a process on a machine.
    fn join(&mut self, machine: usize, time: u64) {
        self.incarnations += 1;
        // Not all agree on the times.
        let lease_duration = Duration::from_secs(self.random.u64(12..=15));
        let config = ShardingConfig {
            namespace: "default".into(),
            name: "shop".into(),
            lease_duration,
            ..Default::default()
        };
        let identity = format!("machine-{machine}-{}", self.incarnations);
        let hands = Arc::new(Hands::new());
        let random = fastrand::Rng::with_seed(self.random.u64(..));
        let state = &mut self.machines[machine];
        let member = Member::new(config, identity.into(), hands.clone(), random, state.host.moment(time));
        state.process = Some(Process {
            number: self.incarnations,
            is_leaving: false,
            member,
            hands,
            in_hand: Vec::new(),
            owned: (0, Vec::new()),
        });
        state.serial += 1;
        state.waits = true;
        let serial = state.serial;
        self.events.add(time, Event::Input { machine, serial, input: Input::Due });
    }

    /// Lets the process of a machine leave, if there is one, as soon as it waits.
    fn leave(&mut self, machine: usize) {
        while self.machines[machine].process.is_some() && !self.machines[machine].waits {
            self.run_until(self.now + MILLISECOND);
        }
        self.step(machine, Input::Stop);
    }

    /// Checks that all keys are in hands after the faults, and after deaths and joins, of which none leaves the group without
    /// a member.
    fn recover(&mut self) {
        if !self.has_member() {
            let machine = self.random.usize(..MACHINES);
            self.join(machine, self.now);
        }
        self.run_until(self.now + 2 * LEASE);
        self.check_all_in_hands("the faults have ended");
        for _ in 0..ROUNDS {
            let machine = self.random.usize(..MACHINES);
            match self.machines[machine].process.take() {
                Some(_) if self.has_member() => {}
                _ => self.join(machine, self.now),
            }
            self.run_until(self.now + 2 * LEASE);
            self.check_all_in_hands("a death or a join");
        }
    }

    fn has_member(&self) -> bool {
        self.machines.iter().filter_map(|machine| machine.process.as_ref()).any(|process| !process.is_leaving)
    }

    fn run_until(&mut self, end: u64) {
        while let Some((time, event)) = self.events.next_until(end) {
            self.now = time;
            match event {
                Event::Input { machine, serial, input } => self.input(machine, serial, input),
                Event::Arrival { machine, serial, request } => self.arrive(machine, serial, request),
                Event::Fault { machine } => self.fault(machine),
                Event::Work { machine } => self.work(machine),
                Event::Done { machine, term, key } => self.done(machine, &term, key),
            }
        }
        self.now = end;
    }

    /// Checks that no key is in two hands, or may be taken by two. That can begin only with another assignment: what is lost
    /// by time does not come back.
    #[track_caller]
    fn check(&mut self) {
        let mut all = vec![0; self.keys.len().div_ceil(64)];
        for (index, machine) in self.machines.iter().enumerate() {
            let Some(process) = &machine.process else { continue };
            let (_, owned) = &process.owned;
            let moment = machine.host.moment(self.now);
            // Whoever owns one of them owns all.
            let probe = owned.iter().enumerate().find(|(_, bits)| **bits != 0);
            let probe = probe.map(|(word, bits)| self.keys[word * 64 + bits.trailing_zeros() as usize]);
            let mut has = vec![0; all.len()];
            if probe.is_some_and(|key| process.hands.owns(key, moment)) {
                has.clone_from(owned);
            }
            for (term, key) in &process.in_hand {
                if term.valid_until(moment).is_ok() {
                    has[key / 64] |= 1 << (key % 64);
                }
            }
            for (all, has) in all.iter_mut().zip(&has) {
                let seconds = Duration::from_nanos(self.now).as_secs_f64();
                assert_eq!(
                    *all & has,
                    0,
                    "seed {}, second {seconds}: machine {index} and another",
                    self.seed
                );
                *all |= has;
            }
        }
    }

    #[track_caller]
    fn check_all_in_hands(&mut self, after: &str) {
        let keys = self.keys.clone();
        for (place, key) in keys.iter().enumerate() {
            let is_in_hand = self.machines.iter().any(|machine| {
                let moment = machine.host.moment(self.now);
                machine.process.as_ref().is_some_and(|process| {
                    process.hands.owns(*key, moment)
                        || process
                            .in_hand
                            .iter()
                            .any(|(term, in_hand)| *in_hand == place && term.valid_until(moment).is_ok())
                })
            });
            let seconds = Duration::from_nanos(self.now).as_secs_f64();
            // Its work has ended at one who had retained it.
            let is_handed_over = self.now < self.handed_over[place] + HANDOVER;
            assert!(
                is_in_hand || is_handed_over,
                "seed {}, second {seconds}: key {place} is in no hands after {after}",
                self.seed
            );
        }
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
        let clocks = machine.host.clocks(self.now);
        let Some(process) = &mut machine.process else { return };
        process.is_leaving |= matches!(input, Input::Stop);
        let action = process.member.step(clocks, input);
        process.member.take_notices();
        let assignment = process.hands.assignment();
        if assignment.serial() != process.owned.0 {
            let mut owned = vec![0; self.keys.len().div_ceil(64)];
            for (place, key) in self.keys.iter().enumerate() {
                owned[place / 64] |= u64::from(assignment.owns(*key)) << (place % 64);
            }
            process.owned = (assignment.serial(), owned);
            self.grants += u64::from(!assignment.is_none());
            self.check();
        }
        let machine = &mut self.machines[index];
        machine.waits = matches!(action, Action::Wait(_));
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
                machine.process = None;
                if self.now < FAULTS {
                    let again = self.now + self.random.u64(..2 * SECOND);
                    self.join(index, again);
                }
            }
        }
    }

    /// The time that a message between a machine and the server takes, if it arrives.
    fn transmission(&mut self, machine: usize) -> Option<u64> {
        let lost = if self.now < FAULTS { self.lost } else { 0 };
        let time = self.machines[machine].host.transmission(self.now, lost, &mut self.random)?;
        // A message that is under way for longer is a fault, too.
        let most = FAULTS.saturating_sub(self.now).max(50 * MILLISECOND);
        Some(time.min(most))
    }

    fn arrive(&mut self, machine: usize, serial: u64, request: Request) {
        let answer = self.server.serve(request);
        if let Some(delay) = self.transmission(machine) {
            let input = Input::Answer(answer);
            self.events.add(self.now + delay, Event::Input { machine, serial, input });
        }
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
            // A crash and a restart, as another member.
            0 | 1 => self.join(index, end),
            2 | 3 if machine.host.asleep_until <= self.now && machine.waits => self.step(index, Input::Stop),
            2 | 3 => {}
            _ => machine.host.disturb(end, &mut self.random),
        }
        self.events.add(next, Event::Fault { machine: index });
    }

    /// Takes a random key in hand, most for a short time, and plans the next.
    fn work(&mut self, index: usize) {
        let next = self.now + self.random.u64(..200 * MILLISECOND);
        self.events.add(next, Event::Work { machine: index });
        let machine = &mut self.machines[index];
        if machine.host.asleep_until > self.now {
            return;
        }
        let key = self.random.usize(..self.keys.len());
        let moment = machine.host.moment(self.now);
        let Some(process) = &mut machine.process else { return };
        let Some((term, assignment)) = process.hands.begin(self.keys[key], moment) else { return };
        let token: u64 = assignment.version().parse().unwrap();
        let (last, owner) = self.tokens[key];
        let is_greater = token > last || token == last && owner == process.number;
        assert!(is_greater, "seed {}: token {token} of key {key} after {last}", self.seed);
        self.tokens[key] = (token, process.number);
        self.begun += 1;
        process.in_hand.push((term.clone(), key));
        let now = self.now;
        for (other, machine) in self.machines.iter().enumerate().filter(|(other, _)| *other != index) {
            let moment = machine.host.moment(now);
            let of_other = machine.process.as_ref().map_or(&[][..], |process| &process.in_hand);
            let is_valid = |term: &Term| term.valid_until(moment).is_ok();
            let has = of_other.iter().any(|(term, in_hand)| *in_hand == key && is_valid(term));
            assert!(!has, "seed {}: key {key} is in the hands of machines {index} and {other}", self.seed);
        }
        let most = [20 * MILLISECOND, SECOND, 20 * SECOND, 2 * MINUTE][self.random.usize(..4)];
        let end = self.now + self.random.u64(..most);
        self.events.add(end, Event::Done { machine: index, term, key });
    }

    fn done(&mut self, index: usize, term: &Arc<Term>, key: usize) {
        let machine = &mut self.machines[index];
        if machine.host.asleep_until > self.now {
            let (awake, term) = (machine.host.asleep_until, term.clone());
            return self.events.add(awake, Event::Done { machine: index, term, key });
        }
        let Some(process) = &mut machine.process else { return };
        // The process that had it in hand may be gone.
        let place =
            process.in_hand.iter().position(|(other, place)| Arc::ptr_eq(other, term) && *place == key);
        if let Some(place) = place {
            process.in_hand.swap_remove(place);
            process.hands.end(term, self.keys[key]);
            if !process.hands.assignment().owns(self.keys[key]) {
                self.handed_over[key] = self.now;
            }
            // The driver is told.
            if machine.waits && process.hands.has_retained_too_much() {
                self.step(index, Input::Due);
            }
        }
    }
}
