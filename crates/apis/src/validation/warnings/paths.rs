//! Files of projected and similar volumes, by path.

use std::collections::BTreeMap;
use std::fmt;

use klient_apimachinery::go::quoted;

use super::MOST_CONFLICTS;
use crate::validation::at::At;

/// A file of a volume, and its source.
struct File {
    path: String,
    source: String,
}

impl File {
    fn new(path: &str, source: &str) -> Self {
        File { path: path.trim_end_matches('/').to_owned(), source: source.to_owned() }
    }
}

impl fmt::Display for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&quoted(&self.path))?;
        if self.source.is_empty() { Ok(()) } else { write!(f, " ({})", self.source) }
    }
}

/// The files of a volume.
#[derive(Default)]
struct Files {
    files: Vec<File>,
    /// The indices of files by path, with a `/` at its end.
    by_path: BTreeMap<String, Vec<usize>>,
    conflicts: usize,
}

impl Files {
    /// Adds a file, and warns of files at, above or below its path.
    fn add(&mut self, file: File, volume: &str, warnings: &mut Vec<String>) {
        if file.path.is_empty() {
            return;
        }
        let path = format!("{}/", file.path);
        let around = path.match_indices('/').map(|(at, _)| &path[..=at]).filter(|around| *around != path);
        let around = around.filter_map(|around| self.by_path.get(around));
        let within = self.by_path.range(path.clone()..).take_while(|(within, _)| within.starts_with(&path));
        let others = around.chain(within.map(|(_, others)| others)).flatten();
        let mut others: Vec<usize> = others.copied().take(MOST_CONFLICTS - self.conflicts).collect();
        others.sort_unstable();
        self.conflicts += others.len();
        let said = others.iter().map(|other| &self.files[*other]);
        warnings.extend(said.map(|other| format!("{volume}: overlapping paths: {file} with {other}")));
        self.by_path.entry(path).or_default().push(self.files.len());
        self.files.push(file);
    }
}

/// Warns of volumes with overlapping files.
pub(super) fn overlaps(volumes: &At<'_, '_>, warnings: &mut Vec<String>) {
    for volume in volumes.items() {
        let name = quoted(volume.get("name").text());
        for (kind, field) in [("configMap", "name"), ("secret", "secretName"), ("downwardAPI", "")] {
            let source = volume.get(kind);
            let of = describe(kind, source.get(if field.is_empty() { "name" } else { field }).text());
            let mut files = Files::default();
            for file in items(&source, "") {
                files.add(file, &format!("volume {name} ({of})"), warnings);
            }
        }
        let mut files = Files::default();
        for source in volume.get("projected.sources").items() {
            if source.map().is_none_or(|source| source.values().all(serde_json::Value::is_null)) {
                warnings.push(format!("volume {name} (Projected) has no sources provided"));
            }
            for file in projected(&source) {
                files.add(file, &format!("volume {name} (Projected)"), warnings);
            }
        }
    }
}

fn describe(kind: &str, name: &str) -> String {
    match kind {
        "configMap" => format!("ConfigMap {}", quoted(name)),
        "secret" => format!("Secret {}", quoted(name)),
        _ => "DownwardAPI".to_owned(),
    }
}

fn items(source: &At<'_, '_>, of: &str) -> Vec<File> {
    source.get("items").items().map(|item| File::new(item.get("path").text(), of)).collect()
}

/// The files of the first source that is set.
fn projected(source: &At<'_, '_>) -> Vec<File> {
    for kind in ["configMap", "secret", "downwardAPI"] {
        let at = source.get(kind);
        if at.get("items").is_set() {
            return items(&at, &describe(kind, at.get("name").text()));
        }
    }
    let (token, bundle) = (source.get("serviceAccountToken"), source.get("clusterTrustBundle"));
    if token.is_set() {
        return vec![File::new(token.get("path").text(), "ServiceAccountToken")];
    }
    if bundle.is_set() {
        let name = if bundle.get("name").is_set() { "name" } else { "signerName" };
        let of = format!("ClusterTrustBundle {}", quoted(bundle.get(name).text()));
        return vec![File::new(bundle.get("path").text(), &of)];
    }
    let certificate = source.get("podCertificate");
    let files = [
        ("certificateChainPath", "PodCertificate chain"),
        ("keyPath", "PodCertificate key"),
        ("credentialBundlePath", "PodCertificate credential bundle"),
    ];
    let files = files.map(|(field, of)| (certificate.get(field).text(), of));
    files.into_iter().filter(|(path, _)| !path.is_empty()).map(|(path, of)| File::new(path, of)).collect()
}
