//! Selectors of labels and of fields.

use fastrand::Rng;
use klient_apimachinery::meta::v1::LabelSelector;
use klient_apimachinery::{fields, labels};
use serde_json::Value;

use crate::input::pick;
use crate::judge::Answer;
use crate::question::{Kept, Question};
use crate::words;

pub(crate) const QUESTIONS: &[Question] = &[
    Question {
        name: "label-selector",
        table: LABELS,
        make,
        ours: |input| printed(input.parse::<labels::Selector>()),
        compares_words: true,
        kept: &[Kept {
            reason: "`==` is printed as `=`, which means the same",
            is: |_, ours, theirs| {
                theirs.as_ref().is_ok_and(|theirs| ours.as_ref() == Ok(&theirs.replace("==", "=")))
            },
        }],
    },
    Question {
        name: "label-match",
        table: MATCHES,
        make: make_match,
        ours: matches,
        compares_words: true,
        kept: &[],
    },
    Question {
        name: "label-selector-from-object",
        table: OBJECTS,
        make: make_object,
        ours: from_object,
        compares_words: true,
        kept: &[Kept {
            reason: "of several wrong labels the first is named; Go's maps have no order, so that it names any",
            is: |input, ours, theirs| ours.is_err() && theirs.is_err() && match_labels(input) > 1,
        }],
    },
    Question {
        name: "label-selector-to-object",
        table: LABELS,
        make,
        ours: to_object,
        compares_words: false,
        kept: &[
            Kept {
                reason: "`!=` has an object that means the same: `NotIn`",
                is: |_, ours, theirs| {
                    ours.is_ok() && theirs.as_ref().is_err_and(|theirs| theirs.starts_with("\"!=\""))
                },
            },
            Kept {
                reason: "two values of one key, which nothing has, do not become one, which something may have",
                is: |_, ours, theirs| {
                    ours.as_ref().is_ok_and(|ours| ours.contains("matchLabels")) && theirs.is_ok()
                },
            },
        ],
    },
    Question {
        name: "field-selector",
        table: FIELDS,
        make: make_fields,
        ours: |input| printed(input.parse::<fields::Selector>()),
        compares_words: true,
        kept: &[Kept {
            reason: "conditions stay in the order in which they are written, and the first that is wrong is named",
            is: |input, ours, theirs| match (ours, theirs) {
                (Ok(ours), Ok(theirs)) => sorted(ours) == sorted(theirs),
                (Err(_), Err(_)) => input.contains(','),
                _ => false,
            },
        }],
    },
];

const LABELS: &[&str] = &[
    "",
    " ",
    "a",
    "!a",
    "! a",
    "!!a",
    "a=1",
    "a==1",
    "a = 1",
    "a===1",
    "a!=1",
    "a! =1",
    "a=",
    "a==",
    "a!=",
    "a=,b",
    "a=b=c",
    "a,",
    ",a",
    ",",
    "a,,b",
    "a b",
    "a,b c",
    "=a",
    "a in (1)",
    "a in (1, 2)",
    "a in (2,1,2)",
    "a notin (1,2)",
    "x in ()",
    "app notin ()",
    "x in ( )",
    "x in (,)",
    "x in (,,)",
    "x in (a,)",
    "x in (,a)",
    "x in (a,,b)",
    "x in (a b)",
    "x in (a",
    "x in (",
    "x in",
    "x in a",
    "x in (a))",
    "x in (a)b",
    "x in (a),b",
    "x in ((a))",
    "x in (!a)",
    "x in (in)",
    "x in (=)",
    "x in (a=)",
    "x in (,=)",
    "in",
    "!in",
    "in in (in)",
    "notin notin (notin)",
    "in,notin",
    "in=notin",
    "a in=b",
    "!a=1",
    "!a in (b)",
    "a>1",
    "a<1",
    "a>1,a<9",
    "a>-1",
    "a>+1",
    "a>",
    "a>x",
    "a>9223372036854775807",
    "a>9223372036854775808",
    "a > 5",
    "a>=5",
    "a<>5",
    "x.y/z=a",
    "x.y/z/w=a",
    "/z=a",
    "x/=a",
    "X/z=a",
    "a=-",
    "a=b-",
    "a=b.c_d-e",
    "a_=b",
    "é=b",
    "a=é",
    "a=b\tc",
    "a\t=\tb",
    "a\r\n=b",
    "a\u{b}=b",
    "a=b\0c",
    "\0",
    "a\0b",
    "z, b in (2,1) ,!c, a!=1",
    "a=1,a=2",
    "b=1,a=1,b=2,a=2",
    "a=abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk",
    "a=abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl",
    "a in (-,_)",
    "a in (é,b)",
    "a\\=b",
    "a=\"b\"",
    "a\"=b",
];

