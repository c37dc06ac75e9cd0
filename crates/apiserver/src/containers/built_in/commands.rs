//! The programs of the built-in containers.

mod changes;
mod grep;
mod listing;
mod lookup;
mod system;

use std::time::Duration;

use klient_apimachinery::BoxFuture;
use tokio::io::AsyncReadExt as _;

use super::files::Content;
use super::memory::Reserved;
use super::shell::{Io, Shell, input, is_parameter};
use lookup::name;
pub(super) use lookup::{exists, refusal};

/// The part of a stream that is copied at once, in bytes.
const PART: usize = 32 * 1024;

/// The largest input of `tail`, in bytes.
const MAX_TAIL: usize = 16 * 1024 * 1024;

/// The exit code of `timeout` when it has killed its command, and when it cannot run it.
const TIMED_OUT: u8 = 124;
const CANNOT_RUN: u8 = 125;

/// Runs a program; none if there is none with the name.
pub(super) fn run<'a>(shell: &'a mut Shell, args: &'a [String], io: &'a Io) -> BoxFuture<'a, Option<u8>> {
    Box::pin(async move {
        let (program, rest) = args.split_first()?;
        let words: Vec<&str> = rest.iter().map(String::as_str).collect();
        Some(match name(program) {
            "true" => 0,
            "false" => 1,
            "echo" => echo(&words, io).await,
            "printf" => printf(&words, io).await,
            "cat" => cat(shell, &words, io).await,
            "head" | "tail" => part_of(shell, name(program) == "tail", &words, io).await,
            "wc" => wc(shell, &words, io).await,
            "sleep" => sleep(&words, io).await,
            "env" | "printenv" => env(shell, rest, io).await,
            "pwd" => print(io, if shell.folder.is_empty() { "/" } else { &shell.folder }).await,
            "clear" => u8::from(!io.print("\x1b[H\x1b[J").await),
            "date" => system::date(&words, io).await,
            "hostname" => print(io, &shell.container.description.hostname).await,
            "id" => system::id(&words, io).await,
            "kill" => system::kill(shell, &words, io).await,
            "ps" => system::ps(shell, io).await,
            "stty" => system::stty(shell, &words, io).await,
            "tty" => system::tty(shell, io).await,
            "uname" => system::uname(shell, &words, io).await,
            "which" => system::which(&words, io).await,
            "whoami" => print(io, "root").await,
            "basename" | "dirname" => part_of_path(name(program), &words, io).await,
            "seq" => seq(&words, io).await,
            "grep" => grep::grep(shell, &words, io).await,
            "ls" => listing::ls(shell, &words, io).await,
            "readlink" => listing::readlink(shell, &words, io).await,
            "chmod" => changes::chmod(shell, &words, io).await,
            "cp" | "mv" => changes::copy(shell, name(program), &words, io).await,
            "ln" => changes::ln(shell, &words, io).await,
            "mkdir" | "rm" | "rmdir" | "touch" => changes::change(shell, name(program), &words, io).await,
            "timeout" => timeout(shell, rest, io).await,
            "test" => u8::from(!test(shell, &words)),
            "[" => match words.split_last() {
                Some((&"]", words)) => u8::from(!test(shell, words)),
                _ => {
                    io.complain("sh: missing ]").await;
                    2
                }
            },
            "sh" | "bash" => sh(shell, &words, io).await,
            "tar" => super::archive::tar(shell, &words, io).await,
            _ if program.contains('/') => lookup::run_file(shell, args, io).await?,
            _ => return None,
        })
    })
}

async fn print(io: &Io, line: &str) -> u8 {
    u8::from(!io.print(format!("{line}\n")).await)
}

