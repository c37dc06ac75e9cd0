//! Definitions from files and folders.

use std::path::{Path, PathBuf};
use std::{fs, io};

use klient_apimachinery::go::os_error;
use klient_apimachinery::yaml;
use serde_json::Value;

use crate::definition::{Definition, KIND, is_definition};
use crate::error::Error;

const EXTENSIONS: [&str; 3] = ["json", "yaml", "yml"];

/// Reads the definitions of files and folders.
///
/// A file has YAML or JSON, with one document or several; objects of other kinds are passed over. A folder is searched with
/// all folders in it for files that end in `.yaml`, `.yml` or `.json`. Of a Helm chart, which has a `Chart.yaml`, the
/// definitions in `crds/` are read, and those of the charts in `charts/`.
///
/// # Errors
///
/// If a file or folder does not exist or cannot be read, if a file is not YAML, if a file that is named, or a folder, has no
/// definition, and as [`Definition::from_value`].
pub fn read(paths: impl IntoIterator<Item = impl AsRef<Path>>) -> Result<Vec<Definition>, Error> {
    let mut definitions = Vec::new();
    for path in paths {
        let path = path.as_ref();
        let metadata = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
        if !metadata.is_dir() {
            definitions.extend(parse(&path.display().to_string(), &text(path)?)?);
            continue;
        }
        let mut files = Vec::new();
        find_files(path, &mut files)?;
        let count = definitions.len();
        for file in files {
            definitions.extend(documents(&file.display().to_string(), &text(&file)?)?.definitions);
        }
        if definitions.len() == count {
            let problem = match is_chart(path) {
                true => format!(
                    "the chart has no definitions in crds/; those in its templates are rendered by `helm template {} | \
                     klient generate -f -`",
                    path.display()
                ),
                false => {
                    let known = EXTENSIONS.map(|extension| format!(".{extension}")).join(", ");
                    format!("no file in the folder ({known}) has a {KIND}")
                }
            };
            return Err(Error::new(problem).within(path.display().to_string()));
        }
    }
    Ok(definitions)
}

/// Reads the definitions of a text in YAML or JSON. Its source, such as a file, is named in errors.
///
/// # Errors
///
/// If it is not YAML, or has no definition, and as [`Definition::from_value`].
pub fn parse(source: &str, text: &str) -> Result<Vec<Definition>, Error> {
    let documents = documents(source, text)?;
    if documents.definitions.is_empty() {
        let found = match documents.other {
            Some(other) => format!("it has no {KIND}, but {other}"),
            None => format!("it has no {KIND}, and nothing else"),
        };
        return Err(Error::new(found).within(source));
    }
    Ok(documents.definitions)
}

/// The documents of a file.
struct Documents {
    definitions: Vec<Definition>,
    /// The first document that is none.
    other: Option<String>,
}

fn documents(source: &str, text: &str) -> Result<Documents, Error> {
    let mut found = Documents { definitions: Vec::new(), other: None };
    for document in yaml::documents(text) {
        let value = document.map_err(|error| {
            let hint = match text.contains("{{") {
                true => ": it is a template, which `helm template` renders",
                false => "",
            };
            Error::new(format!("{error}{hint}")).within(source)
        })?;
        add(source, &value, &mut found)?;
    }
    Ok(found)
}

/// Adds a document, or the items of a list.
fn add(source: &str, value: &Value, found: &mut Documents) -> Result<(), Error> {
    let kind = value["kind"].as_str().unwrap_or_default();
    if let (Some(items), true) = (value["items"].as_array(), kind.ends_with("List")) {
        for item in items {
            // A server leaves them out of the items of its lists.
            let mut item = item.clone();
            if let (Value::Object(item), Some(kind)) = (&mut item, kind.strip_suffix("List"))
                && !kind.is_empty()
            {
                item.entry("apiVersion").or_insert_with(|| value["apiVersion"].clone());
                item.entry("kind").or_insert_with(|| kind.into());
            }
            add(source, &item, found)?;
        }
    } else if is_definition(value) {
        found.definitions.push(Definition::from_value(source, value)?);
    } else if found.other.is_none() {
        found.other = Some(match value["apiVersion"].as_str() {
            Some(api_version) if !kind.is_empty() => format!("an object of kind {kind} ({api_version})"),
            _ => "a document without apiVersion and kind".to_owned(),
        });
    }
    Ok(())
}

/// Adds the files of a folder, sorted by name.
fn find_files(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    if is_chart(folder) {
        return folders_of_chart(folder).iter().try_for_each(|folder| find_files(folder, files));
    }
    for path in entries(folder)? {
        // A link to a folder may lead back.
        let is_link = path.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink());
        if path.is_dir() {
            if !is_link {
                find_files(&path, files)?;
            }
        } else if path.extension().is_some_and(|extension| EXTENSIONS.iter().any(|known| extension == *known))
        {
            files.push(path);
        }
    }
    Ok(())
}

/// The entries of a folder, sorted by name.
pub(crate) fn entries(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let entries = entries.map_err(|error| unreadable(folder, &error))?;
    let mut paths: Vec<PathBuf> = entries.iter().map(fs::DirEntry::path).collect();
    paths.sort();
    Ok(paths)
}

fn text(path: &Path) -> Result<String, Error> {
    let bytes = fs::read(path).map_err(|error| unreadable(path, &error))?;
    Ok(yaml::text(&bytes).into_owned())
}

fn unreadable(path: &Path, error: &io::Error) -> Error {
    Error::new(format!("it cannot be read: {}", os_error(error))).within(path.display().to_string())
}

/// Returns true if a folder is a Helm chart.
fn is_chart(folder: &Path) -> bool {
    folder.join("Chart.yaml").is_file()
}

/// The folder with the definitions of a chart, and the charts that it depends on. The rest of it are templates, which are
/// not YAML.
fn folders_of_chart(chart: &Path) -> Vec<PathBuf> {
    let mut folders = vec![chart.join("crds")];
    // A chart without dependencies has no such folder.
    folders.extend(entries(&chart.join("charts")).unwrap_or_default());
    folders.retain(|folder| folder.is_dir());
    folders
}
