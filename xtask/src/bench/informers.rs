//! `cargo xtask bench informers`: how informers and their stores compare.

use super::runs::{Runs, in_turn, median};
use super::{Bench, DATA, Row, Rows, record};

/// The arguments for an informer of client-go.
const CLIENT_GO: &str = "--enc pb --mode typed";

pub(crate) fn informers() -> Result<(), String> {
    let bench = Bench::build()?;
    bench.dump(100_000)?;
    let mut rows = Rows::default();
    let serving = bench.serve()?;
    // The server makes its pods when they are first asked for.
    for pods in [1, 1000, 10_000, 100_000] {
        bench.klient.run(&format!("items --n {pods}"))?;
    }
    sync(&bench, &mut rows)?;
    large_sync(&bench, &mut rows)?;
    watch(&bench, &mut rows)?;
    let idle = median(&bench.klient, "idle --n 1 --informers 20 --seconds 10", "cpu_ms")?;
    rows.push(Row::limit("20 idle informers, CPU ms in 10 s", idle, 10.0));
    drop(serving);
    index(&bench, &mut rows)?;
    record("informers", &rows)
}

/// The first list, of 10,000 pods.
fn sync(bench: &Bench, rows: &mut Rows) -> Result<(), String> {
    let (klient, ours) = (&bench.klient, "informer --n 10000");
    let theirs = format!("informer --n 10000 {CLIENT_GO}");
    let [packed, decoded, whole, listed, streamed, kube] = in_turn([
        (klient, ours),
        (klient, &format!("{ours} --keep decoded")),
        (klient, &format!("{ours} --managed-fields")),
        (&bench.client_go, &format!("{theirs} --strategy list")),
        (&bench.client_go, &format!("{theirs} --strategy watchlist")),
        (&bench.kube, "informer --n 10000 --strategy watchlist"),
    ])?;
    let client_go = better(listed, streamed, "wall_ms")?;
    for (what, name) in [("ms", "wall_ms"), ("CPU ms", "cpu_ms")] {
        let theirs = client_go.median(name)?;
        let name_of = |how| format!("first list of 10,000 pods, {how}, {what}, client-go");
        rows.push(Row::ratio(name_of("packed"), packed.median(name)?, theirs, 0.13));
        rows.push(Row::ratio(name_of("decoded"), decoded.median(name)?, theirs, 0.6));
        rows.push(Row::told(name_of("packed, managedFields kept"), whole.median(name)?, theirs));
        let name_of = format!("first list of 10,000 pods, packed, {what}, kube");
        rows.push(Row::told(name_of, packed.median(name)?, kube.median(name)?));
    }
    let resident = client_go.median("steady_rss_kb")?;
    let name_of = |how| format!("resident KiB with 10,000 pods, {how}, client-go");
    rows.push(Row::ratio(name_of("packed"), packed.median("steady_rss_kb")?, resident, 0.25));
    rows.push(Row::ratio(name_of("decoded"), decoded.median("steady_rss_kb")?, resident, 1.0));
    rows.push(Row::told(name_of("packed, managedFields kept"), whole.median("steady_rss_kb")?, resident));
    let name_of = "resident KiB with 10,000 pods, packed, kube";
    rows.push(Row::told(name_of, packed.median("steady_rss_kb")?, kube.median("steady_rss_kb")?));
    Ok(())
}

/// The first list, of 100,000 pods.
fn large_sync(bench: &Bench, rows: &mut Rows) -> Result<(), String> {
    let theirs = format!("informer --n 100000 {CLIENT_GO}");
    let [packed, paged, whole, listed, streamed] = in_turn([
        (&bench.klient, "informer --n 100000"),
        (&bench.klient, "informer --n 100000 --strategy list"),
        (&bench.klient, "informer --n 100000 --managed-fields"),
        (&bench.client_go, &format!("{theirs} --strategy list")),
        (&bench.client_go, &format!("{theirs} --strategy watchlist")),
    ])?;
    let client_go = better(listed, streamed, "wall_ms")?;
    let (wall, resident) = (client_go.median("wall_ms")?, client_go.median("steady_rss_kb")?);
    let name_of = |what, how| format!("{what} 100,000 pods, packed{how}, client-go");
    let kept = ", managedFields kept";
    rows.push(Row::ratio(name_of("ms for the first list of", ""), packed.median("wall_ms")?, wall, 0.1));
    rows.push(Row::told(name_of("ms for the first list of", kept), whole.median("wall_ms")?, wall));
    rows.push(Row::told(name_of("ms for the first list of", ", paged"), paged.median("wall_ms")?, wall));
    let ours = packed.median("steady_rss_kb")?;
    rows.push(Row::ratio(name_of("resident KiB with", ""), ours, resident, 0.25));
    rows.push(Row::told(name_of("resident KiB with", kept), whole.median("steady_rss_kb")?, resident));
    Ok(())
}

