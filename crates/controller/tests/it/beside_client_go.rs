//! Candidates of client-go and of klient on one Lease, with outages and crashes in random order: while a guard of klient is
//! valid nobody else leads.
//!
//! `cargo xtask e2e leaderelection` builds client-go's candidate and runs this test. `KLIENT_SEED` repeats a run.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use klient_apiserver::TestServer;
use klient_client::{Client, Config};
use klient_controller::leader_election::{LeaderElectionConfig, LeaderElector, LeaseLock};
use tokio::task::JoinHandle;

const LEASE: Duration = Duration::from_secs(4);
const RENEW: Duration = Duration::from_secs(2);
const RETRY: Duration = Duration::from_millis(500);

/// The number of outages, crashes and stops.
const ROUNDS: usize = 16;

/// The terms of all candidates: the name, and nanoseconds of the begin and of the end. klient's names begin with `klient`.
type Terms = Arc<Mutex<Vec<(String, u128, Option<u128>)>>>;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Go: cargo xtask e2e leaderelection"]
async fn candidates_of_client_go_and_of_klient_never_lead_at_once() {
    let seed =
        std::env::var("KLIENT_SEED").ok().map_or_else(|| fastrand::u64(..), |seed| seed.parse().unwrap());
    println!("KLIENT_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let program =
        std::env::var("KLIENT_CLIENT_GO_CANDIDATE").expect("cargo xtask e2e leaderelection names it");
    let server = TestServer::start().await.unwrap();
    let kubeconfig = std::env::temp_dir().join(format!("klient-leaderelection-{}", std::process::id()));
    std::fs::write(&kubeconfig, server.kubeconfig()).unwrap();
    let client = Client::new(Config::from_kubeconfig(&server.kubeconfig()).unwrap()).unwrap();

    let terms = Terms::default();
    let of_go = |number: usize| Go::start(&program, kubeconfig.to_str().unwrap(), number, &terms);
    let of_klient = |number: usize| Klient::start(&client, number, &terms);
    let mut go: Vec<Go> = (0..2).map(of_go).collect();
    let mut klient: Vec<Klient> = (0..2).map(of_klient).collect();
    for _ in 0..ROUNDS {
        tokio::time::sleep(Duration::from_millis(random.u64(..6000))).await;
        match random.u8(..6) {
            0 | 1 => {
                server.stop().await;
                tokio::time::sleep(Duration::from_millis(random.u64(..6000))).await;
                server.restart().await.unwrap();
            }
            // Others get the Lease, as the new ones start with a pause.
            kind @ (2 | 3) => {
                for candidate in &mut go {
                    candidate.end(Command::new("kill").arg(if kind == 2 { "-KILL" } else { "-TERM" }));
                }
                go = (0..2).map(of_go).collect();
            }
            // The Lease is given up in the background.
            _ => klient = (0..2).map(of_klient).collect(),
        }
    }
    drop((go, klient));
    std::fs::remove_file(kubeconfig).unwrap();

    let terms = terms.lock().unwrap();
    let of_klient = |name: &str| name.starts_with("klient");
    for (index, (name, begin, end)) in terms.iter().enumerate().filter(|(_, (name, ..))| of_klient(name)) {
        for (other, (other_name, other_begin, other_end)) in terms.iter().enumerate() {
            let ends_before = |end: &Option<u128>, begin: &u128| end.is_some_and(|end| end <= *begin);
            let is_apart = ends_before(end, other_begin) || ends_before(other_end, begin);
            assert!(index == other || is_apart, "{name} and {other_name} lead at once: {terms:?}");
        }
    }
    let led = |is_klient: bool| terms.iter().filter(|(name, ..)| of_klient(name) == is_klient).count();
    println!("{} terms of klient, {} of client-go", led(true), led(false));
    assert!(led(true) > 0 && led(false) > 0, "only one of the two ever led: {terms:?}");
}

/// The pause before a candidate begins: one that begins as another ends would always be first.
fn pause() -> Duration {
    Duration::from_millis(fastrand::u64(..2000))
}

fn now() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos()
}

/// Ends the last term of a candidate, if it has not ended.
fn end_term(terms: &Terms, name: &str, time: u128) {
    let mut terms = terms.lock().unwrap();
    if let Some((_, _, end)) = terms.iter_mut().rev().find(|(of, ..)| of == name) {
        end.get_or_insert(time);
    }
}

/// A process with client-go's candidate.
struct Go {
    name: String,
    child: Child,
    terms: Terms,
    reader: Option<thread::JoinHandle<()>>,
}

impl Go {
    fn start(program: &str, kubeconfig: &str, number: usize, terms: &Terms) -> Self {
        let name = format!("client-go-{number}-{}", fastrand::u32(..));
        let mut command = Command::new(program);
        command.args(["-kubeconfig", kubeconfig, "-id", &name]);
        for (flag, time) in [("-lease", LEASE), ("-renew", RENEW), ("-retry", RETRY)] {
            command.arg(flag).arg(format!("{}ms", time.as_millis()));
        }
        command.arg("-pause").arg(format!("{}ms", pause().as_millis()));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let (of, sink) = (name.clone(), terms.clone());
        let reader = thread::spawn(move || {
            for line in lines {
                let (event, time) = line.split_once(' ').unwrap();
                let time = time.parse().unwrap();
                match event {
                    "leading" => sink.lock().unwrap().push((of.clone(), time, None)),
                    _ => end_term(&sink, &of, time),
                }
            }
        });
        Go { name, child, terms: terms.clone(), reader: Some(reader) }
    }

    /// Ends the process by a signal.
    fn end(&mut self, kill: &mut Command) {
        kill.arg(self.child.id().to_string()).status().unwrap();
        self.child.wait().unwrap();
        let time = now();
        self.reader.take().unwrap().join().unwrap();
        end_term(&self.terms, &self.name, time);
    }
}

impl Drop for Go {
    fn drop(&mut self) {
        if self.reader.is_some() {
            self.end(Command::new("kill").arg("-KILL"));
        }
    }
}

/// A task with klient's candidate.
struct Klient {
    task: JoinHandle<()>,
}

/// A term of klient, which ends when the guard is lost or the task is dropped.
struct Term<'a>(&'a Terms, &'a str);

impl Drop for Term<'_> {
    fn drop(&mut self) {
        end_term(self.0, self.1, now());
    }
}

impl Klient {
    fn start(client: &Client, number: usize, terms: &Terms) -> Self {
        let name = format!("klient-{number}-{}", fastrand::u32(..));
        let lock = LeaseLock {
            namespace: "default".into(),
            name: "lock".into(),
            identity: name.as_str().into(),
            ..Default::default()
        };
        let config = LeaderElectionConfig {
            lease_duration: LEASE,
            renew_deadline: RENEW,
            retry_period: RETRY,
            ..Default::default()
        };
        let elector = LeaderElector::new(client.clone(), lock, config).unwrap();
        let terms = terms.clone();
        let pause = pause();
        let task = tokio::spawn(async move {
            tokio::time::sleep(pause).await;
            loop {
                let leadership = elector.acquire().await;
                terms.lock().unwrap().push((name.clone(), now(), None));
                let _term = Term(&terms, &name);
                leadership.lost().await;
            }
        });
        Klient { task }
    }
}

impl Drop for Klient {
    fn drop(&mut self) {
        self.task.abort();
    }
}
