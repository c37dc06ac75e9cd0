//! Names of types: they stay when definitions grow, and differ where paths give the same.

use klient_generate::{Options, generate, parse};
use serde_json::{Value, json};

/// A definition with a kind and the properties of its spec.
fn definition(kind: &str, properties: Value) -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{}s.example.com", kind.to_lowercase())},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": format!("{}s", kind.to_lowercase())},
            "versions": [{
                "name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {
                    "type": "object",
                    "properties": {"spec": {"type": "object", "properties": properties}},
                }},
            }],
        },
    })
}

fn object(properties: Value) -> Value {
    json!({"type": "object", "properties": properties})
}

fn list(properties: Value) -> Value {
    json!({"type": "array", "items": object(properties)})
}

/// The path of each type with its name.
fn types(definitions: &[Value]) -> Vec<String> {
    let list = json!({"apiVersion": "v1", "kind": "List", "items": definitions});
    let definitions = parse("test", &list.to_string()).unwrap();
    let generated = generate(&definitions, &Options { clientset: false, ..Default::default() }).unwrap();
    let text = &generated.files()[1].text;
    let mut types = Vec::new();
    let mut path = "";
    for line in text.lines().map(str::trim) {
        if let Some((at, _)) = line.strip_prefix("/// `").and_then(|line| line.split_once("` of [`")) {
            path = at;
        } else if let Some(name) = ["pub struct ", "pub enum ", "pub type "]
            .iter()
            .find_map(|begin| line.strip_prefix(begin))
            .filter(|_| !path.is_empty())
        {
            types.push(format!("{path} {}", name.split(' ').next().unwrap_or_default()));
            path = "";
        }
    }
    types
}

#[test]
fn a_type_is_named_by_its_path_and_an_item_in_the_singular() {
    let thing = definition(
        "Thing",
        json!({
            "rules": list(json!({"match": object(json!({"on": {"type": "string", "enum": ["a"]}}))})),
            "byName": {"type": "object", "additionalProperties": object(json!({"a": {"type": "string"}}))},
        }),
    );
    assert_eq!(
        types(&[thing]),
        [
            ".spec ThingSpec",
            ".spec.byName.* ThingSpecByName",
            ".spec.rules[] ThingSpecRule",
            ".spec.rules[].match ThingSpecRuleMatch",
            ".spec.rules[].match.on ThingSpecRuleMatchOn",
        ]
    );
}

#[test]
fn paths_with_one_name_get_different_names() {
    let a = || json!({"a": {"type": "string"}});
    for (properties, expected) in [
        // The plural for the list.
        (
            json!({"ref": object(a()), "refs": list(a())}),
            vec![".spec ThingSpec", ".spec.ref ThingSpecRef", ".spec.refs[] ThingSpecRefs"],
        ),
        // The first in the alphabet, and the other with an underscore.
        (
            json!({"key": object(json!({"holeSize": object(a())})), "keyHole": object(json!({"size": object(a())}))}),
            vec![
                ".spec ThingSpec",
                ".spec.key ThingSpecKey",
                ".spec.key.holeSize ThingSpecKeyHoleSize",
                ".spec.keyHole ThingSpecKeyHole",
                ".spec.keyHole.size ThingSpecKeyHole_Size",
            ],
        ),
        (
            json!({"foo-bar": object(a()), "fooBar": object(a()), "foo_bar": object(a())}),
            vec![
                ".spec ThingSpec",
                ".spec.foo-bar ThingSpecFooBar",
                ".spec.fooBar ThingSpec_FooBar",
                ".spec.foo_bar ThingSpec_FooBar_2",
            ],
        ),
    ] {
        assert_eq!(types(&[definition("Thing", properties)]), expected);
    }
    // A kind keeps its name.
    let thing = definition("Thing", json!({"part": object(a())}));
    let other = definition("ThingSpec", json!({"part": object(a())}));
    let expected = [
        ".spec Thing_Spec",
        ".spec.part Thing_SpecPart",
        ".spec ThingSpecSpec",
        ".spec.part ThingSpecSpecPart",
    ];
    assert_eq!(types(&[other.clone(), thing.clone()]), expected);
    assert_eq!(types(&[thing, other]), expected);
}

