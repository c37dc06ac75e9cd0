//! What protobuf decodes to encodes to what decodes to the same, for every kind.
#![no_main]

use klient_apimachinery::codec::{ManagedFields, json, protobuf};
use klient_apimachinery::message::Dynamic;
use klient_schema::KINDS;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let [choice, bytes @ ..] = bytes else { return };
    let (_, _, schema) = KINDS[usize::from(*choice) % KINDS.len()];
    let mut first = Dynamic::new(schema);
    if protobuf::decode(bytes, &mut first, ManagedFields::Keep).is_err() {
        return;
    }
    let mut written = Vec::new();
    protobuf::encode(&first, &mut written);
    let mut second = Dynamic::new(schema);
    protobuf::decode(&written, &mut second, ManagedFields::Keep).expect("what was written can be read");
    let mut again = Vec::new();
    protobuf::encode(&second, &mut again);
    assert_eq!(again, written);
    let mut text = Vec::new();
    json::encode(&second, &mut text);
});
