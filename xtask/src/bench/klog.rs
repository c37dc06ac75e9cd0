//! `cargo xtask bench klog`: lines of a log to a file, and lines that are not logged, beside klog and tracing-subscriber's fmt.

use super::peer::Peer;
use super::row::{Row, Rows};
use super::runs::in_turn;
use super::{DATA, build, folder, go, record};

/// Lines of a run.
const LINES: u32 = 1_000_000;

/// Lines of a run that are not logged.
const DISABLED: u32 = 100_000_000;

/// The most nanoseconds of a line that is not logged.
const DISABLED_NANOS: f64 = 2.0;

/// Writes the same lines with each program in turn.
pub(crate) fn klog() -> Result<(), String> {
    let folder = folder()?;
    build::cargo(&folder, &["build", "--release", "--package", "log-bench"])?;
    let rust = Peer::new(folder.join("target/release/log-bench"), &folder);
    let go = go(&folder, "klog")?;
    let mut rows = Rows::default();
    for threads in [1, 4] {
        let words = format!("--lines {LINES} --threads {threads} --file {DATA}/log");
        let (ours, json, fmt) =
            (format!("klog {words}"), format!("klog {words} --format json"), format!("fmt {words}"));
        let runs = in_turn([(&rust, &*ours), (&rust, &*json), (&rust, &*fmt), (&go, &*words)])?;
        let [ours, json, fmt, klog] = runs.map(|runs| runs.median("ns_per_line"));
        let (ours, klog) = (ours?, klog?);
        rows.push(Row::ratio(format!("line to a file, {threads} threads, ns, klog"), ours, klog, 0.5));
        rows.push(Row::told(
            format!("line to a file, {threads} threads, ns, tracing-subscriber"),
            ours,
            fmt?,
        ));
        rows.push(Row::told(
            format!("line of JSON to a file, {threads} threads, ns, klog's text"),
            json?,
            klog,
        ));
        let words = format!("--lines {DISABLED} --threads {threads} --file {DATA}/log --disabled");
        let go_words = words.replace(&DISABLED.to_string(), &LINES.to_string());
        let (ours, fmt) = (format!("klog {words}"), format!("fmt {words}"));
        let vmodule = format!("{ours} --vmodule");
        let go_vmodule = format!("{go_words} --vmodule");
        let runs = in_turn([
            (&rust, &*ours),
            (&rust, &*vmodule),
            (&rust, &*fmt),
            (&go, &*go_words),
            (&go, &*go_vmodule),
        ])?;
        let [ours, vmodule, fmt, klog, klog_vmodule] = runs.map(|runs| runs.median("ns_per_line"));
        let (ours, vmodule) = (ours?, vmodule?);
        rows.push(Row::limit(format!("line not logged, {threads} threads, ns"), ours, DISABLED_NANOS));
        rows.push(Row::limit(
            format!("the same with --vmodule, {threads} threads, ns"),
            vmodule,
            DISABLED_NANOS,
        ));
        rows.push(Row::told(format!("line not logged, {threads} threads, ns, klog"), ours, klog?));
        rows.push(Row::told(
            format!("the same with --vmodule, {threads} threads, ns, klog"),
            vmodule,
            klog_vmodule?,
        ));
        rows.push(Row::told(
            format!("line not logged, {threads} threads, ns, tracing-subscriber"),
            ours,
            fmt?,
        ));
    }
    let words = format!("--lines {LINES} --file {DATA}/log");
    let (ours, fmt) = (format!("klog {words} --allocations"), format!("fmt {words} --allocations"));
    let runs = in_turn([(&rust, &*ours), (&rust, &*fmt), (&go, &*words)])?;
    let [ours, fmt, klog] = runs.map(|runs| runs.median("allocations_per_line"));
    let ours = ours?;
    rows.push(Row::told("allocations per line, klog", ours, klog?));
    rows.push(Row::told("allocations per line, tracing-subscriber", ours, fmt?));
    record("klog", &rows)
}
