//! Owner references that the garbage collector accepts.

use klient_api::core::v1::{ConfigMap, Node};
use klient_apimachinery::meta::v1::ObjectMeta;
use klient_apimachinery::{Object, Unstructured};
use klient_controller::{ErrorKind, set_controller_reference, set_owner_reference};
use serde_json::json;

fn owner(namespace: Option<&str>, uid: &str) -> Unstructured {
    let mut owner = Unstructured::new("example.com/v1", "Website", "shop");
    owner["metadata"]["uid"] = json!(uid);
    if let Some(namespace) = namespace {
        owner.set_namespace(namespace);
    }
    owner
}

#[test]
fn an_owner_is_in_the_namespace_of_the_object_or_in_none() {
    for (of_owner, uid, of_object, expected) in [
        (Some("a"), "1", Some("a"), ""),
        (None, "1", Some("a"), ""),
        (None, "1", None, ""),
        (
            Some("a"),
            "1",
            Some("b"),
            r#"Website "shop" in the namespace "a" cannot own an object in the namespace "b": the garbage collector would delete that, because it looks for the owner in the namespace of the object"#,
        ),
        (
            Some("a"),
            "1",
            None,
            r#"Website "shop" in the namespace "a" cannot own a cluster-scoped object: the garbage collector would delete that, because it looks for a cluster-scoped owner; if the object is namespaced, set its metadata.namespace first"#,
        ),
        (
            None,
            "",
            None,
            r#"Website "shop" cannot be an owner: it has no uid or no kind; take it as the server or a cache returns it"#,
        ),
    ] {
        let metadata = ObjectMeta { namespace: of_object.map(Into::into), ..ObjectMeta::named("colors") };
        let mut map = ConfigMap { metadata, ..Default::default() };
        let result = set_controller_reference(&owner(of_owner, uid), &mut map);
        let text = result.as_ref().map_or_else(ToString::to_string, |()| String::new());
        assert_eq!(text, expected);
        assert_eq!(map.metadata.owner_references.len(), usize::from(result.is_ok()));
        let kind = result.err().map(|error| error.kind());
        assert_eq!(kind, (!expected.is_empty()).then_some(ErrorKind::Owner));
    }
}

#[test]
fn an_object_has_one_controller_and_any_number_of_owners() {
    let mut role = Unstructured::new("rbac.authorization.k8s.io/v1", "ClusterRole", "painter");
    set_controller_reference(&owner(None, "1"), &mut role).unwrap();
    assert_eq!(role.controller().unwrap().uid, "1");

    let mut node = Node { metadata: ObjectMeta::named("n1"), ..Default::default() };
    for uid in ["1", "2", "2"] {
        set_owner_reference(&owner(None, uid), &mut node).unwrap();
    }
    set_controller_reference(&owner(None, "1"), &mut node).unwrap();
    set_controller_reference(&owner(None, "1"), &mut node).unwrap();
    let error = set_controller_reference(&owner(None, "2"), &mut node).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyOwned);
    let controllers: Vec<_> =
        node.metadata.owner_references.iter().map(|owner| (&*owner.uid, owner.controller)).collect();
    assert_eq!(controllers, [("1", Some(true)), ("2", None)]);
}
