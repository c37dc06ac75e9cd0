//! [`Source`], a place manifests are read from.

use std::fmt::Display;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use http::Method;
use klient_apimachinery::go::quoted;
use klient_client::{Client, Config};

use crate::failure::{Failure, io_text};

/// A place manifests are read from.
#[derive(Debug)]
pub(crate) enum Source {
    Stdin,
    Url(String),
    File { path: PathBuf, name: String },
}

const EXTENSIONS: [&str; 3] = ["json", "yaml", "yml"];

/// The files behind names: a name may be that of a folder or, where there is no file of that name, a pattern as of a
/// shell, and `-` is standard input.
///
/// # Errors
///
/// If files are not there, or a folder has nothing to read in it.
pub(crate) fn expand(names: &[String], recursive: bool) -> Result<Vec<Source>, Failure> {
    let mut sources = Vec::new();
    let mut failures = Vec::new();
    for name in names.iter().filter(|name| !name.is_empty()) {
        let expanded = match Source::named(name) {
            Source::File { path, .. } => paths(&path).and_then(|paths| {
                paths.iter().try_for_each(|path| expand_path(path, recursive, &mut sources))?;
                if sources.is_empty() { Err(nothing_to_read(&paths)) } else { Ok(()) }
            }),
            source => {
                sources.push(source);
                Ok(())
            }
        };
        failures.extend(expanded.err());
    }
    Failure::collect(failures).map(|()| sources)
}

/// The path itself if it is there, else those that match it as a pattern.
fn paths(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !matches!(path.symlink_metadata(), Err(error) if error.kind() == io::ErrorKind::NotFound) {
        return Ok(vec![path.to_owned()]);
    }
    let pattern = path.display().to_string();
    // Go has no `**`, and another sign for characters that are not meant.
    let mut translated = pattern.replace("[^", "[!");
    while translated.contains("**") {
        translated = translated.replace("**", "*");
    }
    let matching = glob::glob(&translated).map_err(|_| {
        Failure::Message(format!(
            "pattern {pattern} is not valid: syntax error in pattern",
            pattern = quoted(&pattern)
        ))
    })?;
    let matching = matching.collect::<Result<Vec<PathBuf>, _>>();
    let matching = matching.map_err(|error| inaccessible(&pattern, &error))?;
    if matching.is_empty() { Err(missing(path)) } else { Ok(matching) }
}

fn missing(path: &Path) -> Failure {
    Failure::Message(format!("the path {path} does not exist", path = quoted(path.to_string_lossy())))
}

fn inaccessible(path: impl AsRef<str>, problem: impl Display) -> Failure {
    Failure::Message(format!("the path {path} cannot be accessed: {problem}", path = quoted(path)))
}

fn expand_path(path: &Path, recursive: bool, sources: &mut Vec<Source>) -> Result<(), Failure> {
    let metadata = path.metadata().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => missing(path),
        _ => inaccessible(path.to_string_lossy(), io_text(&error)),
    })?;
    if !metadata.is_dir() {
        sources.push(file(path.to_owned()));
        return Ok(());
    }
    folder(path, recursive, sources)
}

/// Folders with no file to read in them, where nothing was found before either.
fn nothing_to_read(paths: &[PathBuf]) -> Failure {
    let paths: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    let known = EXTENSIONS.map(|extension| format!(".{extension}")).join(" ");
    Failure::Message(format!("error reading [{}]: recognized file extensions are [{known}]", paths.join(" ")))
}

fn folder(path: &Path, recursive: bool, sources: &mut Vec<Source>) -> Result<(), Failure> {
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
    /// The place that a name names, a file if nothing else.
    pub(crate) fn named(name: &str) -> Self {
        match name {
            "-" => Source::Stdin,
            url if url.starts_with("http://") || url.starts_with("https://") => Source::Url(url.to_owned()),
            path => file(path.into()),
        }
    }

    /// The name in messages.
    pub(crate) fn name(&self) -> &str {
        match self {
            Source::Stdin => "STDIN",
            Source::Url(url) => url,
            Source::File { name, .. } => name,
        }
    }

    /// Reads it whole.
    pub(crate) async fn bytes(&self) -> Result<Vec<u8>, Failure> {
        match self {
            Source::Url(url) => fetch(url).await,
            Source::Stdin => {
                unblocked(|| {
                    let mut bytes = Vec::new();
                    let read = io::stdin().read_to_end(&mut bytes);
                    read.map_err(|error| Failure::Message(format!("cannot read STDIN: {error}")))?;
                    Ok(bytes)
                })
                .await
            }
            Source::File { path, name } => {
                let (path, name) = (path.clone(), name.clone());
                unblocked(move || {
                    let refuse = |error| Failure::Message(format!("open {name}: {}", io_text(&error)));
                    std::fs::read(path).map_err(refuse)
                })
                .await
            }
        }
    }

    /// Reads it whole, as text.
    pub(crate) async fn text(&self) -> Result<String, Failure> {
        Ok(klient_apimachinery::yaml::text(&self.bytes().await?).into_owned())
    }
}

/// Reads on a thread of its own: whoever writes to a pipe may take its time, and a signal ends the wait.
async fn unblocked(
    read: impl FnOnce() -> Result<Vec<u8>, Failure> + Send + 'static,
) -> Result<Vec<u8>, Failure> {
    tokio::task::spawn_blocking(read).await.expect("reading does not panic")
}

async fn fetch(url: &str) -> Result<Vec<u8>, Failure> {
    let behind_scheme = url.find("://").map_or(0, |at| at + 3);
    let path_at = url[behind_scheme..].find('/').map_or(url.len(), |at| at + behind_scheme);
    let client = Client::new(Config::from_url(&url[..path_at])?)?;
    let response = client.request(Method::GET).absolute_path(&url[path_at..]).accept("*/*").send().await;
    let response = response.map_err(|error| match error.code() {
        Some(code) => {
            let name = http::StatusCode::from_u16(code).ok().and_then(|code| code.canonical_reason());
            let told = format!("{code} {}", name.unwrap_or_default());
            Failure::Message(format!(
                "unable to read URL {url}, server reported {told}, status code={code}",
                url = quoted(url)
            ))
        }
        None => Failure::from(error),
    })?;
    Ok(response.bytes().to_vec())
}
