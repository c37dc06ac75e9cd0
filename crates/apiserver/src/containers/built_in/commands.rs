//! The programs of the built-in containers.

use std::time::Duration;

use klient_apimachinery::BoxFuture;
use tokio::io::AsyncReadExt as _;

use super::memory::Reserved;
use super::shell::{Io, Shell, input, is_parameter};

/// The names of the programs.
const NAMES: [&str; 27] = [
    "[", "cat", "date", "echo", "env", "false", "head", "hostname", "id", "ls", "mkdir", "printenv",
    "printf", "ps", "pwd", "rm", "sh", "bash", "sleep", "tail", "tar", "test", "touch", "true", "uname",
    "wc", "whoami",
];

/// The part of a stream that is copied at once, in bytes.
const PART: usize = 32 * 1024;

/// The largest input of `tail`, in bytes.
const MAX_TAIL: usize = 16 * 1024 * 1024;

/// The name of a program without the folder where it is looked for.
fn name(program: &str) -> &str {
    let folders = ["/bin/", "/usr/bin/", "/usr/local/bin/"];
    folders.iter().find_map(|folder| program.strip_prefix(folder)).unwrap_or(program)
}

/// Returns true if there is a program, or a command of the shell, with a name.
pub(super) fn exists(program: &str) -> bool {
    NAMES.contains(&name(program))
}

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
            "hostname" => print(io, &shell.container.description.hostname).await,
            "whoami" => print(io, "root").await,
            "id" => print(io, "uid=0(root) gid=0(root) groups=0(root)").await,
            "uname" => print(io, "Linux").await,
            "date" => print(io, &klient_apimachinery::Time::now().to_string()).await,
            "ps" => {
                let main = shell.container.description.command.join(" ");
                print(io, &format!("PID   USER     TIME  COMMAND\n    1 root      0:00 {main}")).await
            }
            "ls" => ls(shell, &words, io).await,
            "mkdir" | "rm" | "touch" => change_files(shell, name(program), &words, io).await,
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
            _ => return None,
        })
    })
}

async fn print(io: &Io, line: &str) -> u8 {
    u8::from(!io.print(format!("{line}\n")).await)
}

async fn sh(shell: &Shell, words: &[&str], io: &Io) -> u8 {
    let mut inner = shell.clone();
    let options: Vec<&str> = words.iter().copied().take_while(|word| word.starts_with('-')).collect();
    let rest = &words[options.len()..];
    let is_set = |flag: char| options.iter().any(|option| !option.starts_with("--") && option.contains(flag));
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
        match rest {
            [script, ..] if is_set('c') => inner.script(script, io.clone()).await,
            [] if is_set('c') => {
                io.complain("sh: -c requires an argument").await;
                2
            }
            [file, ..] => {
                let script = shell.container.files().read(&shell.path(file));
                match script {
                    Ok(script) => inner.script(&String::from_utf8_lossy(&script), io.clone()).await,
                    Err(problem) => {
                        io.complain(format!("sh: can't open '{file}': {problem}")).await;
                        2
                    }
                }
            }
            [] => inner.interact(io.clone(), shell.variables.get("TERM").is_some()).await,
        }
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
        let content = shell.container.files().read(&shell.path(file));
        match content {
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

async fn sleep(words: &[&str], io: &Io) -> u8 {
    let mut total = 0.0;
    for word in words {
        if matches!(*word, "infinity" | "inf") {
            std::future::pending::<()>().await;
        }
        let units = [('s', 1.0), ('m', 60.0), ('h', 3600.0), ('d', 86_400.0)];
        let unit = units.iter().find_map(|(unit, seconds)| Some((word.strip_suffix(*unit)?, *seconds)));
        let (number, unit) = unit.unwrap_or((word, 1.0));
        match number.parse::<f64>() {
            Ok(number) if number >= 0.0 => total += number * unit,
            _ => {
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
    let mut inner = shell.clone();
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

async fn ls(shell: &Shell, words: &[&str], io: &Io) -> u8 {
    let (options, files): (Vec<&str>, Vec<&str>) = words.iter().partition(|word| word.starts_with('-'));
    let is_long = options.iter().any(|option| option.contains('l'));
    let mut code = 0;
    for file in if files.is_empty() { vec!["."] } else { files } {
        match listing(shell, file, is_long) {
            Some(text) if io.print(&text).await => {}
            Some(_) => return 1,
            None => {
                io.complain(format!("ls: {file}: No such file or directory")).await;
                code = 1;
            }
        }
    }
    code
}

/// The lines of `ls` for a file or a folder, if there is one.
fn listing(shell: &Shell, file: &str, is_long: bool) -> Option<String> {
    let mut text = String::new();
    let path = shell.path(file);
    let files = shell.container.files();
    let names = match files.get(&path)?.content {
        Some(_) => vec![(file.to_owned(), path)],
        None => {
            let names = files.names(&path).into_iter();
            names.map(|name| (name.clone(), format!("{path}/{name}"))).collect()
        }
    };
    for (name, path) in names {
        if is_long && let Some(entry) = files.get(&path) {
            let kind = if entry.content.is_some() { '-' } else { 'd' };
            let bits: String = (0..9)
                .rev()
                .map(|bit| if entry.mode >> bit & 1 == 1 { ["x", "w", "r"][bit % 3] } else { "-" })
                .collect();
            let size = entry.content.as_ref().map_or(0, bytes::Bytes::len);
            let time = klient_apimachinery::Time::from_unix(entry.modified);
            text.push_str(&format!("{kind}{bits}    1 root     root     {size:>9} {time} "));
        }
        text.push_str(&name);
        text.push('\n');
    }
    Some(text)
}

async fn change_files(shell: &Shell, program: &str, words: &[&str], io: &Io) -> u8 {
    let (options, names): (Vec<&str>, Vec<&str>) = words.iter().partition(|word| word.starts_with('-'));
    let is_set = |flag: char| options.iter().any(|option| option.contains(flag));
    let mut code = 0;
    for name in names {
        let path = shell.path(name);
        let done = {
            let mut files = shell.container.files();
            match program {
                "mkdir" => files.make_folder(&path, is_set('p')),
                "rm" if path.is_empty() => Err("Device or resource busy"),
                "rm" if is_set('f') && files.get(&path).is_none() => Ok(()),
                "rm" => files.remove(&path, is_set('r') || is_set('R')),
                _ if files.is_folder(&path) => Ok(()),
                _ => files.touch(&path),
            }
        };
        if let Err(problem) = done {
            io.complain(format!("{program}: {name}: {problem}")).await;
            code = 1;
        }
    }
    code
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
        ["-d", path] => shell.container.files().is_folder(&shell.path(path)),
        ["-e", path] => shell.container.files().get(&shell.path(path)).is_some(),
        ["-f" | "-r", path] => shell.container.files().read(&shell.path(path)).is_ok(),
        ["-s", path] => {
            shell.container.files().read(&shell.path(path)).is_ok_and(|content| !content.is_empty())
        }
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