async fn sh(shell: &Shell, words: &[&str], io: &Io) -> u8 {
    let mut inner = shell.subshell();
    let options: Vec<&str> = words.iter().copied().take_while(|word| word.starts_with('-')).collect();
    let rest = &words[options.len()..];
    let is_set = |flag: char| options.iter().any(|option| !option.starts_with("--") && option.contains(flag));
    inner.set_errexit(is_set('e'));
    let run = async {
        let parameters = if is_set('c') { rest.get(1..).unwrap_or_default() } else { rest };
        let set = inner.set_parameters(parameters);
        // Scripts that call each other hold the variables of all.
        let memory = set.and_then(|()| shell.container.memory.reserve(inner.variables.size()));
        let _memory = match memory {
            Ok(memory) => memory,
            Err(problem) => {
                io.complain(format!("sh: {problem}")).await;
                return 2;
            }
        };
        let code = match rest {
            [script, ..] if is_set('c') => inner.script(script, io.clone()).await,
            [] if is_set('c') => {
                io.complain("sh: -c requires an argument").await;
                2
            }
            [file, ..] => match shell.read(file) {
                Ok(script) => inner.script(&String::from_utf8_lossy(&script), io.clone()).await,
                Err(problem) => {
                    io.complain(format!("sh: can't open '{file}': {problem}")).await;
                    2
                }
            },
            [] => inner.interact(io.clone(), shell.variables.get("TERM").is_some()).await,
        };
        inner.at_exit(code, io.clone()).await
    };
    Box::pin(run).await
}

async fn echo(words: &[&str], io: &Io) -> u8 {
    let (ends, words) = match words {
        ["-n", rest @ ..] => ("", rest),
        ["-e", rest @ ..] => return u8::from(!io.print(unescape(&rest.join(" ")) + "\n").await),
        words => ("\n", words),
    };
    u8::from(!io.print(words.join(" ") + ends).await)
}

/// `%s` and `%d` are the next argument; the format is repeated as long as there are some.
async fn printf(words: &[&str], io: &Io) -> u8 {
    let [format, args @ ..] = words else { return 2 };
    let mut args = args.iter();
    let format = unescape(format);
    loop {
        let before = args.len();
        let mut text = String::new();
        let mut pieces = format.split('%');
        text.push_str(pieces.next().unwrap_or_default());
        while let Some(piece) = pieces.next() {
            match piece.chars().next() {
                Some(kind @ ('s' | 'd')) => {
                    text.push_str(args.next().copied().unwrap_or_default());
                    text.push_str(&piece[kind.len_utf8()..]);
                }
                // A doubled sign.
                None => {
                    text.push('%');
                    text.push_str(pieces.next().unwrap_or_default());
                }
                Some(_) => {
                    text.push('%');
                    text.push_str(piece);
                }
            }
        }
        if !io.print(text).await {
            return 1;
        }
        if args.len() == 0 || args.len() == before {
            return 0;
        }
    }
}

fn unescape(text: &str) -> String {
    text.replace("\\n", "\n").replace("\\t", "\t").replace("\\r", "\r").replace("\\\\", "\\")
}

/// Standard input, or each named file as an input of its own; and 1 if there is no such file, which is told.
async fn inputs(shell: &Shell, program: &str, files: &[&str], io: &Io) -> (Vec<Io>, u8) {
    let (mut opened, mut code) = (Vec::new(), 0);
    for file in if files.is_empty() { &["-"] } else { files } {
        if *file == "-" {
            opened.push(io.clone());
            continue;
        }
        match shell.read(file) {
            Ok(content) => opened.push(Io { stdin: input(std::io::Cursor::new(content)), ..io.clone() }),
            Err(problem) => {
                io.complain(format!("{program}: can't open '{file}': {problem}")).await;
                code = 1;
            }
        }
    }
    (opened, code)
}

async fn cat(shell: &Shell, files: &[&str], io: &Io) -> u8 {
    let (inputs, mut code) = inputs(shell, "cat", files, io).await;
    for io in inputs {
        code = code.max(copy(&io, u64::MAX).await);
    }
    code
}

/// Copies standard input to standard output, at most so many bytes.
async fn copy(io: &Io, mut limit: u64) -> u8 {
    let mut buffer = vec![0; PART];
    let mut stdin = io.stdin.lock().await;
    while limit > 0 {
        let wanted = usize::try_from(limit).unwrap_or(PART).min(PART);
        match stdin.read(&mut buffer[..wanted]).await {
            Ok(0) => break,
            Ok(count) => {
                limit -= u64::try_from(count).unwrap_or(limit);
                if !io.print(&buffer[..count]).await {
                    return 1;
                }
                // Neither a file that is read nor one that is written waits for anything.
                tokio::task::yield_now().await;
            }
            Err(_) => return 1,
        }
    }
    0
}

