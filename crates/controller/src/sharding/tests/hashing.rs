//! Keys, views and claims as data.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::claim::{Claim, Written, note};
use super::super::key::ShardKey;
use super::super::share::{Share, View};

fn view(members: &[&str]) -> Arc<View> {
    Arc::new(View::new(members.iter().map(|member| (*member).into())))
}

fn owner<'a>(members: &[&'a str], key: &str) -> &'a str {
    let view = view(members);
    let owners: Vec<_> =
        members.iter().filter(|member| Share::new(view.clone(), member).has(key.into())).collect();
    assert_eq!(owners.len(), 1, "{key} of {owners:?}");
    owners[0]
}

#[test]
fn hashes_are_the_same_for_ever() {
    // By another implementation of FNV-1a and of the mixer of SplitMix64.
    for (text, hash) in [
        ("", "f52a15e9a9b5e89b"),
        ("a", "02c0bdbf481420f8"),
        ("foobar", "404da9e3b74078c2"),
        ("default/web-0", "e561b668671b4307"),
        ("kube-system/coredns", "140c472f86540780"),
    ] {
        assert_eq!(format!("{:?}", ShardKey::from(text)), hash, "{text}");
    }
}

#[test]
fn owners_are_the_same_for_ever() {
    for (key, of_three, of_two) in [
        ("default/web-0", "b", "a"),
        ("default/web-1", "c", "c"),
        ("default/web-2", "c", "c"),
        ("default/web-3", "a", "a"),
        ("default/web-4", "c", "c"),
        ("default/web-5", "b", "c"),
        ("default/web-6", "b", "a"),
        ("default/web-7", "b", "a"),
    ] {
        assert_eq!((owner(&["a", "b", "c"], key), owner(&["c", "a"], key)), (of_three, of_two), "{key}");
    }
}

#[test]
fn ten_thousand_keys_are_shared_evenly_by_eight() {
    let members: Vec<_> = (0..8).map(|member| format!("shop-{member}")).collect();
    let members: Vec<_> = members.iter().map(String::as_str).collect();
    let mut counts = BTreeMap::<&str, u32>::new();
    for key in 0..10_000 {
        *counts.entry(owner(&members, &format!("default/web-{key}"))).or_default() += 1;
    }
    // The standard deviation is 33.
    assert_eq!(
        counts.values().copied().collect::<Vec<_>>(),
        [1223, 1251, 1325, 1212, 1232, 1272, 1238, 1247]
    );
}

#[test]
fn a_claim_is_read_as_it_was_written() {
    let written = Written::from([("deployments.apps".into(), "7".into())]);
    for (members, retained, written, text) in [
        (vec![], vec![], Written::new(), r#"{"members":[]}"#),
        (vec!["b", "a"], vec![], Written::new(), r#"{"members":["a","b"]}"#),
        (
            vec!["b"],
            vec![ShardKey(3), ShardKey(1 << 63)],
            written,
            r#"{"members":["b"],"retained":["0000000000000003","8000000000000000"],"written":{"deployments.apps":"7"}}"#,
        ),
    ] {
        let claim = Claim { share: Share::new(view(&members), "a"), retained, written };
        assert_eq!(claim.encode(), text);
        assert_eq!(Claim::decode(Some(text), "a"), claim);
    }
}

#[test]
fn fields_of_a_claim_that_are_not_known_are_passed_over() {
    let claim = Claim::decode(Some(r#"{"members":["a"],"since":1}"#), "a");
    assert_eq!(claim, Claim::everything("a"));
}

#[test]
fn a_claim_that_cannot_be_read_is_one_to_every_key() {
    for text in [None, Some(""), Some("[]"), Some(r#"{"members":1}"#), Some(r#"{"retained":["x"]}"#)] {
        let claim = Claim::decode(text, "a");
        assert!((0..100).all(|key| claim.has(ShardKey::from(&format!("web-{key}")))), "{text:?}");
    }
}

#[test]
fn the_greatest_version_that_was_written_is_kept() {
    for (versions, kept) in [
        (vec!["9", "10", "8"], Some("10")),
        (vec!["9", "x"], Some("9")),
        (vec!["", "x"], None),
        (vec!["x", "3"], Some("3")),
    ] {
        let mut written = Written::new();
        versions.iter().for_each(|version| note(&mut written, "secrets", version));
        assert_eq!(written.get("secrets").map(|version| version.as_str()), kept, "{versions:?}");
    }
}
