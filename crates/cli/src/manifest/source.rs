//! [`Source`], a place manifests are read from.

use std::io::Read;
use std::path::{Path, PathBuf};

use http::Method;
use klient_client::{Client, Config};

use crate::failure::Failure;

/// A place manifests are read from.
#[derive(Debug)]
pub(crate) enum Source {
    Stdin,
    Url(String),
    File { path: PathBuf, name: String },
}

const EXTENSIONS: [&str; 3] = ["json", "yaml", "yml"];

/// The files behind names: a name may be that of a folder, and `-` is standard input.
///
/// # Errors
///
/// If a file is not there, or a folder has nothing to read in it.
pub(crate) fn expand(names: &[String], recursive: bool) -> Result<Vec<Source>, Failure> {
    let mut sources = Vec::new();
    for name in names {
        match name.as_str() {
            "-" => sources.push(Source::Stdin),
            url if url.starts_with("http://") || url.starts_with("https://") => {
                sources.push(Source::Url(url.to_owned()));
            }
            path => expand_path(Path::new(path), recursive, &mut sources)?,
        }
    }
    Ok(sources)
}

fn expand_path(path: &Path, recursive: bool, sources: &mut Vec<Source>) -> Result<(), Failure> {
    let metadata = path.metadata().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Failure::Message(format!("the path {path:?} does not exist")),
        _ => Failure::Message(format!("the path {path:?} cannot be accessed: {error}")),
    })?;
    if !metadata.is_dir() {
        sources.push(file(path.to_owned()));
        return Ok(());
    }
    let before = sources.len();
    folder(path, recursive, sources)?;
    if sources.len() == before {
        let path = path.display();
        let known = EXTENSIONS.map(|extension| format!(".{extension}")).join(" ");
        return Err(Failure::Message(format!(
            "error reading [{path}]: recognized file extensions are [{known}]"
        )));
    }
    Ok(())
}

fn folder(path: &Path, recursive: bool, sources: &mut Vec<Source>) -> Result<(), Failure> {
    let refuse = |error| Failure::Message(format!("the path {path:?} cannot be accessed: {error}"));
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
            Source::Stdin => {
                let mut bytes = Vec::new();
                let read = std::io::stdin().read_to_end(&mut bytes);
                read.map_err(|error| Failure::Message(format!("cannot read STDIN: {error}")))?;
                Ok(bytes)
            }
            Source::Url(url) => fetch(url).await,
            Source::File { path, name } => {
                std::fs::read(path).map_err(|error| Failure::Message(format!("open {name}: {error}")))
            }
        }
    }

    /// Reads it whole, as text.
    pub(crate) async fn text(&self) -> Result<String, Failure> {
        let bytes = self.bytes().await?;
        let problem = |error| Failure::Message(format!("error parsing {}: {error}", self.name()));
        String::from_utf8(bytes).map_err(|error| problem(error.utf8_error()))
    }
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
                "unable to read URL {url:?}, server reported {told}, status code={code}"
            ))
        }
        None => Failure::from(error),
    })?;
    Ok(response.bytes().to_vec())
}
