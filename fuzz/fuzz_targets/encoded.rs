//! What is checked without being built gets the verdict of decoding, is found to say the same of itself, and loses
//! nothing but its managed fields.
#![no_main]

use std::fmt::Debug;

use klient_api::apiextensions::v1::CustomResourceDefinition;
use klient_api::core::v1::{Pod, Secret};
use klient_apimachinery::codec::{Encoded, FieldPath, Format, ManagedFields, Wire};
use klient_apimachinery::{Object, Unstructured};
use libfuzzer_sys::fuzz_target;

fn check<K: Wire + Object + Debug>(format: Format, bytes: &[u8], name: &FieldPath<K>) {
    let encoded = Encoded::<K>::new(format, bytes);
    let (meta, object) = match (encoded.check(), encoded.decode()) {
        (Ok(meta), Ok(object)) => (meta, object),
        (Err(_), Err(_)) => return,
        (check, decode) => panic!("check {check:?}, decode {decode:?}"),
    };
    assert_eq!(meta.name, object.name());
    assert_eq!(meta.namespace, object.namespace().unwrap_or_default());
    assert_eq!((&*meta.uid, &*meta.resource_version), (object.uid(), object.resource_version()));
    assert_eq!(meta.labels.len(), object.labels().count());
    let cut = match format {
        Format::Protobuf => Encoded::<K>::item_from_protobuf(bytes, ManagedFields::Skip),
        Format::Json => Encoded::item_from_json(bytes, ManagedFields::Skip).map(|item| item.expect("it is whole").0),
    };
    assert_eq!(cut.expect("it can be read").check().expect("as before"), meta);
    // Of names that stand twice in JSON the first is found.
    if format == Format::Protobuf {
        assert_eq!(encoded.text_at(name).unwrap_or_default(), object.name());
    }
}

fuzz_target!(|bytes: &[u8]| {
    let [choice, bytes @ ..] = bytes else { return };
    let format = if choice & 1 == 0 { Format::Json } else { Format::Protobuf };
    match choice >> 1 & 3 {
        0 => check(format, bytes, &FieldPath::<Pod>::of("metadata.name").expect("pods have it")),
        1 => check(format, bytes, &FieldPath::<Secret>::of("metadata.name").expect("secrets have it")),
        2 => check(format, bytes, &FieldPath::<CustomResourceDefinition>::of("metadata.name").expect("as all")),
        _ => check(Format::Json, bytes, &FieldPath::<Unstructured>::of("metadata.name").expect("any will do")),
    }
});
