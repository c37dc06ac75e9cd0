//! The programs of a container by their names and paths, and files that are scripts.

use super::super::container::Container;
use super::super::files::Content;
use super::super::shell::{Io, Shell};

/// The names of the programs.
const NAMES: [&str; 43] = [
    "[", "basename", "bash", "cat", "chmod", "clear", "cp", "date", "dirname", "echo", "env", "false",
    "grep", "head", "hostname", "id", "kill", "ln", "ls", "mkdir", "mv", "printenv", "printf", "ps", "pwd",
    "readlink", "rm", "rmdir", "seq", "sh", "sleep", "stty", "tail", "tar", "test", "timeout", "touch",
    "true", "tty", "uname", "wc", "which", "whoami",
];

/// The exit code of a file that cannot be executed.
const NOT_EXECUTABLE: u8 = 126;

/// The name of a program without the folder where it is looked for.
pub(super) fn name(program: &str) -> &str {
    let folders = ["/bin/", "/usr/bin/", "/usr/local/bin/"];
    folders.iter().find_map(|folder| program.strip_prefix(folder)).unwrap_or(program)
}

/// Returns true if there is a program with a name.
pub(in super::super) fn exists(program: &str) -> bool {
    NAMES.contains(&name(program))
}

/// Returns the words of a container runtime (containerd and runc) if it cannot execute a program; none if it can.
pub(in super::super) fn refusal(container: &Container, program: &str) -> Option<String> {
    let problem = match executable(container, &container.description.folder, program) {
        Ok(()) => return None,
        Err(Problem::Missing) if program.contains('/') => {
            format!("stat {program}: no such file or directory")
        }
        Err(Problem::Missing) => "executable file not found in $PATH".to_owned(),
        Err(Problem::Folder) => "is a directory".to_owned(),
        Err(Problem::NotExecutable) => "permission denied".to_owned(),
    };
    // The number of the process at the runtime.
    let id = format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
    let runtime = "OCI runtime exec failed: exec failed: unable to start container process";
    Some(format!(
        "failed to exec in container: failed to start exec \"{id}\": {runtime}: exec: \"{program}\": {problem}: unknown"
    ))
}

/// The reason for which a path cannot be executed.
enum Problem {
    Missing,
    Folder,
    NotExecutable,
}

fn executable(container: &Container, folder: &str, program: &str) -> Result<(), Problem> {
    if exists(program) {
        return Ok(());
    }
    if !program.contains('/') {
        return Err(Problem::Missing);
    }
    let files = container.files();
    match files.get(&files.resolve(folder, program, true)) {
        None => Err(Problem::Missing),
        Some(entry) if entry.is_folder() => Err(Problem::Folder),
        Some(entry) if entry.mode & 0o111 != 0 && matches!(entry.content, Content::File(_)) => Ok(()),
        Some(_) => Err(Problem::NotExecutable),
    }
}

/// Runs a file as a script; none if there is no such file.
pub(super) async fn run_file(shell: &Shell, args: &[String], io: &Io) -> Option<u8> {
    match executable(&shell.container, &shell.folder, &args[0]) {
        Ok(()) => {
            let words: Vec<&str> = args.iter().map(String::as_str).collect();
            Some(super::sh(shell, &words, io).await)
        }
        Err(Problem::Missing) => None,
        Err(Problem::Folder | Problem::NotExecutable) => {
            io.complain(format!("sh: {}: Permission denied", args[0])).await;
            Some(NOT_EXECUTABLE)
        }
    }
}
