//! All generated files, from facts.

use crate::facts::Facts;
use crate::file::GeneratedFile;
use crate::{apply, clientset, schema, types};

/// Generates all files.
///
/// # Panics
///
/// If the facts name a type that none of their packages holds.
pub fn generate(facts: &Facts) -> Vec<GeneratedFile> {
    let mut files = schema::generate(facts);
    files.extend(types::generate(facts));
    files.extend(apply::generate(facts));
    files.extend(clientset::generate(facts));
    files
}

/// The `[features]` table of the `api`, `applyconfigurations` or `clientset` crate.
pub fn features(facts: &Facts, name: &str) -> String {
    let features = match name {
        "applyconfigurations" => apply::features(facts),
        _ => types::features(facts),
    };
    let quoted =
        |names: Vec<String>| names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
    let mut out =
        format!("[features]\ndefault = []\nall = [{}]\n", quoted(features.keys().cloned().collect()));
    for (feature, mut needs) in features.into_iter().map(|(f, needs)| (f, Vec::from_iter(needs))) {
        match name {
            "applyconfigurations" => needs.push(format!("klient-api/{feature}")),
            "clientset" => needs = vec![format!("klient-api/{feature}")],
            _ => {}
        }
        out.push_str(&format!("{feature} = [{}]\n", quoted(needs)));
    }
    out
}
