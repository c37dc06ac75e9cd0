//! Amounts of resources.

use fastrand::Rng;
use klient_api::core::v1::ResourceRequirements;
use klient_apimachinery::Quantity;
use klient_apimachinery::codec::json;

use crate::input::{digits, pick};
use crate::judge::Answer;
use crate::question::{Kept, Question};
use crate::words;

pub(crate) const QUESTIONS: &[Question] = &[
    Question {
        name: "quantity",
        table: QUANTITIES,
        make: |rng| if rng.bool() { format!("\"{}\"", make(rng)) } else { make(rng) },
        ours: read,
        compares_words: false,
        kept: OF_JSON,
    },
    Question {
        name: "quantity-value",
        table: TEXTS,
        make,
        ours: |input| Quantity::from(input).value().map(|value| value.to_string()).map_err(words),
        compares_words: false,
        kept: OF_VALUES,
    },
    Question {
        name: "quantity-order",
        table: PAIRS,
        make: |rng| format!("{} {}", make(rng), make(rng)),
        ours: order,
        compares_words: false,
        kept: &[NO_DIGITS, ENDLESS],
    },
];

const NO_DIGITS: Kept = Kept {
    reason: "an amount has a digit: Kubernetes takes `-`, `.`, `e3` and `Gi` for 0",
    is: |input, ours, theirs| {
        let is_number =
            |text: &str| text.trim_start_matches(['+', '-', '.']).starts_with(|c: char| c.is_ascii_digit());
        let mut texts = input.trim_matches('"').split(' ');
        ours.is_err() && theirs.is_ok() && texts.any(|text| !text.is_empty() && !is_number(text))
    },
};

const ENDLESS: Kept = Kept {
    reason: "Kubernetes computes for minutes with most exponents of five digits",
    is: |_, _, theirs| theirs.as_ref().is_err_and(|problem| problem.starts_with("not asked")),
};

const OF_JSON: &[Kept] = &[
    NO_DIGITS,
    ENDLESS,
    Kept {
        reason: "what is written with backslashes in JSON means the same as without",
        is: |input, ours, theirs| input.contains('\\') && ours.is_ok() && theirs.is_err(),
    },
    Kept {
        reason: "a sign or a point that says nothing is not kept",
        is: |_, ours, theirs| {
            let (Ok(ours), Ok(theirs)) = (ours, theirs) else { return false };
            let text = |answer: &str| Quantity::from(answer.trim_matches('"'));
            let says_nothing = |c: char| c == '+' || c == '.';
            text(ours) == text(theirs) && theirs.contains(says_nothing) && !ours.contains(says_nothing)
        },
    },
    Kept {
        reason: "an amount beyond 1000E keeps its size: Kubernetes writes `1000E` as `1`",
        is: |_, ours, theirs| {
            let (Ok(ours), Ok(theirs)) = (ours, theirs) else { return false };
            let Some(exas) = ours.strip_suffix("E\"") else { return false };
            exas.trim_end_matches('0').starts_with(theirs.trim_end_matches(['"', '0']))
        },
    },
];

const OF_VALUES: &[Kept] = &[
    NO_DIGITS,
    ENDLESS,
    Kept {
        reason: "the default quantity, an empty string, is zero in arithmetic",
        is: |input, ours, theirs| input.is_empty() && ours.is_ok() && theirs.is_err(),
    },
    Kept {
        reason: "a value that 64 bits do not hold is an error",
        is: |_, ours, _| ours.as_ref().is_err_and(|problem| problem.contains("64-bit")),
    },
    Kept {
        reason: "what is negative is rounded up too, and does not overflow: Kubernetes reads -715Ti as -5921670559",
        is: |input, _, _| input.starts_with('-'),
    },
];

