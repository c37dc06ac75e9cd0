//! Patterns of file names, as Go's `filepath.Match` matches them.

/// Returns true if the name matches; `None` if the pattern is malformed.
///
/// `*` matches any characters but `/`, `?` one of them, `[a-c]` and `[^a-c]` one in or outside a class; `\` escapes.
pub(crate) fn matches(pattern: &str, name: &str) -> Option<bool> {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    check(&pattern)?;
    Some(matches_from(&pattern, &name))
}

/// Returns `None` if a class is not closed or empty, or if the last character escapes nothing.
fn check(mut pattern: &[char]) -> Option<()> {
    while let Some((first, rest)) = pattern.split_first() {
        pattern = match first {
            '\\' => rest.get(1..)?,
            '[' => class(rest, '\0')?.1,
            _ => rest,
        };
    }
    Some(())
}

/// Returns true if a character is in a class, whose `[` is behind, and what follows the class.
fn class(pattern: &[char], c: char) -> Option<(bool, &[char])> {
    let (is_negated, mut rest) = match pattern {
        ['^', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let mut is_in = false;
    let mut is_empty = true;
    loop {
        if let [']', behind @ ..] = rest
            && !is_empty
        {
            return Some((is_in != is_negated, behind));
        }
        let (low, behind) = bound(rest)?;
        let (high, behind) = match behind {
            ['-', behind @ ..] => bound(behind)?,
            behind => (low, behind),
        };
        is_in |= (low..=high).contains(&c);
        is_empty = false;
        rest = behind;
    }
}

/// A bound of a range in a class.
fn bound(pattern: &[char]) -> Option<(char, &[char])> {
    match pattern {
        [] | ['-' | ']', ..] => None,
        ['\\', c, rest @ ..] => Some((*c, rest)),
        ['\\'] => None,
        [c, rest @ ..] => Some((*c, rest)),
    }
    // A class that ends behind a bound is not closed.
    .filter(|(_, rest)| !rest.is_empty())
}

/// Walks along both: after a character that does not match, the last `*` takes one more. A `*` before it need not, since
/// what follows it has matched at the first place.
fn matches_from(mut pattern: &[char], mut name: &[char]) -> bool {
    let mut last_star = None;
    loop {
        if let ['*', rest @ ..] = pattern {
            (pattern, last_star) = (rest, Some((rest, name)));
        } else if pattern.is_empty() && name.is_empty() {
            return true;
        } else if let Some((rest, behind)) = one_character(pattern, name) {
            (pattern, name) = (rest, behind);
        } else if let Some((rest, [c, behind @ ..])) = last_star
            && *c != '/'
        {
            (pattern, name, last_star) = (rest, behind, Some((rest, behind)));
        } else {
            return false;
        }
    }
}

/// The rests of the pattern and of the name if their first characters match.
fn one_character<'p, 'n>(pattern: &'p [char], name: &'n [char]) -> Option<(&'p [char], &'n [char])> {
    let (c, behind) = name.split_first()?;
    let (is_match, rest) = match pattern {
        [] => return None,
        ['?', rest @ ..] => (*c != '/', rest),
        ['[', rest @ ..] => class(rest, *c)?,
        ['\\', expected, rest @ ..] | [expected, rest @ ..] => (expected == c, rest),
    };
    is_match.then_some((rest, behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_those_of_go() {
        // The answers of filepath.Match.
        for (pattern, name, expected) in [
            ("abc", "abc", Some(true)),
            ("*", "abc", Some(true)),
            ("*c", "abc", Some(true)),
            ("a*", "a", Some(true)),
            ("a*", "ab/c", Some(false)),
            ("a*b*c*d*e*", "axbxcxdxe", Some(true)),
            ("a*b?c*x", "abxbbxdbxebxczzx", Some(true)),
            ("a*b?c*x", "abxbbxdbxebxczzy", Some(false)),
            ("ab[c]", "abc", Some(true)),
            ("ab[b-d]", "abc", Some(true)),
            ("ab[e-g]", "abc", Some(false)),
            ("ab[^c]", "abc", Some(false)),
            ("ab[^e-g]", "abc", Some(true)),
            ("a\\*b", "a*b", Some(true)),
            ("a\\*b", "ab", Some(false)),
            ("a?b", "a☺b", Some(true)),
            ("a[^a][^a][^a]b", "a☺b", Some(false)),
            ("[a-ζ]*", "α", Some(true)),
            ("*[a-ζ]", "A", Some(false)),
            ("[\\]a]", "]", Some(true)),
            ("[\\-x]", "-", Some(true)),
            ("[]a]", "]", None),
            ("[-]", "-", None),
            ("[x-]", "x", None),
            ("[-x]", "x", None),
            ("[a-b-c]", "a", None),
            ("[", "a", None),
            ("[^", "a", None),
            ("[^bc", "a", None),
            ("a[", "a", None),
            ("\\", "a", None),
            ("*a*b", "xa/ab", Some(false)),
            ("*/*b", "x/ab", Some(true)),
            ("**a**", "bab", Some(true)),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn a_long_pattern_takes_little_time_and_stack() {
        for pattern in ["*".repeat(60_000), "*a".repeat(30_000), "a".repeat(60_000), "[a-z]".repeat(12_000)] {
            assert_eq!(matches(&pattern, &"a".repeat(100)), Some(pattern.starts_with("**")));
        }
        assert_eq!(matches(&"*a".repeat(30), &"a".repeat(60)), Some(true));
        assert_eq!(matches(&format!("{}b", "*a".repeat(30)), &"a".repeat(60)), Some(false));
    }
}
