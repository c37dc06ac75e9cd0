//! [`Source`], the file, URL or standard input that a manifest is read from.

use std::fmt::Display;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use http::Method;
use klient_apimachinery::go::{os_error, quoted};
use klient_client::{Client, Config};

use crate::error::CliError;

/// The file, URL or standard input that a manifest is read from.
#[derive(Debug)]
pub(crate) enum Source {
    Stdin,
    Url(String),
    File { path: PathBuf, name: String },
}

const EXTENSIONS: [&str; 3] = ["json", "yaml", "yml"];

/// Expands the values of `-f`: files, directories, URLs, glob patterns where no such file exists, and `-` for standard
/// input.
///
/// # Errors
///
/// If a file does not exist, or a directory contains no file with a recognized extension.
pub(crate) fn expand(names: &[String], recursive: bool) -> Result<Vec<Source>, CliError> {
    let mut sources = Vec::new();
    let mut failures = Vec::new();
    for name in names.iter().filter(|name| !name.is_empty()) {
        let expanded = match Source::from_name(name) {
            Source::File { path, .. } => paths(&path).and_then(|paths| {
                paths.iter().try_for_each(|path| expand_path(path, recursive, &mut sources))?;
                if sources.is_empty() { Err(no_recognized_files(&paths)) } else { Ok(()) }
            }),
            source => {
                sources.push(source);
                Ok(())
            }
        };
        failures.extend(expanded.err());
    }
    CliError::aggregate(failures).map(|()| sources)
}

/// Returns the path itself if it exists, otherwise the paths that match it as a glob pattern.
fn paths(path: &Path) -> Result<Vec<PathBuf>, CliError> {
    if !matches!(path.symlink_metadata(), Err(error) if error.kind() == io::ErrorKind::NotFound) {
        return Ok(vec![path.to_owned()]);
    }
    let pattern = path.display().to_string();
    // Go's glob has no `**`, and negates a class with `^`.
    let mut translated = pattern.replace("[^", "[!");
    while translated.contains("**") {
        translated = translated.replace("**", "*");
    }
    let matching = glob::glob(&translated).map_err(|_| {
        CliError::Message(format!(
            "pattern {pattern} is not valid: syntax error in pattern",
            pattern = quoted(&pattern)
        ))
    })?;
    let matching = matching.collect::<Result<Vec<PathBuf>, _>>();
    let matching = matching.map_err(|error| inaccessible(&pattern, &error))?;
    if matching.is_empty() { Err(missing(path)) } else { Ok(matching) }
}

fn missing(path: &Path) -> CliError {
    CliError::Message(format!("the path {path} does not exist", path = quoted(path.to_string_lossy())))
}

fn inaccessible(path: impl AsRef<str>, problem: impl Display) -> CliError {
    CliError::Message(format!("the path {path} cannot be accessed: {problem}", path = quoted(path)))
}

fn expand_path(path: &Path, recursive: bool, sources: &mut Vec<Source>) -> Result<(), CliError> {
    let metadata = path.metadata().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => missing(path),
        _ => inaccessible(path.to_string_lossy(), os_error(&error)),
    })?;
    if !metadata.is_dir() {
        sources.push(file(path.to_owned()));
        return Ok(());
    }
    folder(path, recursive, sources)
}

/// The error for paths without a file of a recognized extension.
fn no_recognized_files(paths: &[PathBuf]) -> CliError {
    let paths: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    let known = EXTENSIONS.map(|extension| format!(".{extension}")).join(" ");
    CliError::Message(format!(
        "error reading [{}]: recognized file extensions are [{known}]",
        paths.join(" ")
    ))
}

fn folder(path: &Path, recursive: bool, sources: &mut Vec<Source>) -> Result<(), CliError> {
    let refuse = |error: io::Error| inaccessible(path.to_string_lossy(), error);
    let entries = std::fs::read_dir(path).and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(refuse)?;
    let mut paths: Vec<PathBuf> = entries.iter().map(std::fs::DirEntry::path).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            if recursive {
                folder(&path, recursive, sources)?;
            }
        } else if path.extension().is_some_and(|extension| EXTENSIONS.iter().any(|known| extension == *known))
        {
            sources.push(file(path));
        }
    }
    Ok(())
}

fn file(path: PathBuf) -> Source {
    let name = path.display().to_string();
    Source::File { path, name }
}

impl Source {
    /// Parses a value of `-f`: `-`, an HTTP or HTTPS URL, or a path.
    pub(crate) fn from_name(name: &str) -> Self {
        match name {
            "-" => Source::Stdin,
            url if url.starts_with("http://") || url.starts_with("https://") => Source::Url(url.to_owned()),
            path => file(path.into()),
        }
    }

    /// Returns the name used in messages.
    pub(crate) fn name(&self) -> &str {
        match self {
            Source::Stdin => "STDIN",
            Source::Url(url) => url,
            Source::File { name, .. } => name,
        }
    }

    /// Reads the contents.
    pub(crate) async fn bytes(&self) -> Result<Vec<u8>, CliError> {
        match self {
            Source::Url(url) => fetch(url).await,
            Source::Stdin => {
                read_blocking(|| {
                    let mut bytes = Vec::new();
                    let read = io::stdin().read_to_end(&mut bytes);
                    read.map_err(|error| CliError::Message(format!("cannot read STDIN: {error}")))?;
                    Ok(bytes)
                })
                .await
            }
            Source::File { path, name } => {
                let (path, name) = (path.clone(), name.clone());
                read_blocking(move || {
                    let refuse = |error| CliError::Message(format!("open {name}: {}", os_error(&error)));
                    std::fs::read(path).map_err(refuse)
                })
                .await
            }
        }
    }

    /// Reads the contents as a string; UTF-16 is recognized by its byte order mark, and invalid bytes become U+FFFD.
    pub(crate) async fn text(&self) -> Result<String, CliError> {
        Ok(klient_apimachinery::yaml::text(&self.bytes().await?).into_owned())
    }
}

/// Reads on a blocking thread, so that a signal can end a command that waits for a pipe.
async fn read_blocking(
    read: impl FnOnce() -> Result<Vec<u8>, CliError> + Send + 'static,
) -> Result<Vec<u8>, CliError> {
    tokio::task::spawn_blocking(read).await.expect("reading does not panic")
}

async fn fetch(url: &str) -> Result<Vec<u8>, CliError> {
    let behind_scheme = url.find("://").map_or(0, |at| at + 3);
    let path_at = url[behind_scheme..].find('/').map_or(url.len(), |at| at + behind_scheme);
    let client = Client::new(Config::from_url(&url[..path_at])?)?;
    let response = client.request(Method::GET).absolute_path(&url[path_at..]).accept("*/*").send().await;
    let response = response.map_err(|error| match error.code() {
        Some(code) => {
            let name = http::StatusCode::from_u16(code).ok().and_then(|code| code.canonical_reason());
            let status = format!("{code} {}", name.unwrap_or_default());
            CliError::Message(format!(
                "unable to read URL {url}, server reported {status}, status code={code}",
                url = quoted(url)
            ))
        }
        None => CliError::from(error),
    })?;
    Ok(response.bytes().to_vec())
}