#[test]
fn types_that_are_the_same_are_one_with_all_their_names() {
    let secret = |about: &str| {
        json!({"type": "object", "description": about, "properties": {
            "key": {"type": "string", "description": "The key."},
            "mode": {"type": "string", "enum": ["A", "B"]},
        }})
    };
    let other = json!({"type": "object", "properties": {
        "key": {"type": "string", "description": "Another key."},
        "mode": {"type": "string", "enum": ["A", "B"]},
    }});
    let one = definition(
        "One",
        json!({"deep": object(json!({"ref": secret("c")})), "ref": secret("a"), "other": other}),
    );
    let two = definition("Two", json!({"ref": secret("b")}));
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [two, one]});
    let definitions = parse("test", &list.to_string()).unwrap();
    let options = Options { clientset: false, apply_configurations: true, ..Default::default() };
    let generated = generate(&definitions, &options).unwrap();
    let text = &generated.files()[1].text;
    let of = |begin: &str| {
        let lines =
            text.lines().filter_map(|line| line.strip_prefix(begin)).map(|line| line.trim_end_matches(" {"));
        lines.map(str::trim_start).collect::<Vec<_>>()
    };
    // The one that is nearest to a kind has the code.
    assert_eq!(of("pub struct "), ["OneSpec", "OneSpecDeep", "OneSpecOther", "OneSpecRef", "TwoSpec"]);
    assert_eq!(
        of("pub type "),
        [
            "OneSpecDeepRef = OneSpecRef;",
            "OneSpecDeepRefApplyConfiguration = OneSpecRefApplyConfiguration;",
            "OneSpecDeepRefMode = OneSpecOtherMode;",
            "OneSpecRefMode = OneSpecOtherMode;",
            "TwoSpecRef = OneSpecRef;",
            "TwoSpecRefApplyConfiguration = OneSpecRefApplyConfiguration;",
            "TwoSpecRefMode = OneSpecOtherMode;",
        ]
    );
    // Each kind has its own, even if they are the same.
    assert_eq!(text.matches("klient::custom_resource! {").count(), 2);
}

#[test]
fn a_type_and_an_apply_configuration_have_different_names() {
    let a = || json!({"a": {"type": "string"}});
    let thing = definition("Thing", json!({"part": object(json!({"applyConfiguration": object(a())}))}));
    let other = definition("ThingApplyConfiguration", json!({}));
    let expected = [
        ".spec ThingSpec",
        ".spec.part ThingSpecPart",
        ".spec.part.applyConfiguration ThingSpecPart_ApplyConfiguration",
        ".spec ThingApplyConfiguration_2Spec",
    ];
    let mut types = types(&[other, thing]);
    types.sort();
    let mut expected = expected.map(str::to_owned);
    expected.sort();
    assert_eq!(types, expected);
}

#[test]
fn types_keep_their_names_when_a_definition_grows() {
    let random = std::env::var("KLIENT_SEED").ok().and_then(|seed| seed.parse::<u64>().ok()).unwrap_or(1);
    println!("KLIENT_SEED={random}");
    let mut state = random;
    let mut next = move |limit: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % limit
    };
    // Words that do not run into each other, so that all names are free.
    let words = ["apple", "berry", "cherry", "date", "elder", "fig", "grape"];
    let mut spec = json!({});
    let mut known: Vec<String> = Vec::new();
    for _ in 0..40 {
        let mut at = &mut spec;
        loop {
            let word = words[usize::try_from(next(7)).unwrap()];
            let is_new = at.get(word).is_none();
            if is_new {
                at[word] = if next(2) == 0 { object(json!({})) } else { list(json!({})) };
                break;
            }
            let schema = &mut at[word];
            at = if schema["type"] == "array" {
                &mut schema["items"]["properties"]
            } else {
                &mut schema["properties"]
            };
        }
        let types = types(&[definition("Thing", spec.clone())]);
        assert!(known.iter().all(|name| types.contains(name)), "{known:?} {types:?}");
        known = types;
    }
}

#[test]
fn two_groups_that_are_one_module_can_be_told_apart() {
    let mut one = definition("One", json!({}));
    one["spec"]["group"] = json!("a-b.example.com");
    let mut other = definition("Other", json!({}));
    other["spec"]["group"] = json!("a.b.example.com");
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [one, other]});
    let definitions = parse("test", &list.to_string()).unwrap();
    assert_eq!(
        generate(&definitions, &Options::default()).unwrap_err().to_string(),
        "group a.b.example.com: its module would be a_b_example_com, as that of a-b.example.com: give one another name"
    );
    let group_names = [("a.b.example.com".to_owned(), "ab".to_owned())].into();
    let generated = generate(&definitions, &Options { group_names, ..Default::default() }).unwrap();
    let paths: Vec<&str> = generated.files().iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["mod.rs", "clientset.rs", "a_b_example_com/v1.rs", "ab/v1.rs"]);
    assert!(generated.files()[1].text.contains("pub fn ab_v1(&self) -> AbV1 {"));
}
