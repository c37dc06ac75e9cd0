//! [`Runes`], a regular expression as a program on characters, as in Go's `regexp`.
//!
//! The crate `regex` makes automata of bytes, in which a class such as `\p{L}` takes kilobytes, as often as it is repeated.
//! Here it is one instruction and a table. A match takes time that is linear in the text and in the program.

use regex_syntax::hir::{Class, Hir, HirKind, Look, Repetition};

use crate::effort;

/// The instructions of a program.
const INSTRUCTIONS_MAX: usize = 1_000_000;

/// The instructions of a match after which the effort of the thread is taken.
const STRIDE: usize = 4_096;

/// A program.
#[derive(Clone, Debug)]
pub(super) struct Runes {
    program: Vec<Instruction>,
    /// The ranges of each class, sorted.
    classes: Vec<Vec<(char, char)>>,
}

#[derive(Clone, Copy, Debug)]
enum Instruction {
    Char(char),
    /// A character of a class.
    Class(usize),
    /// The first way is preferred.
    Split(usize, usize),
    Jump(usize),
    Look(Look),
    Match,
}

/// The program would be too large, or has something that Go's syntax has not.
#[derive(Debug)]
pub(super) struct TooLarge;

/// The places in a program at a place in the text, the preferred first, each with the start of its match.
pub(super) struct Threads {
    threads: Vec<(usize, usize)>,
    /// True for the instructions that are among them, or have been passed through.
    seen: Vec<bool>,
    passed: Vec<usize>,
    /// The instructions that are still to be followed.
    open: Vec<usize>,
}

/// The characters around a place in the text.
#[derive(Clone, Copy)]
struct Place {
    at: usize,
    before: Option<char>,
    after: Option<char>,
}

impl Runes {
    pub(super) fn compile(pattern: &Hir) -> Result<Runes, TooLarge> {
        let mut runes = Runes { program: Vec::new(), classes: Vec::new() };
        runes.add(pattern)?;
        runes.push(Instruction::Match)?;
        Ok(runes)
    }

    fn push(&mut self, instruction: Instruction) -> Result<usize, TooLarge> {
        if self.program.len() >= INSTRUCTIONS_MAX {
            return Err(TooLarge);
        }
        self.program.push(instruction);
        Ok(self.program.len() - 1)
    }

    fn add(&mut self, pattern: &Hir) -> Result<(), TooLarge> {
        match pattern.kind() {
            HirKind::Empty => {}
            HirKind::Literal(literal) => {
                for c in std::str::from_utf8(&literal.0).map_err(|_| TooLarge)?.chars() {
                    self.push(Instruction::Char(c))?;
                }
            }
            HirKind::Class(class) => {
                let ranges: Vec<(char, char)> = match class {
                    Class::Unicode(class) => class.iter().map(|range| (range.start(), range.end())).collect(),
                    Class::Bytes(class) => class
                        .iter()
                        .map(|range| (char::from(range.start()), char::from(range.end())))
                        .collect(),
                };
                let known = self.classes.iter().position(|known| *known == ranges);
                let index = known.unwrap_or_else(|| {
                    self.classes.push(ranges);
                    self.classes.len() - 1
                });
                self.push(Instruction::Class(index))?;
            }
            HirKind::Look(look) => {
                self.push(Instruction::Look(*look))?;
            }
            HirKind::Capture(capture) => self.add(&capture.sub)?,
            HirKind::Concat(parts) => parts.iter().try_for_each(|part| self.add(part))?,
            HirKind::Alternation(parts) => self.alternation(parts)?,
            HirKind::Repetition(repetition) => self.repetition(repetition)?,
        }
        Ok(())
    }

