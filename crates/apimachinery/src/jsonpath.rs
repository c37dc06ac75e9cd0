//! client-go's dialect of JSONPath (`k8s.io/client-go/util/jsonpath`): kubectl's `-o jsonpath=…`, custom columns and
//! `--sort-by`, and the printer columns of custom resources.

mod compare;
mod eval;
mod found;
mod lexer;
mod parse;

use std::fmt;

use serde_json::{Map, Value};

use self::eval::Evaluation;
pub use self::found::Found;
use self::parse::Part;

/// A parsed template: literal strings, and actions in braces.
///
/// ```
/// use klient_apimachinery::jsonpath::{JsonPath, MissingKeys};
/// use serde_json::json;
///
/// let pods = json!({"items": [
///     {"metadata": {"name": "web-0"}, "status": {"phase": "Running"}},
///     {"metadata": {"name": "web-1"}, "status": {"phase": "Pending"}},
/// ]});
/// let names = JsonPath::parse("{.items[*].metadata.name}")?;
/// assert_eq!(names.render(&pods, MissingKeys::Allowed)?, "web-0 web-1");
///
/// let lines = JsonPath::parse(r#"{range .items[?(@.status.phase=="Running")]}{.metadata.name}{"\n"}{end}"#)?;
/// assert_eq!(lines.render(&pods, MissingKeys::Allowed)?, "web-0\n");
///
/// let missing = JsonPath::parse("{.items[0].spec}")?.render(&pods, MissingKeys::Refused);
/// assert_eq!(missing.unwrap_err().to_string(), "spec is not found");
/// # Ok::<(), klient_apimachinery::jsonpath::JsonPathError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct JsonPath {
    parts: Vec<Part>,
}

/// A template that cannot be parsed, or does not fit the value it is given, in client-go's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonPathError(String);

impl fmt::Display for JsonPathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for JsonPathError {}

/// The treatment of missing keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissingKeys {
    /// A missing key finds nothing.
    #[default]
    Allowed,
    /// A missing key is an error.
    Refused,
}

impl MissingKeys {
    /// From the value of `--allow-missing-template-keys`.
    pub fn from_allowed(allowed: bool) -> Self {
        if allowed { MissingKeys::Allowed } else { MissingKeys::Refused }
    }
}

impl JsonPath {
    /// Parses a template.
    ///
    /// # Errors
    ///
    /// If the template is malformed, in client-go's words.
    pub fn parse(text: &str) -> Result<Self, JsonPathError> {
        Ok(JsonPath { parts: parse::template(text)? })
    }

    /// The string that `kubectl -o jsonpath=…` prints: the values that a part finds are separated by spaces, and lists
    /// and maps are JSON.
    ///
    /// # Errors
    ///
    /// As [`find`](Self::find).
    pub fn render(&self, value: &Value, missing: MissingKeys) -> Result<String, JsonPathError> {
        let text = |found: &Vec<Found<'_>>| found.iter().map(Found::text).collect::<Vec<_>>().join(" ");
        Ok(self.find(value, missing)?.iter().map(text).collect())
    }

    /// The values that each part of the template finds; for parts in a range, once per iteration.
    ///
    /// # Errors
    ///
    /// If the template does not fit the value, in client-go's words.
    pub fn find<'a>(
        &'a self,
        value: &'a Value,
        missing: MissingKeys,
    ) -> Result<Vec<Vec<Found<'a>>>, JsonPathError> {
        Evaluation::new(missing, usize::MAX).run(&self.parts, value.into())
    }

    /// The values in an object that the first part of the template finds. No step may find more than `limit` values,
    /// which bounds paths that visit the same values many times.
    ///
    /// # Errors
    ///
    /// If the template does not fit the object, or a step finds more values.
    pub fn find_in<'a>(
        &'a self,
        object: &'a Map<String, Value>,
        limit: usize,
    ) -> Result<Vec<Found<'a>>, JsonPathError> {
        let found = Evaluation::new(MissingKeys::Allowed, limit).run(&self.parts, Found::Map(object))?;
        Ok(found.into_iter().next().unwrap_or_default())
    }
}

