//! Programs that must not compile, and what the compiler says of them.

#[test]
fn what_the_api_does_not_offer_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/misuse/*.rs");
}