const MATCHES: &[&str] = &[
    "a\na=1",
    "!a\na=1",
    "a=1\na=1",
    "a=1\na=2",
    "a=1\nb=1",
    "a!=1\nb=1",
    "a!=1\na=1",
    "x in ()\nx=",
    "x in ()\nx=a",
    "x in ()\ny=a",
    "app notin ()\napp=",
    "app notin ()\napp=a",
    "app notin ()\nx=a",
    "a=\na=",
    "a=\nb=",
    "a>5\na=6",
    "a>5\na=+6",
    "a>5\na=06",
    "a>5\na=5",
    "a>5\na=x",
    "a>5\na=",
    "a<5\na=-6",
    "a<5\nb=1",
    "a<5\na=-9223372036854775808",
    "a<5\na=-9223372036854775809",
    "a in (1,,2)\na=",
];

const OBJECTS: &[&str] = &[
    "{}",
    r#"{"matchLabels":{"b":"1","a":"2"}}"#,
    r#"{"matchLabels":{"a":""}}"#,
    r#"{"matchLabels":{"":"a"}}"#,
    r#"{"matchLabels":{"a":"-"}}"#,
    r#"{"matchLabels":{"é":"a"}}"#,
    r#"{"matchExpressions":[{"key":"a","operator":"In","values":["2","1"]}]}"#,
    r#"{"matchExpressions":[{"key":"a","operator":"In","values":["1","1"]}]}"#,
    r#"{"matchExpressions":[{"key":"a","operator":"In"}]}"#,
    r#"{"matchExpressions":[{"key":"a","operator":"In","values":[""]}]}"#,
    r#"{"matchExpressions":[{"key":"a","operator":"NotIn","values":["","b"]}]}"#,
    r#"{"matchExpressions":[{"key":"a","operator":"NotIn","values":[]}]}"#,
    r#"{"matchExpressions":[{"key":"a","operator":"NotIn","values":["1"]}]}"#,
    r#"{"matchExpressions":[{"key":"a","operator":"Exists"}]}"#,
    r#"{"matchExpressions":[{"key":"a","operator":"Exists","values":["1"]}]}"#,
    r#"{"matchExpressions":[{"key":"a","operator":"DoesNotExist"}]}"#,
    r#"{"matchExpressions":[{"key":"a","operator":"DoesNotExist","values":[]}]}"#,
    r#"{"matchExpressions":[{"key":"a","operator":"Gt","values":["1"]}]}"#,
    r#"{"matchExpressions":[{"key":"a","operator":"in","values":["1"]}]}"#,
    r#"{"matchExpressions":[{"key":"a","operator":"é\u0007"}]}"#,
    r#"{"matchExpressions":[{"key":"a"}]}"#,
    r#"{"matchExpressions":[{"key":"","operator":"Exists"}]}"#,
    r#"{"matchExpressions":[{"key":"é\u0007","operator":"In","values":["\u0007","é","-"]}]}"#,
    r#"{"matchExpressions":[{"key":"a","operator":"Exists","values":["\u0007","é"]}]}"#,
    r#"{"matchLabels":{"b":"1"},"matchExpressions":[{"key":"a","operator":"Exists"},{"key":"b","operator":"Exists"}]}"#,
];

const FIELDS: &[&str] = &[
    "",
    ",",
    "a=b",
    "a==b",
    "a!=b",
    "a=",
    "a!=",
    "=b",
    "!=b",
    "==",
    "a===b",
    "a=b=c",
    "a!=b=c",
    "a=b!=c",
    "a=b!c",
    "a!b",
    "a!b=c",
    "a!!=b",
    "abc",
    "a=b,c=d",
    "c=d,a=b",
    "a=b,,c=d,",
    r"a=b\,c",
    r"a=b\=c",
    r"a=b\\c",
    r"a=b\c",
    r"a=b\é",
    r"a=b\",
    r"a=b\\",
    r"a\=b",
    r"a\,b=c",
    r"a\",
    r"a\,b",
    "a = b",
    " a=b , c=d ",
    "metadata.name=x,status.phase!=Failed",
    "é=é",
    "a=b,a=b",
    "a=b\n",
];

fn printed<S: ToString + std::str::FromStr<Err: std::fmt::Debug> + PartialEq>(
    selector: Result<S, impl ToString>,
) -> Answer {
    let text = selector.map_err(|problem| problem.to_string()).map(|selector| selector.to_string())?;
    match text.parse::<S>() {
        Ok(_) => Ok(text),
        Err(problem) => Err(format!("{text:?} is printed, but does not parse: {problem:?}")),
    }
}

