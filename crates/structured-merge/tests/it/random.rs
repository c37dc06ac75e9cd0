//! Invariants of all sets and of all sequences of writes.

use std::collections::BTreeSet;
use std::io::Write as _;

use fastrand::Rng;
use klient_structured_merge::{Duplicates, FieldSet, Operation, Path, PathElement, Schema, Typed};
use serde_json::{Value, json};

use crate::live::Live;

/// Runs `test` with random numbers, and prints the seed of the run that fails.
fn with_seeds(runs: u64, test: impl Fn(&mut Rng)) {
    struct Failed(u64);
    impl Drop for Failed {
        fn drop(&mut self) {
            if std::thread::panicking() {
                writeln!(std::io::stderr(), "failed with SEED={}", self.0)
                    .expect("standard error can be written");
            }
        }
    }
    let given = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok());
    let seeds: Vec<u64> =
        given.map_or_else(|| (0..runs).map(|_| fastrand::u64(..)).collect(), |seed| vec![seed]);
    for seed in seeds {
        let failed = Failed(seed);
        test(&mut Rng::with_seed(seed));
        drop(failed);
    }
}

fn element(rng: &mut Rng) -> PathElement {
    match rng.u8(..6) {
        0..3 => PathElement::field(["a", "b", "c"][rng.usize(..3)]),
        3 => PathElement::key([("name", json!(["x", "y"][rng.usize(..2)])), ("port", json!(rng.i32(0..2)))]),
        4 => PathElement::value(rng.i32(0..3)),
        _ => PathElement::index(rng.i64(0..3)),
    }
}

fn paths(rng: &mut Rng) -> BTreeSet<Path> {
    (0..rng.usize(..12)).map(|_| (0..rng.usize(1..4)).map(|_| element(rng)).collect()).collect()
}

fn set(paths: &BTreeSet<Path>) -> FieldSet {
    paths.iter().cloned().collect()
}

#[test]
fn sets_are_sets_of_paths() {
    with_seeds(2_000, |rng| {
        let (left, right) = (paths(rng), paths(rng));
        let (a, b) = (set(&left), set(&right));
        let is = |found: &FieldSet, expected: BTreeSet<Path>| {
            assert_eq!(found.iter().collect::<BTreeSet<_>>(), expected);
            assert_eq!(found.len(), expected.len());
            assert_eq!(*found, set(&expected));
            assert_eq!(FieldSet::from_json(&found.to_json()).expect("it can be read"), *found);
        };
        is(&a, left.clone());
        is(&a.union(&b), left.union(&right).cloned().collect());
        is(&a.intersection(&b), left.intersection(&right).cloned().collect());
        is(&a.difference(&b), left.difference(&right).cloned().collect());
        let above =
            |path: &Path| (1..=path.len()).any(|end| right.contains(&Path::from(path[..end].to_vec())));
        is(&a.recursive_difference(&b), left.iter().filter(|path| !above(path)).cloned().collect());
        let holds =
            |path: &Path| left.iter().any(|other| other.len() > path.len() && other.starts_with(path));
        is(&a.leaves(), left.iter().filter(|path| !holds(path)).cloned().collect());
        assert!(left.iter().all(|path| a.has(path)));
        assert!(right.iter().all(|path| a.has(path) == left.contains(path)));
        assert_eq!(a.union(&b).is_empty(), left.is_empty() && right.is_empty());
    });
}

fn pick<'a>(rng: &mut Rng, of: &[&'a str]) -> &'a str {
    of[rng.usize(..of.len())]
}

/// Some names, none twice. Lists are not empty: that one is there at all is no field, so that it may come back.
fn some<'a>(rng: &mut Rng, of: &[&'a str]) -> Vec<&'a str> {
    let mut some = of.to_vec();
    rng.shuffle(&mut some);
    some.truncate(rng.usize(1..=of.len()));
    some
}

fn container(rng: &mut Rng, name: &str) -> Value {
    let mut container = json!({"name": name});
    if rng.bool() {
        container["image"] = pick(rng, &["i:1", "i:2"]).into();
    }
    if rng.bool() {
        let env = some(rng, &["A", "B", "C"]).into_iter();
        container["env"] = env.map(|name| json!({"name": name, "value": pick(rng, &["1", "2"])})).collect();
    }
    if rng.bool() {
        let ports = some(rng, &["TCP", "UDP"]).into_iter();
        container["ports"] =
            ports.map(|protocol| json!({"containerPort": 53, "protocol": protocol})).collect();
    }
    if rng.bool() {
        container["args"] = json!([pick(rng, &["-a", "-b"])]);
    }
    container
}

