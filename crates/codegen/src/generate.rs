//! All generated files, from facts.

use crate::facts::Facts;
use crate::file::GeneratedFile;
use crate::{apply, clientset, openapi, schema, types};

/// Generates all files.
///
/// # Panics
///
/// If the facts name a type that none of their packages holds.
pub fn generate(facts: &Facts) -> Vec<GeneratedFile> {
    let mut files = schema::generate(facts);
    files.push(openapi::generate(facts));
    files.extend(types::generate(facts));
    files.extend(apply::generate(facts));
    files.extend(clientset::generate(facts));
    files
}

/// The features of the `api`, `applyconfigurations`, `clientset` or `klient` crate, one for each API group.
pub fn features(facts: &Facts, name: &str) -> String {
    let of_types = types::features(facts);
    let of_configurations = apply::features(facts);
    let all = if name == "applyconfigurations" { &of_configurations } else { &of_types };
    let groups = quoted(all.keys().cloned());
    let mut out = match name {
        // The facade has features of its own before these.
        "klient" => format!("all-groups = [{groups}]\n"),
        _ => format!("[features]\ndefault = []\nall = [{groups}]\n"),
    };
    for (group, needs) in all {
        let mut needs = Vec::from_iter(needs.iter().cloned());
        let in_crate = |name: &str| format!("klient-{name}/{group}");
        match name {
            "applyconfigurations" => needs.push(in_crate("api")),
            "clientset" => needs = vec![in_crate("api")],
            "klient" => {
                needs = vec![in_crate("api")];
                needs.extend(of_configurations.contains_key(group).then(|| in_crate("applyconfigurations")));
                needs.push(in_crate("clientset"));
            }
            _ => {}
        }
        out.push_str(&format!("{group} = [{}]\n", quoted(needs)));
    }
    out
}

/// Names as items of a TOML array.
fn quoted(names: impl IntoIterator<Item = String>) -> String {
    names.into_iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ")
}