    fn alternation(&mut self, parts: &[Hir]) -> Result<(), TooLarge> {
        let mut ends = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            if index + 1 == parts.len() {
                self.add(part)?;
                break;
            }
            let split = self.push(Instruction::Split(0, 0))?;
            self.add(part)?;
            ends.push(self.push(Instruction::Jump(0))?);
            self.program[split] = Instruction::Split(split + 1, self.program.len());
        }
        let end = self.program.len();
        ends.into_iter().for_each(|jump| self.program[jump] = Instruction::Jump(end));
        Ok(())
    }

    fn repetition(&mut self, repetition: &Repetition) -> Result<(), TooLarge> {
        let Repetition { min, max, greedy, sub } = repetition;
        let split = |into: usize, past: usize| {
            if *greedy { Instruction::Split(into, past) } else { Instruction::Split(past, into) }
        };
        let Some(max) = max else {
            for _ in 1..*min {
                self.add(sub)?;
            }
            // `x*` is `(?:x+)?`, which differs from a loop in what is preferred if `x` may be empty.
            let skip = if *min == 0 { Some(self.push(Instruction::Match)?) } else { None };
            let start = self.program.len();
            self.add(sub)?;
            let end = self.program.len() + 1;
            self.push(split(start, end))?;
            if let Some(skip) = skip {
                self.program[skip] = split(start, end);
            }
            return Ok(());
        };
        for _ in 0..*min {
            self.add(sub)?;
        }
        // Each further one may be the last: `x{0,2}` is `(?:x(?:x)?)?`.
        let mut starts = Vec::new();
        for _ in *min..*max {
            starts.push(self.push(Instruction::Match)?);
            self.add(sub)?;
        }
        let end = self.program.len();
        starts.into_iter().for_each(|start| self.program[start] = split(start + 1, end));
        Ok(())
    }

    /// The threads of searches, one after the other.
    pub(super) fn threads(&self) -> Threads {
        Threads::of(self.program.len())
    }

    /// The first match at or after a place in a text, with its end: the one that Go prefers, or any if only that matters.
    /// One that is interrupted finds none. The threads may be those of another search.
    pub(super) fn find(
        &self,
        threads: &mut Threads,
        text: &str,
        from: usize,
        any: bool,
    ) -> Option<(usize, usize)> {
        let mut next: Vec<(usize, usize)> = Vec::new();
        let mut found = None;
        let mut steps = 0;
        let mut before = text[..from].chars().next_back();
        let mut rest = text[from..].chars();
        let mut at = from;
        loop {
            let after = rest.clone().next();
            let place = Place { at, before, after };
            threads.clear();
            for (instruction, start) in next.drain(..) {
                self.follow(threads, instruction, start, place);
            }
            if found.is_none() {
                self.follow(threads, 0, at, place);
            } else if threads.threads.is_empty() {
                return found;
            }
            for &(instruction, start) in &threads.threads {
                let goes_on = match self.program[instruction] {
                    Instruction::Char(c) => after == Some(c),
                    Instruction::Class(index) => after.is_some_and(|c| contains(&self.classes[index], c)),
                    _ => {
                        found = Some((start, at));
                        break;
                    }
                };
                if goes_on {
                    next.push((instruction + 1, start));
                }
            }
            if any && found.is_some() {
                return found;
            }
            steps += 1 + threads.passed.len();
            if steps >= STRIDE {
                effort::take((std::mem::take(&mut steps) / 4) as u64).ok()?;
            }
            let Some(c) = after else { return found };
            rest.next();
            at += c.len_utf8();
            before = Some(c);
        }
    }

    /// Adds the instructions that read a character, or end, to which one leads.
    fn follow(&self, threads: &mut Threads, instruction: usize, start: usize, place: Place) {
        threads.open.push(instruction);
        while let Some(instruction) = threads.open.pop() {
            if std::mem::replace(&mut threads.seen[instruction], true) {
                continue;
            }
            threads.passed.push(instruction);
            match self.program[instruction] {
                Instruction::Split(first, second) => threads.open.extend([second, first]),
                Instruction::Jump(to) => threads.open.push(to),
                Instruction::Look(look) if place.is(look) => threads.open.push(instruction + 1),
                Instruction::Look(_) => {}
                Instruction::Char(_) | Instruction::Class(_) | Instruction::Match => {
                    threads.threads.push((instruction, start));
                }
            }
        }
    }
}

impl Threads {
    /// No threads yet, of a program with this number of instructions.
    fn of(instructions: usize) -> Self {
        Threads { threads: Vec::new(), seen: vec![false; instructions], passed: Vec::new(), open: Vec::new() }
    }

    fn clear(&mut self) {
        self.threads.clear();
        for instruction in self.passed.drain(..) {
            self.seen[instruction] = false;
        }
    }
}

impl Place {
    fn is(self, look: Look) -> bool {
        let is_word = |c: Option<char>| c.is_some_and(|c| c == '_' || c.is_ascii_alphanumeric());
        match look {
            Look::Start => self.at == 0,
            Look::End => self.after.is_none(),
            Look::StartLF => self.before.is_none_or(|c| c == '\n'),
            Look::EndLF => self.after.is_none_or(|c| c == '\n'),
            Look::WordAscii => is_word(self.before) != is_word(self.after),
            Look::WordAsciiNegate => is_word(self.before) == is_word(self.after),
            // The rewritten pattern has no others.
            _ => false,
        }
    }
}

fn contains(ranges: &[(char, char)], c: char) -> bool {
    let index = ranges.partition_point(|(_, end)| *end < c);
    ranges.get(index).is_some_and(|(start, _)| *start <= c)
}
