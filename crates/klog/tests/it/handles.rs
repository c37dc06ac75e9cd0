//! References to objects, by every handle.

use klient_api::core::v1::{Node, Pod, Secret};
use klient_apimachinery::meta::v1::ObjectMeta;
use klient_apimachinery::{ObjectKey, Resource as _, Unstructured};
use klient_cache::{Keep, StoreWriter};
use klient_klog::{Recorder, info_s, kkey, kobj, kobjs};

fn meta(namespace: Option<&str>, name: &str) -> ObjectMeta {
    ObjectMeta { namespace: namespace.map(Into::into), name: Some(name.into()), ..Default::default() }
}

#[test]
fn every_handle_is_namespace_and_name() {
    let recorder = Recorder::start(0);
    let pod = Pod { metadata: meta(Some("shop"), "web-0"), ..Default::default() };
    let node = Node { metadata: meta(None, "n1"), ..Default::default() };
    let untyped: Unstructured = serde_json::from_str(
        r#"{"apiVersion":"v1","kind":"Pod","metadata":{"namespace":"shop","name":"web-1"}}"#,
    )
    .unwrap();
    let key = ObjectKey::new(Some("shop"), "web-2");
    info_s!("typed", pod = %kobj(&pod), node = %kobj(&node));
    info_s!("untyped", pod = %kobj(&untyped));
    info_s!("metadata", pod = %kobj(&pod.metadata));
    let writer = StoreWriter::<Pod>::new(Pod::INFO, Keep::Packed);
    writer.put_object(&pod).unwrap();
    let cached = writer.store().get("shop/web-0").unwrap();
    info_s!("packed", pod = %kobj(&cached));
    info_s!("key", pod = %kkey(&key));
    let keys = [key.clone(), key];
    info_s!("keys", pods = %kobjs(keys.iter().map(kkey)), pod_list = %kobjs([&pod].map(kobj)));
    info_s!("unnamed", pod = %kobj(&Pod::default()));
    assert_eq!(
        recorder.lines(),
        [
            r#"I "typed" pod="shop/web-0" node="n1""#,
            r#"I "untyped" pod="shop/web-1""#,
            r#"I "metadata" pod="shop/web-0""#,
            r#"I "packed" pod="shop/web-0""#,
            r#"I "key" pod="shop/web-2""#,
            r#"I "keys" pods=["shop/web-2","shop/web-2"] pod_list=["shop/web-0"]"#,
            r#"I "unnamed" pod="""#,
        ]
    );
}

#[test]
fn the_debug_of_an_object_shows_no_secret() {
    let recorder = Recorder::start(0);
    let json = r#"{"metadata":{"name":"s"},"data":{"password":"czNjcjN0"},"stringData":{"other":"s3cr3t"}}"#;
    let secret: Secret = serde_json::from_str(json).unwrap();
    info_s!("read", secret = ?secret);
    let mut config = klient_client::Config::from_url("http://localhost").unwrap();
    config.credentials = klient_client::Credentials::token("s3cr3t");
    info_s!("loaded", config = ?config);
    for line in recorder.lines() {
        assert!(!line.contains("s3cr3t") && !line.contains("czNjcjN0"), "{line}");
    }
    assert_eq!(recorder.lines().len(), 2);
}
