//! Random values: made by a question's own grammar, and out of those in its table by mistakes.

use fastrand::Rng;

use crate::question::Question;

/// Some thousand values at most.
pub(crate) fn batch(question: &Question, rng: &mut Rng, most: usize) -> Vec<String> {
    (0..most.min(BATCH)).map(|_| one(question, rng)).collect()
}

const BATCH: usize = 5_000;

fn one(question: &Question, rng: &mut Rng) -> String {
    let mut text = if rng.bool() { (question.make)(rng) } else { pick(rng, question.table).to_string() };
    // A third has no mistake, and few have many.
    while rng.u8(0..3) > 0 {
        text = mistaken(&text, question, rng);
        if rng.bool() {
            break;
        }
    }
    text
}

/// A value with one mistake in it.
fn mistaken(text: &str, question: &Question, rng: &mut Rng) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    let at = rng.usize(0..=chars.len());
    let other: Vec<char> = pick(rng, question.table).chars().collect();
    match rng.u8(0..8) {
        0 => chars.insert(at, any(rng, &other)),
        1 if at < chars.len() => drop(chars.remove(at)),
        2 if at < chars.len() => chars[at] = any(rng, &other),
        3 if at < chars.len() => {
            let to = rng.usize(0..chars.len());
            chars.swap(at, to);
        }
        4 if at < chars.len() => {
            let end = rng.usize(at..=chars.len());
            let again = chars[at..end].to_vec();
            chars.splice(at..at, again);
        }
        5 if at < chars.len() => drop(chars.drain(at..rng.usize(at..=chars.len()))),
        6 => {
            let from = rng.usize(0..=other.len());
            chars.truncate(at);
            chars.extend(&other[from..]);
        }
        _ => {
            let (from, to) = (rng.usize(0..=other.len()), rng.usize(0..=other.len()));
            let part = other[from.min(to)..from.max(to)].to_vec();
            chars.splice(at..at, part);
        }
    }
    chars.truncate(LONGEST);
    chars.into_iter().collect()
}

const LONGEST: usize = 400;

/// A character of another value, or one that often stands where it should not.
fn any(rng: &mut Rng, other: &[char]) -> char {
    if !other.is_empty() && rng.bool() {
        return pick(rng, other);
    }
    pick(
        rng,
        &[
            '0', '1', '9', '-', '+', '.', ',', ':', ' ', '\n', '\t', '"', '\\', 'e', 'E', 'Z', 'é', '\0',
            '\u{7f}',
        ],
    )
}

/// One of some.
pub(crate) fn pick<T: Copy>(rng: &mut Rng, from: &[T]) -> T {
    from[rng.usize(0..from.len())]
}

/// So many digits.
pub(crate) fn digits(rng: &mut Rng, len: usize) -> String {
    (0..len).map(|_| rng.digit(10)).collect()
}