/// Copies so many lines of standard input to standard output, and reads no further than the part with the last.
async fn copy_lines(io: &Io, mut number: usize) -> u8 {
    let mut buffer = vec![0; PART];
    let mut stdin = io.stdin.lock().await;
    while number > 0 {
        let count = match stdin.read(&mut buffer).await {
            Ok(0) => break,
            Ok(count) => count,
            Err(_) => return 1,
        };
        let mut end = 0;
        while number > 0 && end < count {
            match buffer[end..count].iter().position(|byte| *byte == b'\n') {
                Some(length) => {
                    end += length + 1;
                    number -= 1;
                }
                None => end = count,
            }
        }
        if !io.print(&buffer[..end]).await {
            return 1;
        }
        tokio::task::yield_now().await;
    }
    0
}

/// Reads standard input to its end, at most `limit` bytes of it. Its share of the memory is free again when the second
/// value is dropped.
pub(super) async fn read_all(
    shell: &Shell,
    io: &Io,
    limit: usize,
) -> Result<(Vec<u8>, Reserved), &'static str> {
    let (mut bytes, mut part) = (Vec::new(), vec![0; PART]);
    let mut memory = shell.container.memory.reserve(0)?;
    let mut stdin = io.stdin.lock().await;
    loop {
        let count = stdin.read(&mut part).await.map_err(|_| "short read")?;
        if count == 0 {
            return Ok((bytes, memory));
        }
        if bytes.len() + count > limit {
            return Err("File too large");
        }
        memory.grow(bytes.len() + count)?;
        bytes.extend_from_slice(&part[..count]);
        tokio::task::yield_now().await;
    }
}

/// `head` and `tail`, with `-n LINES`, `-LINES`, `-c BYTES`, and `+` for those from a position on.
async fn part_of(shell: &Shell, is_tail: bool, words: &[&str], io: &Io) -> u8 {
    let program = if is_tail { "tail" } else { "head" };
    let (mut unit, mut count, mut files) = ('n', "10".to_owned(), Vec::new());
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.strip_prefix('-') {
            Some(option) if option.starts_with(['n', 'c']) => {
                unit = option.chars().next().unwrap_or(unit);
                let value = &option[1..];
                count = if value.is_empty() { words.next().copied().unwrap_or_default() } else { value }
                    .to_owned();
            }
            Some(lines) if lines.parse::<usize>().is_ok() => count = lines.to_owned(),
            Some(follow @ ("f" | "F")) => {
                io.complain(format!("{program}: -{follow} is not known here")).await;
                return 1;
            }
            _ => files.push(*word),
        }
    }
    let (from_start, number) = match count.strip_prefix('+') {
        Some(number) if is_tail => (true, number),
        _ => (false, count.as_str()),
    };
    let Ok(number) = number.parse::<usize>() else {
        io.complain(format!("{program}: invalid number '{count}'")).await;
        return 1;
    };
    let (inputs, mut code) = inputs(shell, program, &files, io).await;
    for io in inputs {
        code = code.max(print_part(shell, &io, is_tail, unit, from_start, number).await);
    }
    code
}

/// The part of an input that `head` and `tail` print: the first or last lines or bytes, or those from one on.
async fn print_part(
    shell: &Shell,
    io: &Io,
    is_tail: bool,
    unit: char,
    from_start: bool,
    number: usize,
) -> u8 {
    let limit = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    if !is_tail && unit == 'c' {
        return copy(io, limit(number)).await;
    }
    if from_start && unit == 'c' {
        let null = Io { stdout: super::shell::output(tokio::io::sink()), ..io.clone() };
        copy(&null, limit(number.saturating_sub(1))).await;
        return copy(io, u64::MAX).await;
    }
    if !is_tail {
        return copy_lines(io, number).await;
    }
    let (bytes, _memory) = match read_all(shell, io, MAX_TAIL).await {
        Ok(read) => read,
        Err(problem) => {
            io.complain(format!("tail: {problem}")).await;
            return 1;
        }
    };
    let start = match unit {
        'c' => bytes.len().saturating_sub(number),
        _ if from_start => line_start(&bytes, number),
        _ => last_lines_start(&bytes, number),
    };
    u8::from(!io.print(&bytes[start..]).await)
}

