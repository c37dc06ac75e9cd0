//! `cargo xtask bench cel`: evaluations of the rules of klient-cel's benchmark, beside cel-go with Kubernetes' libraries.

use std::fs;

use serde_json::{Value, json};

use super::row::{Row, Rows};
use super::runs::{RUNS, Runs};
use super::{folder, klient, record};
use crate::cel::Judge;
use crate::{go, root};

/// Evaluations of a run.
const EVALUATIONS: u32 = 20_000;

/// Evaluates each rule on the same object by both in turn.
pub(crate) fn cel() -> Result<(), String> {
    let mut judge = Judge::start(&go::build("cel")?)?;
    let klient = klient(&folder()?)?;
    let path = root().join("crates/cel/benches/rules.json");
    let text =
        fs::read_to_string(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let rules: Value =
        serde_json::from_str(&text).map_err(|error| format!("{} is no JSON: {error}", path.display()))?;
    let mut rows = Rows::default();
    for (name, rule) in rules["rules"].as_object().into_iter().flatten() {
        let question = json!({
            "expression": rule, "schema": rules["schema"], "self": rules["self"], "repeat": EVALUATIONS,
        });
        let (mut ours, mut theirs) = (Runs::default(), Runs::default());
        for _ in 0..RUNS {
            ours.push(&klient.run(&format!("cel --rule {name} --repeat {EVALUATIONS}"))?)?;
            theirs.push(&judge.ask("expression", &question)?.to_string())?;
        }
        let theirs = theirs.median("seconds")? / f64::from(EVALUATIONS) * 1e9;
        rows.push(Row::told(format!("{name}, ns, cel-go"), ours.median("ns_per_evaluation")?, theirs));
    }
    record("cel", &rows)
}
