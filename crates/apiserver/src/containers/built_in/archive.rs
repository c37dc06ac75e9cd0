//! The program `tar`, as much of it as `kubectl cp` uses.

use super::commands::read_all;
use super::shell::{Io, Shell};

/// The options of a call.
#[derive(Debug, Default)]
struct Options {
    /// `c`, `x` or `t`.
    mode: Option<char>,
    file: Option<String>,
    folder: String,
    lists: bool,
    /// The links that are named are followed.
    follows: bool,
    names: Vec<String>,
}

impl Options {
    fn parse(shell: &Shell, words: &[&str]) -> Result<Self, String> {
        let mut options = Options { folder: shell.path("."), ..Options::default() };
        let mut words = words.iter();
        let mut is_first = true;
        while let Some(word) = words.next() {
            let letters = match word.strip_prefix('-') {
                // Owners, permissions and the like are as they are.
                Some(long) if long.starts_with('-') => {
                    is_first = false;
                    continue;
                }
                Some(letters) if !letters.is_empty() => letters,
                None if is_first => word,
                _ => {
                    options.names.push((*word).to_owned());
                    continue;
                }
            };
            is_first = false;
            for letter in letters.chars() {
                let mut value = || {
                    words.next().copied().ok_or_else(|| format!("option requires an argument -- '{letter}'"))
                };
                match letter {
                    'c' | 'x' | 't' => options.mode = Some(letter),
                    'f' => options.file = Some(value()?.to_owned()).filter(|file| file != "-"),
                    'C' => {
                        let files = shell.container.files();
                        options.folder = files.resolve(&options.folder, value()?, true);
                    }
                    'v' => options.lists = true,
                    'h' => options.follows = true,
                    'm' | 'p' | 'o' => {}
                    'z' | 'j' | 'J' => return Err("archives are not compressed here".to_owned()),
                    letter => return Err(format!("unrecognized option: {letter}")),
                }
            }
        }
        Ok(options)
    }
}

/// Packs, unpacks or lists an archive.
pub(super) async fn tar(shell: &Shell, words: &[&str], io: &Io) -> u8 {
    let done = match Options::parse(shell, words) {
        Ok(options) if !shell.container.files().is_folder(&options.folder) => {
            Err(format!("can't change directory to '{}': No such file or directory", options.folder))
        }
        Ok(options) => match options.mode {
            Some('c') => create(shell, &options, io).await,
            Some(mode) => extract(shell, &options, mode == 't', io).await,
            None => Err("must specify one of -c, -x, -t".to_owned()),
        },
        Err(problem) => Err(problem),
    };
    match done {
        Ok(()) => 0,
        Err(problem) => {
            io.complain(format!("tar: {problem}")).await;
            1
        }
    }
}

async fn create(shell: &Shell, options: &Options, io: &Io) -> Result<(), String> {
    if options.names.is_empty() {
        return Err("empty archive".to_owned());
    }
    for prefix in ["/", "../"] {
        if options.names.iter().any(|name| name.starts_with(prefix)) {
            io.complain(format!("tar: removing leading '{prefix}' from member names")).await;
        }
    }
    let (archive, _memory) = {
        let files = shell.container.files();
        let path = |name: &str| files.resolve(&options.folder, name, options.follows);
        let paths: Vec<(String, String)> =
            options.names.iter().map(|name| (path(name), member(name).to_owned())).collect();
        let size = files.packed_size(&paths);
        let memory = shell.container.memory.reserve(size)?;
        (files.pack(&paths, size)?, memory)
    };
    match &options.file {
        Some(file) => {
            let path = shell.path(file);
            let written = shell.container.files().write(&path, archive.into());
            written.map_err(|problem| format!("can't open '{file}': {problem}"))
        }
        None if io.print(&archive).await => Ok(()),
        None => Err("write error: Broken pipe".to_owned()),
    }
}

/// The name of a file in an archive, which leads to the inside of any folder.
fn member(name: &str) -> &str {
    let inside = name.rsplit_once("../").map_or(name, |(_, inside)| inside);
    if inside == ".." { "" } else { inside.trim_start_matches('/') }
}

async fn extract(shell: &Shell, options: &Options, lists: bool, io: &Io) -> Result<(), String> {
    let (archive, _memory) = match &options.file {
        Some(file) => {
            let content = shell.read(file);
            (content.map_err(|problem| format!("can't open '{file}': {problem}"))?, None)
        }
        None => {
            let (archive, memory) = read_all(shell, io, usize::MAX).await?;
            (archive.into(), Some(memory))
        }
    };
    let lines = |names: &[String]| names.iter().map(|name| format!("{name}\n")).collect::<String>();
    if lists {
        io.print(lines(&super::files::names(&archive)?)).await;
        return Ok(());
    }
    let (mut next, mut is_whole) = (Some(0), true);
    while let Some(start) = next {
        let unpacked = shell.container.files().unpack(&options.folder, &archive, start);
        let unpacked = unpacked?;
        is_whole &= unpacked.problems.is_empty();
        for problem in unpacked.problems {
            io.complain(format!("tar: {problem}")).await;
        }
        if options.lists {
            io.print(lines(&unpacked.names)).await;
        }
        next = unpacked.next;
        // Others use the files between two parts.
        tokio::task::yield_now().await;
    }
    if is_whole { Ok(()) } else { Err("exiting with failure status due to previous errors".to_owned()) }
}
