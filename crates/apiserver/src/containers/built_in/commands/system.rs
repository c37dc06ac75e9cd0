//! Programs that tell of the system, its user and its processes: `date`, `id`, `uname`, `ps`, `kill`, `stty` and others.

use klient_apimachinery::Time;

use super::super::processes::{SIGNALS, signal};
use super::super::shell::{Io, Shell};
use super::{exists, print};

/// The version of the system.
const RELEASE: &str = "6.1.0";

/// The time, as `date` prints it, in seconds since 1970 for `+%s`, and as RFC 3339 for all other formats.
pub(super) async fn date(words: &[&str], io: &Io) -> u8 {
    let now = Time::now();
    match words {
        ["+%s"] => print(io, &now.unix().to_string()).await,
        _ => print(io, &now.to_string()).await,
    }
}

pub(super) async fn id(words: &[&str], io: &Io) -> u8 {
    let text = match words {
        ["-u" | "-g" | "-G"] => "0",
        ["-un" | "-gn" | "-nu" | "-ng"] => "root",
        _ => "uid=0(root) gid=0(root) groups=0(root)",
    };
    print(io, text).await
}

pub(super) async fn uname(shell: &Shell, words: &[&str], io: &Io) -> u8 {
    let hostname = shell.container.description.hostname.as_str();
    let fields = [
        ('s', "Linux"),
        ('n', hostname),
        ('r', RELEASE),
        ('v', "#1 SMP klient"),
        ('m', std::env::consts::ARCH),
        ('o', "GNU/Linux"),
    ];
    let is_set = |flag: char| words.iter().any(|word| word.contains(flag) || word.contains('a'));
    let shown: Vec<&str> = fields.iter().filter(|(flag, _)| is_set(*flag)).map(|(_, text)| *text).collect();
    print(io, &if shown.is_empty() { "Linux".to_owned() } else { shown.join(" ") }).await
}

pub(super) async fn which(words: &[&str], io: &Io) -> u8 {
    let mut code = 0;
    for word in words {
        code = match exists(word) {
            true if word.contains('/') => code.max(print(io, word).await),
            true => code.max(print(io, &format!("/bin/{word}")).await),
            false => 1,
        };
    }
    code
}

pub(super) async fn ps(shell: &Shell, io: &Io) -> u8 {
    let mut text = "PID   USER     TIME  COMMAND\n".to_owned();
    for (pid, time, command) in shell.container.processes.list() {
        let (minutes, seconds) = (time.as_secs() / 60, time.as_secs() % 60);
        text.push_str(&format!("{pid:>5} root     {minutes:>2}:{seconds:02} {command}\n"));
    }
    u8::from(!io.print(text).await)
}

/// Sends a signal to processes: `kill PID`, `kill -SIGNAL PID`, `kill -s SIGNAL PID`, and `kill -l`.
pub(super) async fn kill(shell: &Shell, words: &[&str], io: &Io) -> u8 {
    let (name, pids) = match words {
        ["-l", ..] => {
            let names: Vec<&str> = SIGNALS.iter().map(|(_, name)| *name).collect();
            return print(io, &names.join(" ")).await;
        }
        ["-s", name, "--", pids @ ..] | ["-s", name, pids @ ..] => (*name, pids),
        [name, pids @ ..] if name.starts_with('-') && *name != "--" => (&name[1..], pids),
        ["--", pids @ ..] | pids => ("TERM", pids),
    };
    let Some(number) = signal(name) else {
        io.complain(format!("sh: bad signal name '{name}'")).await;
        return 1;
    };
    if pids.is_empty() {
        io.complain("sh: you need to specify whom to kill").await;
        return 1;
    }
    let mut code = 0;
    for pid in pids {
        let sent = match pid.parse() {
            Ok(pid) if shell.container.processes.signal(pid, number) => continue,
            Ok(pid) => format!("can't kill pid {pid}: No such process"),
            Err(_) => format!("invalid number '{pid}'"),
        };
        io.complain(format!("sh: {sent}")).await;
        code = 1;
    }
    code
}

/// `stty size` prints the lines and columns of the terminal.
pub(super) async fn stty(shell: &Shell, words: &[&str], io: &Io) -> u8 {
    let Some(terminal) = &shell.terminal else {
        io.complain("stty: standard input: Inappropriate ioctl for device").await;
        return 1;
    };
    let size = terminal.size();
    match words {
        ["size"] => print(io, &format!("{} {}", size.height, size.width)).await,
        [] | ["-a"] => {
            print(io, &format!("speed 38400 baud; rows {}; columns {};", size.height, size.width)).await
        }
        // Lines are edited here, whatever the settings.
        _ => 0,
    }
}

pub(super) async fn tty(shell: &Shell, io: &Io) -> u8 {
    match &shell.terminal {
        Some(_) => print(io, "/dev/pts/0").await,
        None => print(io, "not a tty").await.max(1),
    }
}