/// The template for a path that may lack its braces and its first dot, such as `metadata.name`.
///
/// # Errors
///
/// If it is not a path, in kubectl's words.
pub fn relaxed(path: &str) -> Result<String, JsonPathError> {
    if path.is_empty() {
        return Ok(String::new());
    }
    let inner = path.strip_prefix('{').and_then(|path| path.strip_suffix('}')).unwrap_or(path);
    if inner.is_empty() || inner.contains(['{', '}']) {
        let forms = "'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'";
        return Err(JsonPathError(format!("unexpected path string, expected a {forms}")));
    }
    let name = inner.strip_prefix('.').filter(|name| !name.is_empty()).unwrap_or(inner);
    Ok(format!("{{.{name}}}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn print(template: &str, missing: MissingKeys) -> Result<String, JsonPathError> {
        let object = json!({
            "s": "xyz", "n": null, "f": 1000000.0, "m.n": {"b": "2", "a": "<1>"}, "e": [],
            "a": [1, 2.5, null, true, "<s>", {"k": []}],
            "items": [{"n": "a", "v": 1}, {"n": "b", "v": 2}, {"n": "c"}],
            "lists": [[1, 2], [], [3]],
        });
        JsonPath::parse(template)?.render(&object, missing)
    }

    #[test]
    fn templates_print_what_they_find() {
        let cases = [
            ("text alone", "a}b", "a}b"),
            ("text around", "<{.s}>", "<xyz>"),
            ("quoted text", r#"{.s}{"\t\"\u00e9\x41\101\n"}{'\''}"#, "xyz\t\"éAA\n'"),
            ("the whole object", "{.items[0]}{@.items[0].n}{$.s}", r#"{"n":"a","v":1}axyz"#),
            ("a dot alone is a key that is not there", "{.}", ""),
            ("values of all types", "{.a[*]}", r#"1 2.5 null true <s> {"k":[]}"#),
            ("numbers as Go prints them", "{.f}{3}{-2.5}{true}", "1e+063-2.5true"),
            ("lists as JSON", "{.a}", r#"[1,2.5,null,true,"\u003cs\u003e",{"k":[]}]"#),
            ("maps as JSON", "{.m\\.n}", r#"{"a":"\u003c1\u003e","b":"2"}"#),
            ("a key in brackets", "{['s']}{['m\\.n']['b']}", "xyz2"),
            ("dots in brackets part keys all the same", "{['m.n']}", ""),
            ("several keys", "{.m\\.n['b','a']}", "2 <1>"),
            ("all values of a map", "{.m\\.n.*}", "<1> 2"),
            ("the bytes of a text", "{.s.*}", "120 121 122"),
            ("what is not there", "[{.x}{.s.x}{.n.x}{.n[0]}{.items[*].x}]", "[]"),
            ("indices", "{.a[0]} {.a[-1].k} {.a[0, 4]} {.a[]}", "1 [] 1 <s> 1"),
            (
                "slices",
                "{.a[1:3]}|{.a[:2]}|{.a[4:]}|{.a[:-4]}|{.a[::3]}",
                "2.5 null|1 2.5|<s> {\"k\":[]}|1 2.5|1 true",
            ),
            ("an empty slice ends the search", "{.lists[*][0:0]}{.a[2:2]}", ""),
            ("descent", "{..n}", "null a b c"),
            ("descent with a dot too many", "{...v}", "1 2"),
            ("a range", "{range .items[*]}{.n}={.v},{end}.", "a=1,b=2,c=,."),
            ("a range in a range", "{range .lists[*]}<{range @[*]}{@},{end}>{end}", "<1,2,><><3,>"),
            ("a range over nothing", "{range .e[*]}x{range .y[*]}y{end}{end}z", "z"),
            ("a range over null", "{range .a[2]}{@}{end}", "<no value>"),
            ("a range without an end", "{range .items[*]}{.n}", "abcnull"),
            ("an equal text", r#"{.items[?(@.n=="b")].v}{.items[?(@.n=='a')].v}"#, "21"),
            ("an equal number", "{.items[?(@.v==1)].n}", "a"),
            ("an unequal text", r#"{.items[?(@.n!="b")].n}"#, "a c"),
            ("a lesser number", "{.items[?(@.v<2)].n}{.items[?(@.v<=1)].n}", "aa"),
            ("a greater text", r#"{.items[?(@.n>"a")].n} {.items[?( @.n >= "b" )].n}"#, "b c b c"),
            ("existence", "{.items[?(@.v)].n}", "a b"),
            ("an index out of bounds is there enough to exist", "{.items[?(@.n[5])].n}", "a b c"),
            ("a parenthesis in a quoted text", r#"{.items[?(@.n==")")].n}"#, ""),
            ("a sign alone is part of the name", "{.items[?(@.v=)].n}", ""),
        ];
        for (name, template, printed) in cases {
            assert_eq!(print(template, MissingKeys::Allowed).as_deref(), Ok(printed), "{name}");
        }
    }

    #[test]
    fn errors_are_in_kubectls_words() {
        let cases = [
            ("{.a", "unclosed action"),
            ("{", "unclosed action"),
            ("{.a\n}", "unclosed action"),
            ("{!}", "unrecognized character in action: U+0021 '!'"),
            ("{\t}", "unrecognized character in action: U+0009"),
            ("{.a,.b}", "unrecognized character in action: U+002C ','"),
            ("{.. ..a}", "invalid multiple recursive descent"),
            ("{1.2.3}", "cannot parse number 1.2.3"),
            ("{+}", "cannot parse number +"),
            ("{\"a}", "unterminated quoted string"),
            (r#"{"\x"}"#, r#"unquote string "\x" error invalid syntax"#),
            (r#"{"\'"}"#, r#"unquote string "\'" error invalid syntax"#),
            ("{.a[}", "unterminated array"),
            ("{.a[x]}", "invalid array index x"),
            ("{.a[ 0 ]}", "invalid array index  0 "),
            ("{.a[1:2:3:4]}", "invalid array index 1:2:3:4"),
            ("{.a[-]}", "array index - is not a number"),
            ("{.a[99999999999999999999]}", "array index 99999999999999999999 is not a number"),
            ("{.a[?(@.n==\"b\"].n}", "unterminated filter"),
            ("{.a[?(@.n)", "unclosed array expect ]"),
            ("{.a[?(@.v==)]}", "unrecognized character in action: U+003D '='"),
            ("{.a[9]}", "array index out of bounds: index 9, length 6"),
            ("{.a[-9]}", "array index out of bounds: index -3, length 6"),
            ("{.a[0:9]}", "array index out of bounds: index 8, length 6"),
            ("{.a[3:1]}", "starting index 3 is greater than ending index 1"),
            ("{.a[::-1]}", "step must be > 0"),
            ("{.s[0]}", "string is not array or slice"),
            ("{.items[0][0]}", "map[string]interface {} is not array or slice"),
            ("{.items[0][?(@.v)]}", "map[n:a v:1] is not array or slice and cannot be filtered"),
            ("{.n[?(@.v)]}", "<nil> is not array or slice and cannot be filtered"),
            ("{.items[?(@.v!==1)]}", "unrecognized filter operator !=="),
            ("{.items[?(@.v>\"1\")]}", "incompatible types for comparison"),
            ("{.items[?(@.v<=1.5)]}", "incompatible types for comparison"),
            ("{.items[?(@==1)]}", "invalid type for comparison"),
            ("{.items[?(true<true)]}", "invalid type for comparison"),
            ("{.items[?(@.*==1)]}", "can only compare one element at a time"),
            ("{foo}", "unrecognized identifier foo"),
            ("{end}", "not in range, nothing to end"),
        ];
        for (template, error) in cases {
            assert_eq!(
                print(template, MissingKeys::Allowed),
                Err(JsonPathError(error.to_owned())),
                "{template}"
            );
        }
    }

    #[test]
    fn paths_of_printer_columns_find_what_client_go_finds() {
        let object = json!({
            "metadata": {"name": "x", "labels": {"a.b/c": "x", "it's": "y"}},
            "spec": {"replicas": 3, "list": [1, 2, 3, 4], "null": null, "on": true},
            "status": {"conditions": [
                {"type": "Ready", "status": "True", "count": 1},
                {"type": "Live", "status": "False", "count": 5, "reason": "x)]"},
            ]},
        });
        let object = object.as_object().unwrap();
        for (path, found) in [
            (".spec.replicas", json!([3])),
            ("$.spec.replicas", json!([3])),
            (".metadata.labels['a.b/c']", json!([])),
            (r".metadata.labels['a\.b/c']", json!(["x"])),
            (r".metadata.labels.a\.b/c", json!(["x"])),
            (".spec.list[0]", json!([1])),
            (".spec.list[-1]", json!([4])),
            (".spec.list[*]", json!([1, 2, 3, 4])),
            (".spec.list[1:3]", json!([2, 3])),
            (".spec.list[0:4:2]", json!([1, 3])),
            (".spec.list[:-1]", json!([1, 2, 3])),
            (".spec.list[0,2]", json!([1, 3])),
            (".spec.list[9]", json!([])),
            (".spec.replicas[0]", json!([])),
            (".spec.null", json!([null])),
            (".spec.null.x", json!([])),
            (".spec.nosuch.deep", json!([])),
            (r#".status.conditions[?(@.type=="Ready")].status"#, json!(["True"])),
            (".status.conditions[?(@.type == 'Ready')].status", json!(["True"])),
            (".status.conditions[?(@.count>2)].type", json!(["Live"])),
            (".status.conditions[?(@.count<=1)].type", json!(["Ready"])),
            (".status.conditions[?(@.count>2.5)].type", json!([])),
            (".status.conditions[?(@.reason)].type", json!(["Live"])),
            (r#".status.conditions[?(@.reason=="x)]")].type"#, json!(["Live"])),
            (r#".status.conditions[?(@.type!="Ready")].count"#, json!([5])),
            ("..count", json!([1, 5])),
            (".metadata.name.*", json!([120])),
            (".spec.*", json!([[1, 2, 3, 4], null, true, 3])),
            (".", json!([])),
        ] {
            let path = format!("{{{path}}}");
            let template = JsonPath::parse(&path).unwrap();
            let values = template.find_in(object, 100).unwrap_or_default();
            let values: Vec<Value> = values.into_iter().map(Found::to_value).collect();
            assert_eq!(Value::Array(values), found, "{path}");
        }
    }

    #[test]
    fn a_path_that_visits_values_over_and_over_finds_nothing() {
        let deep = (0..120).fold(json!([1]), |inner, _| json!([inner, 2]));
        let object = json!({"a": deep});
        let path = JsonPath::parse(&format!("{{{}}}", "..[*]".repeat(20))).unwrap();
        assert!(path.find_in(object.as_object().unwrap(), 100_000).is_err());
    }

    #[test]
    fn missing_keys_may_be_refused() {
        let refused = |template| print(template, MissingKeys::Refused).map_err(|error| error.to_string());
        assert_eq!(refused("{.x}"), Err("x is not found".to_owned()));
        assert_eq!(refused("{.items[2].v}"), Err("v is not found".to_owned()));
        assert_eq!(refused("{.items[*].v}{.e[*].v}"), Ok("1 2".to_owned()));
    }

    #[test]
    fn paths_may_lack_braces_and_dots() {
        let cases = [
            ("metadata.name", "{.metadata.name}"),
            (".metadata.name", "{.metadata.name}"),
            ("{metadata.name}", "{.metadata.name}"),
            ("{.metadata.name}", "{.metadata.name}"),
            ("..name", "{..name}"),
            (".", "{..}"),
            ("", ""),
        ];
        for (path, template) in cases {
            assert_eq!(relaxed(path).as_deref(), Ok(template), "{path}");
        }
        let refused = "unexpected path string, expected a 'name1.name2' or '.name1.name2' or \
                       '{name1.name2}' or '{.name1.name2}'";
        for path in ["{}", "{a", "a}", "{a}{b}", "x{a}"] {
            assert_eq!(relaxed(path), Err(JsonPathError(refused.to_owned())), "{path}");
        }
    }
}