/// Changes, each taken and handed to one handler.
fn watch(bench: &Bench, rows: &mut Rows) -> Result<(), String> {
    let (klient, ours) = (&bench.klient, "watch --n 1000 --m 20000");
    let theirs = format!("{ours} {CLIENT_GO}");
    let [keys, decoding, whole, listed, streamed, kube] = in_turn([
        (klient, ours),
        (klient, &format!("{ours} --decode")),
        (klient, &format!("{ours} --managed-fields")),
        (&bench.client_go, &format!("{theirs} --strategy list")),
        (&bench.client_go, &format!("{theirs} --strategy watchlist")),
        (&bench.kube, &format!("{ours} --strategy watchlist")),
    ])?;
    let client_go = better(listed, streamed, "wall_ms")?.median("events_per_s")?;
    let [keys, decoding, whole, kube] = [keys, decoding, whole, kube].map(|runs| runs.median("events_per_s"));
    let keys = keys?;
    rows.push(Row::rate("changes per s, a handler taking keys, client-go", keys, client_go, 5.0));
    rows.push(Row::rate("changes per s, a handler decoding, client-go", decoding?, client_go, 1.5));
    rows.push(Row::told("changes per s, managedFields kept, client-go", whole?, client_go));
    rows.push(Row::told("changes per s, a handler taking keys, kube", keys, kube?));
    Ok(())
}

/// Reading a store of 100,000 pods.
fn index(bench: &Bench, rows: &mut Rows) -> Result<(), String> {
    let case = format!("index --n 100000 --data {DATA}");
    let [packed, decoded, client_go, kube] = in_turn([
        (&bench.klient, &case),
        (&bench.klient, &format!("{case} --keep decoded")),
        (&bench.client_go, &case),
        (&bench.kube, &case),
    ])?;
    let told = |name: String, runs: &Runs, peer: &Runs, figure: &str, other: &str| {
        Ok::<_, String>(Row::told(name, runs.median(figure)?, peer.median(other)?))
    };
    let get = "get of 100,000 pods by key, ns,";
    rows.push(Row::limit(format!("{get} decoded"), decoded.median("get_by_key_ns")?, 60.0));
    rows.push(Row::limit(format!("{get} decoded, and read"), decoded.median("get_and_read_ns")?, 1000.0));
    rows.push(Row::limit(
        format!("{get} packed, held elsewhere"),
        packed.median("get_and_read_held_ns")?,
        1000.0,
    ));
    rows.push(Row::limit(format!("{get} packed, and decoded"), packed.median("get_and_read_ns")?, 10_000.0));
    for (name, peer) in [("client-go", &client_go), ("kube", &kube)] {
        let figure = "get_by_key_ns";
        rows.push(told(format!("{get} decoded, {name}"), &decoded, peer, figure, figure)?);
    }
    let all = [
        ("list of a namespace of 2,000 in 100,000 pods, ns", "lister_namespace_ns", None),
        ("label selector over a namespace of 2,000, ns", "lister_namespace_selector_ns", None),
        ("list of 100,000 pods, ns", "lister_all_ns", None),
        ("label selector over 100,000 pods, ns", "lister_selector_ns", Some(1e6)),
        ("label selector with `in` over 100,000 pods, ns", "lister_selector_in_ns", Some(1e6)),
    ];
    for (name, figure, limit) in all {
        if let Some(limit) = limit {
            rows.push(Row::limit(format!("{name}, packed"), packed.median(figure)?, limit));
        }
        rows.push(told(format!("{name}, packed, client-go"), &packed, &client_go, figure, figure)?);
    }
    rows.push(told(
        "label selector over 100,000 pods, ns, packed, kube".to_owned(),
        &packed,
        &kube,
        "lister_selector_ns",
        "lister_selector_ns",
    )?);
    Ok(())
}

/// The runs in which a figure was less.
fn better(one: Runs, other: Runs, name: &str) -> Result<Runs, String> {
    Ok(if one.median(name)? <= other.median(name)? { one } else { other })
}
