//! Makes a value that is answered differently shorter.

use crate::judge::Judge;
use crate::question::Question;

/// A part of a value that is answered differently too, and in the same way, of which nothing can be left out.
///
/// # Errors
///
/// If the program that answers has ended.
pub(crate) fn shortest(question: &Question, judge: &mut Judge, input: &str) -> Result<String, String> {
    let Some(way) = difference(question, judge, input)? else { return Ok(input.to_owned()) };
    let mut chars: Vec<char> = input.chars().collect();
    let mut len = chars.len().div_ceil(2);
    while len > 0 {
        let mut at = 0;
        while at + len <= chars.len() {
            let rest: String = [&chars[..at], &chars[at + len..]].concat().into_iter().collect();
            if difference(question, judge, &rest)? == Some(way) {
                chars.drain(at..at + len);
            } else {
                at += 1;
            }
        }
        len /= 2;
    }
    Ok(chars.into_iter().collect())
}

/// Which of the two understand a value, if they answer differently.
fn difference(question: &Question, judge: &mut Judge, input: &str) -> Result<Option<(bool, bool)>, String> {
    let ours = (question.ours)(input);
    let theirs = judge.ask(question.name, &[input.to_owned()])?.remove(0);
    let differ = !question.agree(&ours, &theirs) && question.kept(input, &ours, &theirs).is_none();
    Ok(differ.then_some((ours.is_ok(), theirs.is_ok())))
}