fn make(rng: &mut Rng) -> String {
    let terms: Vec<String> = (0..rng.usize(1..4)).map(|_| term(rng)).collect();
    terms.join(pick(rng, &[",", ", ", " ,"]))
}

fn term(rng: &mut Rng) -> String {
    let key = pick(rng, &["a", "b", "in", "notin", "x.y/z", "A_b.c-d", "0"]);
    let space = pick(rng, &["", "", " ", "\t", "  "]);
    let value = |rng: &mut Rng| {
        pick(rng, &["", "1", "-1", "12", "b", "in", "notin", "b-c", "x_y", "99999999999999999999"])
            .to_string()
    };
    match rng.u8(0..6) {
        0 => key.to_owned(),
        1 => format!("!{space}{key}"),
        2 => {
            let values: Vec<String> = (0..rng.usize(0..4)).map(|_| value(rng)).collect();
            let operator = pick(rng, &["in", "notin"]);
            format!("{key} {operator}{space}({}{space})", values.join(pick(rng, &[",", ", ", " ,"])))
        }
        3 => format!("{key}{space}{}{space}{}", pick(rng, &["<", ">"]), rng.i8(..)),
        _ => format!("{key}{space}{}{space}{}", pick(rng, &["=", "==", "!="]), value(rng)),
    }
}

fn make_match(rng: &mut Rng) -> String {
    let mut text = make(rng);
    for key in ["a", "b", "in", "0"] {
        if rng.bool() {
            text.push_str(&format!("\n{key}={}", pick(rng, &["", "1", "-1", "12", "b", "in", "x_y", "007"])));
        }
    }
    text
}

fn matches(input: &str) -> Answer {
    let mut lines = input.split('\n');
    let selector: labels::Selector = lines
        .next()
        .unwrap_or_default()
        .parse()
        .map_err(|problem: labels::InvalidSelector| problem.to_string())?;
    let pairs: Vec<(&str, &str)> = lines.map(|line| line.split_once('=').unwrap_or((line, ""))).collect();
    // The last of a key is the one that stands.
    let label = |key: &str| pairs.iter().rev().find(|(other, _)| *other == key).map(|(_, value)| *value);
    Ok(if selector.matches(label) { "yes" } else { "no" }.to_owned())
}

fn make_object(rng: &mut Rng) -> String {
    let text = |rng: &mut Rng| pick(rng, &["", "a", "b", "1", "-", "x.y/z", "a b", "é"]).to_string();
    let mut object = serde_json::json!({});
    if rng.bool() {
        object["matchLabels"][text(rng)] = text(rng).into();
    }
    let mut expressions = Vec::new();
    for _ in 0..rng.usize(0..3) {
        let operator = pick(rng, &["In", "NotIn", "Exists", "DoesNotExist", "Gt", ""]);
        let values: Vec<String> = (0..rng.usize(0..3)).map(|_| text(rng)).collect();
        expressions.push(serde_json::json!({"key": text(rng), "operator": operator, "values": values}));
    }
    object["matchExpressions"] = expressions.into();
    object.to_string()
}

fn from_object(input: &str) -> Answer {
    let object: LabelSelector = serde_json::from_str(input).map_err(|_| "no LabelSelector".to_owned())?;
    printed(labels::Selector::try_from(&object))
}

fn to_object(input: &str) -> Answer {
    let selector: labels::Selector = input.parse().map_err(words)?;
    let object = LabelSelector::try_from(&selector).map_err(words)?;
    let back = labels::Selector::try_from(&object).map_err(words)?;
    let object = serde_json::to_string(&object).map_err(words)?;
    if back.requirements().len() == selector.requirements().len() {
        Ok(object)
    } else {
        Err(format!("{object} selects as {back}"))
    }
}

/// Parts between commas, escaped or not.
fn sorted(selector: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = selector.split(',').collect();
    parts.sort_unstable();
    parts
}

fn make_fields(rng: &mut Rng) -> String {
    let term = |rng: &mut Rng| {
        let field = pick(rng, &["metadata.name", "status.phase", "a", "", "!", r"\"]).to_string();
        let value = pick(rng, &["", "b", r"\,", r"\=", r"\\", "é", "!", " c "]);
        format!("{field}{}{value}", pick(rng, &["=", "==", "!="]))
    };
    let terms: Vec<String> = (0..rng.usize(1..4)).map(|_| term(rng)).collect();
    terms.join(",")
}

/// The number of labels that a label selector, as JSON, asks for.
fn match_labels(selector: &str) -> usize {
    let selector: Value = serde_json::from_str(selector).unwrap_or_default();
    selector["matchLabels"].as_object().map_or(0, |labels| labels.len())
}