fn deployment(rng: &mut Rng) -> Value {
    let mut web = json!({"metadata": {"name": "web"}});
    for name in some(rng, &["a", "b", "c"]) {
        web["metadata"]["labels"][name] = pick(rng, &["1", "2"]).into();
    }
    if rng.bool() {
        web["metadata"]["finalizers"] = some(rng, &["x/a", "x/b"]).into();
    }
    if rng.bool() {
        web["spec"]["replicas"] = rng.i32(1..4).into();
    }
    if rng.bool() {
        web["spec"]["selector"] = json!({"matchLabels": {pick(rng, &["a", "b"]): "1"}});
    }
    if rng.bool() {
        let names = some(rng, &["a", "b", "c"]);
        web["spec"]["template"]["spec"]["containers"] =
            names.into_iter().map(|name| container(rng, name)).collect();
    }
    web
}

#[test]
fn stories_keep_their_promises() {
    let schema = Schema::builtin(&klient_schema::apps_v1::DEPLOYMENT);
    with_seeds(300, |rng| {
        let mut web = Live::deployment();
        for _ in 0..rng.usize(1..12) {
            let manager = pick(rng, &["alice", "bob", "carol"]);
            let config = deployment(rng);
            if rng.u8(..3) == 0 {
                web.update(manager, |web| {
                    for (name, value) in config.as_object().expect("an object") {
                        web[name] = value.clone();
                    }
                });
            } else {
                let force = rng.bool();
                if let Err(error) = web.try_apply(manager, &config, force) {
                    assert!(error.is_conflict() && !force, "{error}");
                    assert!(error.conflicts().iter().all(|conflict| conflict.manager.name != manager
                        || conflict.manager.operation == Operation::Update));
                    continue;
                }
                // All that was applied is there, and is owned.
                let of_config =
                    Typed::new(config.as_object().expect("an object"), &schema, Duplicates::Refuse);
                let of_config = of_config.expect("it follows the schema").field_set();
                let object = Value::Object(web.object.clone());
                let typed = Typed::new(object.as_object().expect("an object"), &schema, Duplicates::Allow);
                let merged = typed.expect("it follows the schema").field_set();
                assert_eq!(of_config.difference(&merged), FieldSet::EMPTY);
                // The same again changes nothing.
                let before = web.object.clone();
                web.apply(manager, config);
                assert_eq!(web.object, before);
            }
            owners_own_what_exists(&web, &schema);
        }
        what_one_alone_owns_goes_with_it(&mut web, &schema);
    });
}

#[track_caller]
fn owners_own_what_exists(web: &Live, schema: &Schema) {
    let seen = web.seen();
    let typed = Typed::new(seen.as_object().expect("an object"), schema, Duplicates::Allow);
    let exists = typed.expect("it follows the schema").field_set();
    for (manager, owned) in web.managers().iter() {
        assert!(!owned.fields.is_empty());
        let leaves = owned.fields.leaves();
        for path in leaves.difference(&exists).iter() {
            // A struct or list that holds others, or held some when it was written.
            assert_eq!(
                manager.operation,
                Operation::Update,
                "{manager} owns {path}, which is not there: {seen}"
            );
        }
    }
}

/// A manager that applies nothing more owns nothing, and fields that only it owned are removed.
fn what_one_alone_owns_goes_with_it(web: &mut Live, schema: &Schema) {
    for manager in ["alice", "bob", "carol"] {
        let managers = web.managers();
        let own = klient_structured_merge::Manager::apply(manager, "");
        let Some(owned) = managers.get(&own).map(|owned| owned.fields.clone()) else { continue };
        let others = managers.iter().filter(|(other, _)| **other != own);
        let others = others.fold(FieldSet::EMPTY, |all, (_, owned)| all.union(&owned.fields));
        web.apply(manager, json!({"metadata": {"name": "web"}}));
        assert!(!web.managers().contains_key(&own));
        let seen = web.seen();
        let typed = Typed::new(seen.as_object().expect("an object"), schema, Duplicates::Allow);
        let left = typed.expect("it follows the schema").field_set();
        for path in owned.leaves().difference(&others).iter() {
            assert!(!left.has(&path), "{path} is still there after {manager} has left: {seen}");
        }
    }
}
