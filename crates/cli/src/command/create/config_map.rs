//! `klient create configmap`.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use clap::Args;
use klient_apimachinery::go::{os_error, quoted};
use klient_apimachinery::{Unstructured, validation};
use serde_json::{Map, Value};

use super::{append_hash, env_file};
use crate::error::CliError;

pub(super) const USAGE: &str =
    "klient create configmap NAME [--from-literal=KEY=VALUE] [--from-file=[KEY=]FILE] [OPTIONS]";

pub(super) const EXAMPLES: &str = "\
Examples:
  # Create a ConfigMap with two keys
  klient create configmap colors --from-literal=sky=blue --from-literal=grass=green

  # Create one with the files of a directory
  klient create configmap settings --from-file=config

  # Create one with a file under another key
  klient create configmap settings --from-file=nginx.conf=web/nginx.conf";

/// Flags for the data of a ConfigMap.
#[derive(Args, Debug)]
pub(crate) struct ConfigMapArgs {
    /// Key and value to add; can be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    from_literal: Vec<String>,
    /// File to add under KEY, by default the name of the file; or a directory, each file of which is added
    #[arg(long, value_name = "[KEY=]FILE", value_delimiter = ',')]
    from_file: Vec<String>,
    /// File with lines of KEY=VALUE to add; a line of KEY alone takes the value of that environment variable
    #[arg(long, value_name = "FILE", value_delimiter = ',')]
    from_env_file: Vec<String>,
    /// Append a hash of the data to the name
    #[arg(long)]
    append_hash: bool,
}

impl ConfigMapArgs {
    /// Builds the ConfigMap.
    pub(crate) fn object(&self, name: &str) -> Result<Unstructured, CliError> {
        let has_others = !self.from_file.is_empty() || !self.from_literal.is_empty();
        if has_others && !self.from_env_file.is_empty() {
            return Err(CliError::message("from-env-file cannot be combined with from-file or from-literal"));
        }
        let mut entries = Entries { name, data: Map::new(), binary: Map::new() };
        for source in self.from_file.iter().filter(|source| !source.is_empty()) {
            for (key, path) in files(source)? {
                let bytes = std::fs::read(&path).map_err(|error| {
                    CliError::Message(format!("open {}: {}", path.display(), os_error(&error)))
                })?;
                entries.add(&key, bytes)?;
            }
        }
        for literal in &self.from_literal {
            let pair = literal.split_once('=').filter(|(key, _)| !key.is_empty());
            let (key, value) = pair.ok_or_else(|| {
                CliError::Message(format!("invalid literal source {literal}, expected key=value"))
            })?;
            entries.add(key, value.into())?;
        }
        for path in self.from_env_file.iter().filter(|path| !path.is_empty()) {
            env_file::read(path, |key, value| entries.add(key, value.into()))?;
        }
        let mut object = Unstructured::new("v1", "ConfigMap", name);
        for (field, entries) in [("data", entries.data), ("binaryData", entries.binary)] {
            if !entries.is_empty() {
                object[field] = Value::Object(entries);
            }
        }
        if self.append_hash {
            let hash = append_hash::config_map(&object);
            object.set_name(&format!("{name}-{hash}"));
        }
        Ok(object)
    }
}

/// Data of the ConfigMap that is built.
struct Entries<'a> {
    name: &'a str,
    data: Map<String, Value>,
    binary: Map<String, Value>,
}

impl Entries<'_> {
    fn add(&mut self, key: &str, value: Vec<u8>) -> Result<(), CliError> {
        let problems = validation::config_map_key(key);
        if !problems.is_empty() {
            return Err(CliError::Message(format!(
                "{key} is not a valid key name for a ConfigMap: {}",
                problems.join(","),
                key = quoted(key)
            )));
        }
        for (field, entries) in [("Data", &self.data), ("BinaryData", &self.binary)] {
            if entries.contains_key(key) {
                return Err(CliError::Message(format!(
                    "cannot add key {key}, another key by that name already exists in {field} for ConfigMap {}",
                    quoted(self.name),
                    key = quoted(key)
                )));
            }
        }
        match String::from_utf8(value) {
            Ok(text) => self.data.insert(key.to_owned(), text.into()),
            Err(error) => self.binary.insert(key.to_owned(), BASE64.encode(error.as_bytes()).into()),
        };
        Ok(())
    }
}

/// Returns the keys and paths of `[KEY=]FILE`: the files of a directory, or one.
fn files(source: &str) -> Result<Vec<(String, PathBuf)>, CliError> {
    let (key, path) = match source.split_once('=') {
        None => (None, source),
        Some((_, rest)) if rest.contains('=') => {
            return Err(CliError::message("key names or file paths cannot contain '='"));
        }
        Some(("", path)) => return Err(CliError::Message(format!("key name for file path {path} missing"))),
        Some((key, "")) => return Err(CliError::Message(format!("file path for key name {key} missing"))),
        Some((key, path)) => (Some(key), path),
    };
    let path = Path::new(path);
    let refuse = |error| CliError::Message(format!("error reading {}: {}", path.display(), os_error(&error)));
    if !path.metadata().map_err(refuse)?.is_dir() {
        let own = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let key = key.map(str::to_owned).or(own).unwrap_or_default();
        return Ok(vec![(key, path.to_owned())]);
    }
    if key.is_some() {
        return Err(CliError::message("cannot give a key name for a directory path"));
    }
    let entries = path.read_dir().and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(refuse)?;
    // As in kubectl, only regular files are read: links are ignored.
    let is_file = |entry: &std::fs::DirEntry| entry.file_type().is_ok_and(|kind| kind.is_file());
    let mut files: Vec<(String, PathBuf)> = entries
        .into_iter()
        .filter(is_file)
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()))
        .collect();
    files.sort();
    Ok(files)
}