/// The start of a line; the first is 1.
fn line_start(bytes: &[u8], number: usize) -> usize {
    match number {
        0 | 1 => 0,
        number => memchr::memchr_iter(b'\n', bytes).nth(number - 2).map_or(bytes.len(), |end| end + 1),
    }
}

/// The start of so many last lines.
fn last_lines_start(bytes: &[u8], number: usize) -> usize {
    // The last line has its end or not.
    let text = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    match number {
        0 => bytes.len(),
        number => memchr::memrchr_iter(b'\n', text).nth(number - 1).map_or(0, |end| end + 1),
    }
}

async fn wc(shell: &Shell, words: &[&str], io: &Io) -> u8 {
    let (options, files): (Vec<&str>, Vec<&str>) = words.iter().partition(|word| word.starts_with('-'));
    let (inputs, mut code) = inputs(shell, "wc", &files, io).await;
    for io in inputs {
        code = code.max(count(&io, options.first().copied()).await);
    }
    code
}

/// Prints the number of lines, words and bytes of an input, or the one that an option names.
async fn count(io: &Io, option: Option<&str>) -> u8 {
    let mut buffer = vec![0; PART];
    let (mut lines, mut words, mut bytes, mut in_word) = (0_u64, 0_u64, 0_u64, false);
    let mut stdin = io.stdin.lock().await;
    loop {
        let count = match stdin.read(&mut buffer).await {
            Ok(0) => break,
            Ok(count) => count,
            Err(_) => return 1,
        };
        for byte in &buffer[..count] {
            lines += u64::from(*byte == b'\n');
            bytes += 1;
            words += u64::from(!byte.is_ascii_whitespace() && !in_word);
            in_word = !byte.is_ascii_whitespace();
        }
        tokio::task::yield_now().await;
    }
    drop(stdin);
    let line = match option {
        Some("-l") => lines.to_string(),
        Some("-w") => words.to_string(),
        Some("-c") => bytes.to_string(),
        _ => format!("{lines:>9} {words:>9} {bytes:>9}"),
    };
    print(io, &line).await
}

/// `basename` and `dirname`.
async fn part_of_path(program: &str, words: &[&str], io: &Io) -> u8 {
    let [path, rest @ ..] = words else {
        io.complain(format!("{program}: missing operand")).await;
        return 1;
    };
    let trimmed = path.trim_end_matches('/');
    let (folder, last) = trimmed.rsplit_once('/').unwrap_or((".", trimmed));
    let part = match program {
        _ if trimmed.is_empty() && !path.is_empty() => "/",
        "dirname" if folder.is_empty() => "/",
        "dirname" => folder,
        _ => rest.first().and_then(|suffix| last.strip_suffix(suffix)).unwrap_or(last),
    };
    print(io, part).await
}

/// `seq LAST`, `seq FIRST LAST` and `seq FIRST INCREMENT LAST`.
async fn seq(words: &[&str], io: &Io) -> u8 {
    let numbers: Option<Vec<i64>> = words.iter().map(|word| word.parse().ok()).collect();
    let (first, step, last) = match numbers.as_deref() {
        Some([last]) => (1, 1, *last),
        Some([first, last]) => (*first, 1, *last),
        Some([first, step, last]) if *step != 0 => (*first, *step, *last),
        _ => {
            io.complain("seq: invalid number").await;
            return 1;
        }
    };
    let mut next = Some(first);
    while let Some(number) = next.filter(|number| if step > 0 { *number <= last } else { *number >= last }) {
        if print(io, &number.to_string()).await != 0 {
            return 1;
        }
        tokio::task::yield_now().await;
        next = number.checked_add(step);
    }
    0
}

/// The seconds of a time such as `1.5`, `10s`, `2m` or `infinity`.
fn seconds(word: &str) -> Option<f64> {
    let units = [('s', 1.0), ('m', 60.0), ('h', 3600.0), ('d', 86_400.0)];
    let unit = units.iter().find_map(|(unit, seconds)| Some((word.strip_suffix(*unit)?, *seconds)));
    let (number, unit) = unit.unwrap_or((word, 1.0));
    number.parse().ok().filter(|number| *number >= 0.0).map(|number: f64| number * unit)
}

