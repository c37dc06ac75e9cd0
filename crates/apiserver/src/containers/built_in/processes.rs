//! [`Processes`], the processes of a container that can be seen and signalled: the main process and the commands of exec.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

/// The process number of the main process.
pub(super) const MAIN: u32 = 1;

/// The numbers and names of signals.
pub(super) const SIGNALS: [(u8, &str); 12] = [
    (1, "HUP"),
    (2, "INT"),
    (3, "QUIT"),
    (6, "ABRT"),
    (KILL, "KILL"),
    (10, "USR1"),
    (12, "USR2"),
    (14, "ALRM"),
    (15, "TERM"),
    (18, "CONT"),
    (STOP, "STOP"),
    (28, "WINCH"),
];

/// Signals that Linux keeps from the main process of a container, if its own processes send them.
const KILL: u8 = 9;
const STOP: u8 = 19;

/// Signals at which a process goes on.
const HARMLESS: [u8; 4] = [0, 18, STOP, 28];

/// The number that is added to that of a signal in the exit code of a process that it ends.
const SIGNALLED: u8 = 128;

/// The number of a signal by its number or its name, with or without `SIG`.
pub(super) fn signal(name: &str) -> Option<u8> {
    let upper = name.to_ascii_uppercase();
    let upper = upper.strip_prefix("SIG").unwrap_or(&upper);
    let named = SIGNALS.iter().find(|(_, name)| *name == upper).map(|(number, _)| *number);
    named.or_else(|| name.parse().ok().filter(|number| *number <= 64))
}

/// The processes of a container. Clones are the same.
#[derive(Clone, Default)]
pub(super) struct Processes(Arc<Mutex<Table>>);

#[derive(Default)]
struct Table {
    running: BTreeMap<u32, Running>,
    /// The last number that was given.
    last: u32,
}

struct Running {
    command: String,
    since: Instant,
    /// Takes the signal that ends it; none once it has one.
    end: Option<oneshot::Sender<u8>>,
}

/// A process, which ends when this is dropped.
pub(super) struct Process {
    processes: Processes,
    pid: u32,
    ended: oneshot::Receiver<u8>,
}

impl Processes {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds the main process.
    pub(super) fn begin_main(&self, command: String) -> Process {
        self.begin(MAIN, command)
    }

    /// Adds the command of an exec.
    pub(super) fn begin_command(&self, command: String) -> Process {
        let pid = {
            let mut table = self.table();
            table.last = table.last.max(MAIN).wrapping_add(1).max(MAIN + 1);
            table.last
        };
        self.begin(pid, command)
    }

    fn begin(&self, pid: u32, command: String) -> Process {
        let (end, ended) = oneshot::channel();
        let running = Running { command, since: Instant::now(), end: Some(end) };
        self.table().running.insert(pid, running);
        Process { processes: self.clone(), pid, ended }
    }

    /// Sends a signal to a process. False if there is none with the number.
    pub(super) fn signal(&self, pid: u32, signal: u8) -> bool {
        let mut table = self.table();
        let Some(process) = table.running.get_mut(&pid) else { return false };
        let is_kept = HARMLESS.contains(&signal) || (pid == MAIN && signal == KILL);
        if !is_kept && let Some(end) = process.end.take() {
            // It may end by itself just now.
            let _ = end.send(signal);
        }
        true
    }

    /// The number of each process, the time since its beginning and its command.
    pub(super) fn list(&self) -> Vec<(u32, Duration, String)> {
        let table = self.table();
        let line =
            |(pid, process): (&u32, &Running)| (*pid, process.since.elapsed(), process.command.clone());
        table.running.iter().map(line).collect()
    }
}

impl Process {
    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    /// Waits for a signal that ends the process, and returns its exit code.
    pub(super) async fn signalled(&mut self) -> u8 {
        match (&mut self.ended).await {
            Ok(signal) => SIGNALLED.saturating_add(signal),
            // The table has the sender until this is dropped.
            Err(_) => std::future::pending().await,
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.processes.table().running.remove(&self.pid);
    }
}