const QUANTITIES: &[&str] = &[
    "0",
    "1",
    "-1",
    "1.5",
    "-0",
    "-0.0",
    "0.0",
    "1e3",
    "1E3",
    "1e20",
    "1e21",
    "1e400",
    "1e999999999",
    "1e-12",
    "100000000000000000000",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "0.1",
    "0.0000000001",
    "12345678901234567890.123456789",
    "null",
    "true",
    "{}",
    "[]",
    r#""""#,
    r#""null""#,
    r#"" 1 ""#,
    r#""1\n""#,
    r#""\u0031""#,
    r#""1\u006d""#,
    r#""1e20""#,
    r#""1e21""#,
    r#""1e22""#,
    r#""1e400""#,
    r#""1e999999999""#,
    r#""1E1000000000""#,
    r#""10e999999998""#,
    r#""1.5e999999999""#,
    r#""-0.05e999999999""#,
    r#""123456789012345678e999999999""#,
    r#""1e2147483647""#,
    r#""1e4294967296""#,
    r#""1e-4294967295""#,
    r#""1e9223372036854775807""#,
    r#""1e9223372036854775808""#,
    r#""0e999999998""#,
    r#""1e-12""#,
    r#""-1e-12""#,
    r#""8Ei""#,
    r#""9Ei""#,
    r#""-9Ei""#,
    r#""7Ei""#,
    r#""8000Pi""#,
    r#""8192Pi""#,
    r#""100E""#,
    r#""1000E""#,
    r#""10000E""#,
    r#""1E""#,
    r#""1Ei""#,
    r#""1EE""#,
    r#""1EiB""#,
    r#""0.5Ki""#,
    r#""0.5""#,
    r#""1.5Gi""#,
    r#""0.0001Ki""#,
    r#""1024Ki""#,
    r#""1023Ki""#,
    r#""1000Ki""#,
    r#""1024""#,
    r#""1000""#,
    r#""1000m""#,
    r#""1500m""#,
    r#""100m""#,
    r#""0.1m""#,
    r#""0.1n""#,
    r#""1n""#,
    r#""1u""#,
    r#""1.1u""#,
    r#""5.""#,
    r#"".5""#,
    r#"".""#,
    r#""-""#,
    r#""+""#,
    r#""+5""#,
    r#""--5""#,
    r#""-.5Gi""#,
    r#""00005""#,
    r#""0000""#,
    r#""1.2.3""#,
    r#""1 Gi""#,
    r#""Gi""#,
    r#""m""#,
    r#""1x""#,
    r#""1K""#,
    r#""1mi""#,
    r#""1mm""#,
    r#""1e""#,
    r#""1e+3""#,
    r#""1e-3""#,
    r#""1e03""#,
    r#""1e3m""#,
    r#""1k3""#,
    r#""12e4""#,
    r#""1e1""#,
    r#""1e2147483648""#,
    r#""0e400""#,
    r#""0Gi""#,
    r#""123456789012345678901234567890""#,
    r#""99999999999999999999999999999999999999999""#,
    r#""0.123456789012345678901234567890""#,
    r#""1.00000000000000000000""#,
];

const TEXTS: &[&str] = &[
    "0",
    "1",
    "1500m",
    "-1500m",
    "-500m",
    "500m",
    "1n",
    "-1n",
    "1Gi",
    "1.5Gi",
    "0.5Ki",
    "8Ei",
    "9Ei",
    "1E",
    "9E",
    "10E",
    "1e18",
    "1e19",
    "1e20",
    "1e-12",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "0.1",
    "x",
];

const PAIRS: &[&str] = &[
    "1 1000m",
    "900Mi 1Gi",
    "1Gi 1024Mi",
    "1e20 1e21",
    "1e21 1E",
    "9Ei 8Ei",
    "-1 1",
    "-1 -2",
    "0 -0",
    "1n 2n",
    "0.1n 1n",
    "1e400 1e399",
    "1e-400 0",
    "99999999999999999999999999 99999999999999999999999998",
];

fn make(rng: &mut Rng) -> String {
    let mut text = pick(rng, &["", "", "", "", "-", "+"]).to_string();
    let (whole, fraction) = (pick(rng, &[0, 1, 1, 2, 3, 5, 10, 16, 18, 19, 20, 30]), rng.usize(0..14));
    text.push_str(&digits(rng, whole));
    if rng.u8(0..4) == 0 {
        text.push_str(&"0".repeat(rng.usize(0..12)));
    }
    if rng.u8(0..3) == 0 {
        text.push('.');
        text.push_str(&digits(rng, fraction));
    }
    match rng.u8(0..4) {
        0 => {}
        1 => {
            let sign = pick(rng, &["", "-", "+"]);
            let most = pick(rng, &[4, 4, 4, 40, 40, 1_000_000_000]);
            let power = rng.u32(0..most);
            text.push_str(&format!("{}{sign}{power}", pick(rng, &['e', 'E'])));
        }
        2 => text.push_str(pick(rng, &["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"])),
        _ => text.push_str(pick(rng, &["n", "u", "m", "k", "M", "G", "T", "P", "E"])),
    }
    text
}

/// The quantity that the API server stores for a value in JSON.
fn read(input: &str) -> Answer {
    let mut object = ResourceRequirements::default();
    let text = format!(r#"{{"limits":{{"a":{input}}}}}"#);
    json::decode(text.as_bytes(), &mut object).map_err(words)?;
    let ours = &object.limits["a"];
    // Other deserializers have numbers only, which floats stand for.
    if input.starts_with('"') {
        let by_serde: ResourceRequirements = serde_json::from_str(&text).map_err(words)?;
        if by_serde != object {
            return Err("serde reads it differently".to_owned());
        }
    }
    if !ours.as_str().is_empty() || input.contains('"') {
        ours.canonical().map_err(words)?;
    }
    Ok(serde_json::to_value(&object).map_err(words)?["limits"]["a"].to_string())
}

fn order(input: &str) -> Answer {
    let (first, second) = input.split_once(' ').ok_or("not two")?;
    let parse = |text: &str| text.parse::<Quantity>().map_err(words);
    let (first, second) = (parse(first)?, parse(second)?);
    let order = first.partial_cmp(&second).ok_or("they do not compare")?;
    if (first == second) != order.is_eq() {
        return Err("they are equal in one way only".to_owned());
    }
    Ok((order as i8).to_string())
}
