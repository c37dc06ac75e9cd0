//! Applies by several managers, one after the other: who owns a field owns one that is there, what is applied twice
//! changes nothing the second time, and what one alone owned goes with it.
#![no_main]

use klient_apimachinery::Time;
use klient_structured_merge::{FieldManager, Managers, Map, Schema, Updater};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

const MANAGERS: [&str; 3] = ["alice", "bob", "kubectl"];

/// What is wanted, as the bits of a number say.
fn config(bits: u16) -> Map {
    let has = |bit: u16| bits & (1 << bit) != 0;
    let value = |bit: u16| if has(bit) { "1" } else { "2" };
    let mut containers = Vec::new();
    for (bit, name) in [(0, "a"), (1, "b")] {
        if has(bit) {
            let mut container = json!({"name": name, "image": value(8)});
            if has(2) {
                container["ports"] = json!([{"containerPort": 80}, {"containerPort": 80, "protocol": value(9)}]);
            }
            if has(3) {
                container["args"] = json!([value(10)]);
            }
            containers.push(container);
        }
    }
    let mut pod = json!({"metadata": {"name": "pod"}, "spec": {"restartPolicy": "Always"}});
    // An empty list is owned by nobody, and so comes and goes.
    if !containers.is_empty() {
        pod["spec"]["containers"] = containers.into();
    }
    if has(4) {
        pod["metadata"]["labels"] = json!({value(11): value(12)});
    }
    if has(5) {
        pod["metadata"]["finalizers"] = json!([value(13)]);
    }
    if has(6) {
        pod["spec"]["nodeSelector"] = json!({"x": value(14)});
    }
    if has(7) {
        pod["spec"]["hostname"] = if has(15) { Value::Null } else { value(15).into() };
    }
    pod.as_object().cloned().expect("an object")
}

fuzz_target!(|steps: Vec<(u8, u16)>| {
    let updater = Updater::of_one("v1", Schema::builtin(&klient_schema::core_v1::POD));
    let fields = FieldManager { updater: &updater, api_version: "v1", kind: "Pod", ..FieldManager::default() };
    let mut live = Map::new();
    for (number, (how, bits)) in steps.into_iter().take(24).enumerate() {
        let now = Time::from_unix(i64::try_from(number).expect("a small number"));
        let manager = MANAGERS[usize::from(how % 3)];
        let wanted = config(bits);
        if how & 0x80 != 0 {
            let mut new = wanted;
            if let Some(fields) = live.get("metadata").and_then(|metadata| metadata.get("managedFields")) {
                new["metadata"]["managedFields"] = fields.clone();
            }
            fields.update(&live, &mut new, manager, now).expect("what fits its schema is recorded");
            live = new;
        } else {
            let Ok(applied) = fields.apply(&live, &wanted, manager, how & 0x40 != 0, now) else { continue };
            // An object of which nobody owns anything is taken for somebody's when it is next applied to.
            if Managers::of(&applied).expect("what was written can be read").is_empty() {
                live = applied;
                continue;
            }
            let again = fields.apply(&applied, &wanted, manager, false, now).expect("one's own is no conflict");
            assert_eq!(again, applied, "applied twice");
            live = applied;
        }
        let managers = Managers::of(&live).expect("what was written can be read");
        assert!(managers.values().all(|owned| !owned.fields.is_empty()), "who owns nothing is not told of");
    }
});
