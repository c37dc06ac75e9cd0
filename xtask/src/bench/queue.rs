//! `cargo xtask bench queue`: how the work queue compares.

use super::row::{Row, Rows};
use super::runs::in_turn;
use super::{folder, go, klient, record};

/// Distinct keys through a work queue: 100,000 added at once, time and again, by a task, or by a thread outside
/// the runtime; then ten each millisecond.
pub(crate) fn queue() -> Result<(), String> {
    let folder = folder()?;
    let (klient, client_go) = (klient(&folder)?, go(&folder, "gopeer")?);
    let mut rows = Rows::default();
    for workers in [1, 2, 4, 16, 64] {
        let case = format!("queue --workers {workers}");
        let thread = format!("{case} --thread");
        let [task, thread, client_go] = in_turn([(&klient, &case), (&klient, &thread), (&client_go, &case)])?;
        let mut push = |name: &str, figure: &str, row: &dyn Fn(String, f64, f64) -> Row| {
            let name = |from: &str| format!("{name}, {workers} workers{from}, client-go");
            let theirs = client_go.median(figure)?;
            rows.push(row(name(""), task.median(figure)?, theirs));
            rows.push(row(name(", added by a thread"), thread.median(figure)?, theirs));
            Ok::<_, String>(())
        };
        let rate = |name, ours, theirs| Row::rate(name, ours, theirs, 1.5);
        let ratio = |name, ours, theirs| Row::ratio(name, ours, theirs, 0.75);
        push("keys processed per s", "keys_per_s", &rate)?;
        push("CPU ns per key processed", "cpu_ns_per_key", &ratio)?;
        for (name, figure) in [
            ("from add to get, 10 keys per ms, p50 µs", "latency_p50_us"),
            ("from add to get, 10 keys per ms, p99 µs", "latency_p99_us"),
            ("CPU ns per key at 10 keys per ms", "paced_cpu_ns_per_key"),
        ] {
            let name = format!("{name}, {workers} workers, client-go");
            rows.push(Row::told(name, task.median(figure)?, client_go.median(figure)?));
        }
    }
    record("queue", &rows)
}
