//! `klient create configmap`.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use clap::Args;
use klient_apimachinery::Unstructured;
use serde_json::{Map, Value};

use crate::failure::Failure;

/// A ConfigMap and what is in it.
#[derive(Args, Debug)]
pub(crate) struct ConfigMapArgs {
    /// Its name
    name: String,
    /// A key and its value: KEY=VALUE
    #[arg(long, value_name = "KEY=VALUE")]
    from_literal: Vec<String>,
    /// A file, or all files of a folder; the key is the file's name, unless KEY=FILE says another
    #[arg(long, value_name = "[KEY=]FILE")]
    from_file: Vec<String>,
}

impl ConfigMapArgs {
    /// The object.
    pub(crate) fn object(&self) -> Result<Unstructured, Failure> {
        let mut object = Unstructured::new("v1", "ConfigMap", &self.name);
        let (mut data, mut binary) = (Map::new(), Map::new());
        let twice = |key: &str| {
            Failure::Message(format!(
                "cannot add key {key:?}, another key by that name already exists in Data for ConfigMap {:?}",
                self.name
            ))
        };
        for literal in &self.from_literal {
            let Some((key, value)) = literal.split_once('=').filter(|(key, _)| !key.is_empty()) else {
                return Err(Failure::Message(format!(
                    "invalid literal source {literal}, expected key=value"
                )));
            };
            if data.insert(key.to_owned(), value.into()).is_some() {
                return Err(twice(key));
            }
        }
        for (key, path) in self.files()? {
            let bytes = std::fs::read(&path)
                .map_err(|error| Failure::Message(format!("error reading {}: {error}", path.display())))?;
            if data.contains_key(&key) || binary.contains_key(&key) {
                return Err(twice(&key));
            }
            match String::from_utf8(bytes) {
                Ok(text) => data.insert(key, text.into()),
                Err(error) => binary.insert(key, BASE64.encode(error.as_bytes()).into()),
            };
        }
        for (field, entries) in [("data", data), ("binaryData", binary)] {
            if !entries.is_empty() {
                object[field] = Value::Object(entries);
            }
        }
        Ok(object)
    }

    /// Keys and files.
    fn files(&self) -> Result<Vec<(String, PathBuf)>, Failure> {
        let mut files = Vec::new();
        for source in &self.from_file {
            let (key, path) = match source.split_once('=') {
                Some((key, path)) => (Some(key), Path::new(path)),
                None => (None, Path::new(source)),
            };
            let refuse = |error| Failure::Message(format!("error reading {}: {error}", path.display()));
            let is_folder = path.metadata().map_err(refuse)?.is_dir();
            if !is_folder {
                let own = path.file_name().map(|name| name.to_string_lossy().into_owned());
                files.push((key.map(str::to_owned).or(own).unwrap_or_default(), path.to_owned()));
                continue;
            }
            if key.is_some() {
                return Err(Failure::message("cannot give a key name for a directory path"));
            }
            let entries = path.read_dir().and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(refuse)?;
            let mut paths: Vec<PathBuf> =
                entries.iter().map(std::fs::DirEntry::path).filter(|path| path.is_file()).collect();
            paths.sort();
            files.extend(paths.into_iter().filter_map(|path| {
                let name = path.file_name()?.to_string_lossy().into_owned();
                Some((name, path))
            }));
        }
        Ok(files)
    }
}
