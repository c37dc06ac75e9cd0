//! The sentences beside the facts, and lines that fit no facts.

use super::*;

const FACTS: &str = "\
kubernetes v1.37.0
package core/v1 k8s.io.api.core.v1 group= served
message Container
  name string 1 req
  ports []ContainerPort 6 omit list=map:containerPort,protocol
message ContainerPort atomic
  protocol string 4 omit default=\"TCP\" values=SCTP,TCP
  hostIP string 5 omit
message Pod kind
  metadata meta/v1.ObjectMeta 1 omit
  status PodStatus 2 omit
message Secret kind
  metadata meta/v1.ObjectMeta 1 omit
  data map:bytes 2 omit
resource pods Pod pod namespaced served
";

fn facts() -> Facts {
    Facts::parse(FACTS).expect("facts")
}

#[track_caller]
fn field_comment(facts: &mut Facts, message: &str, json: &str) -> String {
    let message = facts.documented(message).expect("the struct exists");
    of_field("", field(message, json).expect("the field exists"))
}

#[test]
fn meaning_comes_before_facts() {
    let mut facts = facts();
    facts
        .document(
            "# A remark.\n\n\
             [*]\n\
             metadata: Data of all objects.\n\n\
             [core/v1.Container] One container.\n\
             ports: Ports it listens on: TCP and others.\n\n\
             [core/v1.Secret] Confidential data.\n\
             metadata: Data of the secret.\n",
        )
        .expect("the lines fit the facts");
    for (message, json, comment) in [
        (
            "core/v1.Container",
            "ports",
            "/// Ports it listens on: TCP and others.\n///\n\
             /// `ports`; list keyed by `containerPort`, `protocol`.\n",
        ),
        ("core/v1.Container", "name", "/// `name`; required.\n"),
        ("core/v1.ContainerPort", "protocol", "/// `protocol`: `SCTP`, `TCP`; default `\"TCP\"`.\n"),
        ("core/v1.Pod", "metadata", "/// Data of all objects.\n///\n/// `metadata`.\n"),
        ("core/v1.Secret", "metadata", "/// Data of the secret.\n///\n/// `metadata`.\n"),
        ("core/v1.Secret", "data", "/// `data`; base64 in JSON.\n"),
    ] {
        assert_eq!(field_comment(&mut facts, message, json), comment);
    }
}

#[test]
fn served_kinds_link_to_the_api_reference() {
    let mut facts = facts();
    facts.document("[core/v1.Container] One container.\n").expect("the line fits the facts");
    let package = &facts.packages[0];
    let comments: Vec<String> =
        package.messages.iter().map(|message| of_struct(&facts, package, message)).collect();
    assert_eq!(
        comments,
        [
            "/// One container.\n///\n/// `Container` of v1.\n",
            "/// `ContainerPort` of v1; server-side apply replaces it as a whole.\n",
            "/// `Pod` of v1. [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.37/\
             #pod-v1-core)\n",
            "/// `Secret` of v1.\n",
        ]
    );
}

#[test]
fn lines_about_nothing_are_refused() {
    for (text, problem) in [
        ("[core/v1.Contaner] A container.", "line 1: there is no struct \"core/v1.Contaner\""),
        ("[Container] A container.", "line 1: there is no struct \"Container\""),
        ("[core/v1.Container A container.", "line 1: `]` is missing"),
        ("[core/v1.Container]", "line 1: the meaning is no sentence that ends in a full stop"),
        ("name: Name.", "line 1: there is no struct \"\""),
        ("[core/v1.Container] A container.\nimage: Image.", "line 2: core/v1.Container has no field image"),
        ("[core/v1.Container] A container.\nname Name.", "line 2: the line is no `field: meaning`"),
        (
            "[core/v1.Container] A container.\nname: Name.\nname: A name.",
            "line 3: the meaning is there already: Name.",
        ),
        (
            "[core/v1.Container] A container.\n[core/v1.Container] Again.",
            "line 2: the meaning is there already: A container.",
        ),
        ("[*]\nports: Ports.", "line 2: no kind has a field ports"),
    ] {
        let error = facts().document(text).expect_err(text);
        assert_eq!(error.to_string(), format!("documentation {problem}"), "{text}");
    }
}

#[test]
fn documented_structs_say_what_all_their_fields_mean() {
    let mut facts = Facts::parse(include_str!("../../specs/kubernetes.facts")).expect("facts");
    facts.document(include_str!("../../specs/kubernetes.docs")).expect("the documentation fits the facts");
    let mut without = Vec::new();
    for package in &facts.packages {
        for message in package.messages.iter().filter(|message| !message.meaning.is_empty()) {
            for member in &message.members {
                match member {
                    Member::Field(field) if field.meaning.is_empty() => {
                        without.push(format!("{}.{}.{}", package.module, message.name, field.json));
                    }
                    _ => {}
                }
            }
        }
    }
    assert_eq!(without, [""; 0], "fields that specs/kubernetes.docs leaves out");
}
