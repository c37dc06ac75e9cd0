//! Programs that change files: `mkdir`, `rm`, `touch`, `ln`, `cp`, `mv` and `chmod`.

use super::super::shell::{Io, Shell};

/// The options of a program, and the other words.
fn divided<'a>(words: &[&'a str]) -> (Vec<&'a str>, Vec<&'a str>) {
    words.iter().partition(|word| word.starts_with('-') && word.len() > 1)
}

fn is_set(options: &[&str], flag: char) -> bool {
    options.iter().any(|option| option.contains(flag))
}

/// `mkdir`, `rm`, `rmdir` and `touch`.
pub(super) async fn change(shell: &Shell, program: &str, words: &[&str], io: &Io) -> u8 {
    let (options, names) = divided(words);
    let mut code = 0;
    for name in names {
        let (path, link) = (shell.path(name), shell.link_path(name));
        let done = {
            let mut files = shell.container.files();
            match program {
                "mkdir" if is_set(&options, 'p') => files.make_folder(&path, true),
                "mkdir" => files.make_folder(&link, false),
                "rm" | "rmdir" if link.is_empty() => Err("Device or resource busy"),
                "rm" if is_set(&options, 'f') && files.get(&link).is_none() => Ok(()),
                "rm" => files.remove(&link, is_set(&options, 'r') || is_set(&options, 'R')),
                "rmdir" if files.get(&link).is_some_and(|entry| !entry.is_folder()) => Err("Not a directory"),
                "rmdir" if !files.names(&link).is_empty() => Err("Directory not empty"),
                "rmdir" => files.remove(&link, true),
                _ if files.is_folder(&path) => Ok(()),
                _ => files.touch(&path),
            }
        };
        if let Err(problem) = done {
            let name = if program.starts_with("rm") { format!("'{name}'") } else { name.to_owned() };
            io.complain(format!("{program}: {name}: {problem}")).await;
            code = 1;
        }
    }
    code
}

/// The path of a target: of a folder, the path in it with the last part of a name.
fn target(shell: &Shell, target: &str, name: &str) -> String {
    let path = shell.path(target);
    if !shell.container.files().is_folder(&path) {
        return shell.link_path(target);
    }
    let last = name.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    format!("{path}/{last}")
}

/// `ln -s`. A file has one name here.
pub(super) async fn ln(shell: &Shell, words: &[&str], io: &Io) -> u8 {
    let (options, names) = divided(words);
    let (target_of_link, place) = match names[..] {
        [to] => (to, "."),
        [to, place] => (to, place),
        _ => {
            io.complain("ln: a target and a name are required").await;
            return 1;
        }
    };
    let path = match is_set(&options, 'n') {
        true => shell.link_path(place),
        false => target(shell, place, target_of_link),
    };
    let done = match is_set(&options, 's') {
        true => shell.container.files().link(&path, target_of_link, is_set(&options, 'f')),
        false => Err("Operation not permitted"),
    };
    complained("ln", place, done, io).await
}

/// `cp` and `mv`.
pub(super) async fn copy(shell: &Shell, program: &str, words: &[&str], io: &Io) -> u8 {
    let (options, names) = divided(words);
    let Some((to, from)) = names.split_last().filter(|(_, from)| !from.is_empty()) else {
        io.complain(format!("{program}: a source and a target are required")).await;
        return 1;
    };
    let moves = program == "mv";
    let with_folders = moves || ['r', 'R', 'a'].iter().any(|flag| is_set(&options, *flag));
    let mut code = 0;
    for name in from {
        let source = if moves || with_folders { shell.link_path(name) } else { shell.path(name) };
        let mut place = target(shell, to, name);
        let done = {
            let mut files = shell.container.files();
            if !moves {
                // A link in the place of the copy leads to it.
                place = files.resolve("", &place, true);
            }
            match files.is_folder(&source) && !with_folders {
                true => Err("omitting directory"),
                false if from.len() > 1 && !files.is_folder(&files.resolve(&shell.folder, to, true)) => {
                    Err("Not a directory")
                }
                false => files.copy(&source, &place, moves),
            }
        };
        code = code.max(complained(program, name, done, io).await);
    }
    code
}

/// `chmod` with an octal mode, or with letters such as `+x` and `u+rw`, which count for all.
pub(super) async fn chmod(shell: &Shell, words: &[&str], io: &Io) -> u8 {
    let names: Vec<&str> = words.iter().copied().filter(|word| !matches!(*word, "-R" | "-v")).collect();
    let Some((mode, names)) = names.split_first() else {
        io.complain("chmod: a mode is required").await;
        return 1;
    };
    let letters = mode.trim_start_matches(['u', 'g', 'o', 'a']);
    let bits = |letters: &str| {
        let bit = |letter: char| match letter {
            'r' => Some(0o444),
            'w' => Some(0o200),
            'x' => Some(0o111),
            _ => None,
        };
        letters.chars().try_fold(0, |bits, letter| Some(bits | bit(letter)?))
    };
    let octal = u32::from_str_radix(mode, 8).ok();
    let added = letters.strip_prefix('+').and_then(bits);
    let removed = letters.strip_prefix('-').and_then(bits);
    let change = |present: u32| match (octal, added, removed) {
        (Some(mode), _, _) => mode,
        (_, Some(added), _) => present | added,
        (_, _, removed) => present & !removed.unwrap_or_default(),
    };
    if octal.is_none() && added.is_none() && removed.is_none() {
        io.complain(format!("chmod: invalid mode '{mode}'")).await;
        return 1;
    }
    let mut code = 0;
    for name in names {
        let path = shell.path(name);
        let done = shell.container.files().change_mode(&path, change);
        code = code.max(complained("chmod", name, done, io).await);
    }
    code
}

/// The exit code of an outcome, whose problem is told.
async fn complained(program: &str, name: &str, done: Result<(), &str>, io: &Io) -> u8 {
    let Err(problem) = done else { return 0 };
    io.complain(format!("{program}: {name}: {problem}")).await;
    1
}
