//! Sets of fields are read from any text, and written as what reads back to the same.
#![no_main]

use klient_structured_merge::FieldSet;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(set) = FieldSet::from_json(text) else { return };
    let written = set.to_json();
    let again = FieldSet::from_json(&written).expect("what was written can be read");
    assert_eq!(again, set);
    assert_eq!(again.to_json(), written);
    assert_eq!(set.union(&again), set);
    assert_eq!(set.intersection(&again), set);
    assert!(set.difference(&again).is_empty());
    assert!(set.recursive_difference(&again).is_empty());
    assert_eq!(set.iter().count(), set.len());
    assert!(set.iter().all(|path| set.has(&path)));
    assert_eq!(set.iter().collect::<FieldSet>(), set);
});
