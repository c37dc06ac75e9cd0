//! `ls` and `readlink`.

use klient_apimachinery::Time;

use super::super::files::{Content, Entry, Files};
use super::super::shell::{Io, Shell};
use super::print;

/// The age from which `ls` shows the year of a file in place of the time of the day, in seconds.
const HALF_A_YEAR: i64 = 182 * 24 * 3600;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The options of `ls`.
struct Options {
    all: bool,
    long: bool,
    folder_itself: bool,
}

pub(super) async fn ls(shell: &Shell, words: &[&str], io: &Io) -> u8 {
    let (flags, files): (Vec<&str>, Vec<&str>) =
        words.iter().partition(|word| word.starts_with('-') && word.len() > 1);
    let is_set = |flag: char| flags.iter().any(|word| !word.starts_with("--") && word.contains(flag));
    let options = Options { all: is_set('a'), long: is_set('l'), folder_itself: is_set('d') };
    let has_several = files.len() > 1;
    let mut code = 0;
    for (index, file) in if files.is_empty() { vec!["."] } else { files }.into_iter().enumerate() {
        match listing(shell, file, &options) {
            Some(Listing { text, is_folder }) => {
                let gap = if index > 0 { "\n" } else { "" };
                let head = if has_several && is_folder { format!("{gap}{file}:\n") } else { String::new() };
                if !io.print(head + &text).await {
                    return 1;
                }
            }
            None => {
                io.complain(format!("ls: {file}: No such file or directory")).await;
                code = 1;
            }
        }
    }
    code
}

/// The lines of `ls` for a file or a folder.
struct Listing {
    text: String,
    is_folder: bool,
}

fn listing(shell: &Shell, file: &str, options: &Options) -> Option<Listing> {
    // A link is itself in a long list, unless its name ends with a slash.
    let path = if options.long || options.folder_itself { shell.link_path(file) } else { shell.path(file) };
    let files = shell.container.files();
    let entry = files.get(&path)?;
    let now = Time::now().unix();
    let mut text = String::new();
    if !entry.is_folder() || options.folder_itself {
        add_line(&mut text, &files, &path, file, options, now);
        return Some(Listing { text, is_folder: false });
    }
    let mut names: Vec<(String, String)> = Vec::new();
    if options.all {
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        names.extend([(".".to_owned(), path.clone()), ("..".to_owned(), parent.to_owned())]);
    }
    let inside = files.names(&path).into_iter().filter(|name| options.all || !name.starts_with('.'));
    names.extend(inside.map(|name| {
        let inner = format!("{path}/{name}");
        (name, inner)
    }));
    if options.long {
        let kilobytes = |path: &String| files.get(path).map_or(0, |entry| length(entry).div_ceil(4096) * 4);
        let total: usize = names.iter().map(|(_, path)| kilobytes(path)).sum();
        text.push_str(&format!("total {total}\n"));
    }
    for (name, path) in names {
        add_line(&mut text, &files, &path, &name, options, now);
    }
    Some(Listing { text, is_folder: true })
}

fn add_line(text: &mut String, files: &Files, path: &str, name: &str, options: &Options, now: i64) {
    let entry = files.get(path).filter(|_| options.long);
    if let Some(entry) = entry {
        text.push_str(&attributes(entry, now));
    }
    text.push_str(name);
    if let Some(Entry { content: Content::Link(target), .. }) = entry {
        text.push_str(" -> ");
        text.push_str(target);
    }
    text.push('\n');
}

/// The number of bytes of an entry, which is that of a block for a folder.
fn length(entry: &Entry) -> usize {
    if entry.is_folder() { 4096 } else { entry.length() }
}

/// The columns of a long list in front of the name.
fn attributes(entry: &Entry, now: i64) -> String {
    let kind = match entry.content {
        Content::File(_) => '-',
        Content::Folder => 'd',
        Content::Link(_) => 'l',
    };
    let bits: String = (0..9)
        .rev()
        .map(|bit| if entry.mode >> bit & 1 == 1 { ["x", "w", "r"][bit % 3] } else { "-" })
        .collect();
    let size = length(entry);
    let links = if entry.is_folder() { 2 } else { 1 };
    let time = date(entry.modified, now);
    format!("{kind}{bits} {links:>4} root     root     {size:>9} {time} ")
}

/// `Jan  2 15:04` for a time that is not long ago, else `Jan  2  2006`.
fn date(modified: i64, now: i64) -> String {
    let text = Time::from_unix(modified).to_string();
    // 2006-01-02T15:04:05Z
    let part = |range: std::ops::Range<usize>| text.get(range).unwrap_or_default();
    let day = part(8..10).trim_start_matches('0');
    let last = match (now - HALF_A_YEAR..=now).contains(&modified) {
        true => part(11..16).to_owned(),
        false => format!(" {}", part(0..4)),
    };
    format!("{} {day:>2} {last}", month(&text))
}

/// The name of the month of a time as RFC 3339.
pub(super) fn month(time: &str) -> &'static str {
    let number = time.get(5..7).and_then(|month| month.parse::<usize>().ok());
    number.and_then(|number| MONTHS.get(number.wrapping_sub(1))).unwrap_or(&MONTHS[0])
}

/// Prints to where links lead, with `-f` through all of them.
pub(super) async fn readlink(shell: &Shell, words: &[&str], io: &Io) -> u8 {
    let (options, names): (Vec<&str>, Vec<&str>) = words.iter().partition(|word| word.starts_with('-'));
    let follows = options.iter().any(|option| option.contains('f'));
    let mut code = 0;
    for name in names {
        let target = if follows {
            let path = shell.path(name);
            Some(if path.is_empty() { "/".to_owned() } else { path })
        } else {
            let path = shell.link_path(name);
            shell.container.files().read_link(&path).map(str::to_owned)
        };
        code = match target {
            Some(target) => code.max(print(io, &target).await),
            None => 1,
        };
    }
    code
}
