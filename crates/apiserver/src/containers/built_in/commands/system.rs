//! Programs that tell of the system, its user and its processes: `date`, `id`, `uname`, `ps`, `kill`, `stty` and others.

use klient_apimachinery::Time;

use super::super::processes::{SIGNALS, signal};
use super::super::shell::{Io, Shell};
use super::listing::month;
use super::{exists, print};

/// The version of the system.
const RELEASE: &str = "6.1.0";

/// The days of the week, from that of 1970-01-01 on.
const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];

/// `date`, in UTC, also with a format of the directives for numbers, such as `+%F %T`.
pub(super) async fn date(words: &[&str], io: &Io) -> u8 {
    let format = words.iter().find_map(|word| word.strip_prefix('+')).unwrap_or("%a %b %e %T UTC %Y");
    print(io, &formatted(Time::now(), format)).await
}

fn formatted(time: Time, format: &str) -> String {
    // 2006-01-02T15:04:05Z
    let text = time.to_string();
    let part = |range: std::ops::Range<usize>| text.get(range).unwrap_or_default().to_owned();
    let (mut out, mut letters) = (String::new(), format.chars());
    while let Some(letter) = letters.next() {
        let directive = if letter == '%' { letters.next() } else { None };
        out += &match directive {
            None => letter.to_string(),
            Some('Y') => part(0..4),
            Some('m') => part(5..7),
            Some('d') => part(8..10),
            Some('e') => format!("{:>2}", part(8..10).trim_start_matches('0')),
            Some('H') => part(11..13),
            Some('M') => part(14..16),
            Some('S') => part(17..19),
            Some('F') => part(0..10),
            Some('T') => part(11..19),
            Some('s') => time.unix().to_string(),
            Some('a') => usize::try_from(time.unix() / 86_400 % 7)
                .ok()
                .and_then(|day| DAYS.get(day))
                .unwrap_or(&DAYS[0])
                .to_string(),
            Some('b') => month(&text).to_owned(),
            Some('Z') => "UTC".to_owned(),
            Some('%') => "%".to_owned(),
            Some(other) => format!("%{other}"),
        };
    }
    out
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_date() {
        let time = Time::from_unix(1_767_323_045);
        assert_eq!(formatted(time, "%a %b %e %T UTC %Y"), "Fri Jan  2 03:04:05 UTC 2026");
        assert_eq!(formatted(time, "%F/%H.%M.%S %s%%%q%"), "2026-01-02/03.04.05 1767323045%%q%");
    }
}
