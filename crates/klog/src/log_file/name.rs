//! The names of log files, and their first lines.

use std::path::Path;
use std::sync::LazyLock;

use crate::{Severity, local_time};

/// The name of the program's file of a severity that begins now:
/// `program.machine.user.log.INFO.20260101-103000.1234`.
pub(super) fn file_name(severity: Severity) -> String {
    let names = &*NAMES;
    let time = local_time::now().strftime("%Y%m%d-%H%M%S").to_string();
    let process = std::process::id();
    format!("{}.{}.{}.log.{severity}.{time}.{process}", names.program, names.machine, names.user)
}

/// The name of the link to the newest file of a severity.
pub(super) fn link_name(severity: Severity) -> String {
    format!("{}.{severity}", NAMES.program)
}

/// The first lines of a file.
pub(super) fn head() -> String {
    let time = local_time::now().strftime("%Y/%m/%d %H:%M:%S").to_string();
    format!(
        "Log file created at: {time}\n\
         Running on machine: {machine}\n\
         Binary: Built with rustc for {os}/{architecture}\n\
         Log line format: [IWEF]mmdd hh:mm:ss.uuuuuu threadid file:line] msg\n",
        machine = NAMES.machine,
        os = std::env::consts::OS,
        architecture = std::env::consts::ARCH,
    )
}

/// The names of the program, of the machine without its domain, and of the user.
struct Names {
    program: String,
    machine: String,
    user: String,
}

static NAMES: LazyLock<Names> = LazyLock::new(|| {
    let program = std::env::args_os().next().unwrap_or_default();
    let program = Path::new(&program).file_name().map(|name| name.to_string_lossy().into_owned());
    let machine = machine().and_then(|name| name.split('.').next().map(str::to_owned));
    let name = |name: Option<String>, unknown: &str| {
        let name = name.filter(|name| !name.is_empty());
        name.map_or_else(|| unknown.to_owned(), |name| in_file_name(&name))
    };
    Names {
        program: name(program, "unknownprogram"),
        machine: name(machine, "unknownhost"),
        user: name(user(), "unknownuser"),
    }
});

/// A name as a part of the name of a file: those of the machine and of a user of a directory service may have slashes.
fn in_file_name(name: &str) -> String {
    name.replace(|c: char| matches!(c, '/' | '\\') || c.is_control(), "_")
}

#[cfg(unix)]
fn machine() -> Option<String> {
    Some(rustix::system::uname().nodename().to_string_lossy().into_owned())
}

#[cfg(not(unix))]
fn machine() -> Option<String> {
    std::env::var("COMPUTERNAME").ok()
}

/// The user's name by the file of users, as Go looks it up without C, or else by the environment.
#[cfg(unix)]
fn user() -> Option<String> {
    let id = rustix::process::getuid().as_raw().to_string();
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let mut lines = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let user = lines.find(|fields| fields.get(2) == Some(&&*id)).and_then(|fields| fields.first().copied());
    user.map(str::to_owned).or_else(|| std::env::var("USER").ok())
}

#[cfg(not(unix))]
fn user() -> Option<String> {
    std::env::var("USERNAME").ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_to_no_other_folder() {
        for (name, expected) in
            [("web", "web"), ("../../etc/a", ".._.._etc_a"), ("CORP\\jo\n", "CORP_jo_"), ("é", "é")]
        {
            assert_eq!(in_file_name(name), expected);
        }
    }
}