/// `timeout [-s SIGNAL] [-k SECONDS] SECONDS COMMAND…`: the command is killed, whatever the signal.
async fn timeout(shell: &Shell, args: &[String], io: &Io) -> u8 {
    let mut args = args;
    while let [option, _, rest @ ..] = args
        && matches!(option.as_str(), "-s" | "-k")
    {
        args = rest;
    }
    let [limit, command @ ..] = args else {
        io.complain("timeout: missing operand").await;
        return CANNOT_RUN;
    };
    if limit.starts_with('-') {
        io.complain(format!("timeout: {limit} is not known here")).await;
        return CANNOT_RUN;
    }
    let Some(limit) = seconds(limit) else {
        io.complain(format!("timeout: invalid number '{limit}'")).await;
        return CANNOT_RUN;
    };
    if command.is_empty() {
        io.complain("timeout: missing operand").await;
        return CANNOT_RUN;
    }
    let mut inner = shell.subshell();
    let running = inner.run(command.to_vec(), io.clone());
    match Duration::try_from_secs_f64(limit) {
        Ok(limit) if !limit.is_zero() => tokio::time::timeout(limit, running).await.unwrap_or(TIMED_OUT),
        _ => running.await,
    }
}

async fn sleep(words: &[&str], io: &Io) -> u8 {
    let mut total = 0.0;
    for word in words {
        match seconds(word) {
            Some(seconds) => total += seconds,
            None => {
                io.complain(format!("sleep: invalid number '{word}'")).await;
                return 1;
            }
        }
    }
    match Duration::try_from_secs_f64(total) {
        Ok(time) => tokio::time::sleep(time).await,
        Err(_) => std::future::pending().await,
    }
    0
}

async fn env(shell: &mut Shell, args: &[String], io: &Io) -> u8 {
    let mut inner = shell.subshell();
    let mut args = args;
    while let [first, rest @ ..] = args
        && let Some((name, value)) = first.split_once('=')
    {
        if let Err(problem) = inner.variables.set(name, value.to_owned()) {
            io.complain(format!("env: {problem}")).await;
            return 1;
        }
        args = rest;
    }
    let _memory = match shell.container.memory.reserve(inner.variables.size()) {
        Ok(memory) => memory,
        Err(problem) => {
            io.complain(format!("env: {problem}")).await;
            return 1;
        }
    };
    match args {
        [] => {
            let variables = inner.variables.iter().filter(|(name, _)| !is_parameter(name));
            let lines = variables.map(|(name, value)| format!("{name}={value}\n"));
            u8::from(!io.print(lines.collect::<String>()).await)
        }
        // printenv NAME
        [name] if !exists(name) => match inner.variables.get(name) {
            Some(value) => print(io, value).await,
            None => 1,
        },
        program => Box::pin(inner.run(program.to_vec(), io.clone())).await,
    }
}

fn test(shell: &Shell, mut words: &[&str]) -> bool {
    let number = |word: &str| word.parse::<i64>().unwrap_or_default();
    let mut expected = true;
    while let ["!", rest @ ..] = words {
        (words, expected) = (rest, !expected);
    }
    let holds = match words {
        [] => false,
        [word] => !word.is_empty(),
        ["-n", word] => !word.is_empty(),
        ["-z", word] => word.is_empty(),
        ["-d", path] => shell.read(path) == Err("Is a directory"),
        ["-e", path] => {
            let path = shell.path(path);
            let files = shell.container.files();
            files.get(&path).is_some_and(|entry| !matches!(entry.content, Content::Link(_)))
        }
        ["-h" | "-L", path] => {
            let path = shell.link_path(path);
            shell.container.files().read_link(&path).is_some()
        }
        ["-x", path] => {
            let path = shell.path(path);
            shell.container.files().get(&path).is_some_and(|entry| entry.mode & 0o111 != 0)
        }
        ["-f" | "-r", path] => shell.read(path).is_ok(),
        ["-s", path] => shell.read(path).is_ok_and(|content| !content.is_empty()),
        [left, "=" | "==", right] => left == right,
        [left, "!=", right] => left != right,
        [left, "-eq", right] => number(left) == number(right),
        [left, "-ne", right] => number(left) != number(right),
        [left, "-lt", right] => number(left) < number(right),
        [left, "-le", right] => number(left) <= number(right),
        [left, "-gt", right] => number(left) > number(right),
        [left, "-ge", right] => number(left) >= number(right),
        _ => false,
    };
    holds == expected
}
