//! Structs and attributes that are no custom resources.

#[test]
fn misuse_is_told_at_its_place() {
    trybuild::TestCases::new().compile_fail("tests/derive/misuse/*.rs");
}
