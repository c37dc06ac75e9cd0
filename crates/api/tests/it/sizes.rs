//! Memory of objects before any text in them: rare members cost no more than a pointer.

use klient_api::core::v1::{Container, Pod, PodSpec, PodStatus, Volume};
use klient_apimachinery::meta::v1::ObjectMeta;

#[test]
fn types_are_lean() {
    for (name, size, most) in [
        ("Container", size_of::<Container>(), 448),
        ("ObjectMeta", size_of::<ObjectMeta>(), 320),
        ("Pod", size_of::<Pod>(), 1544),
        ("PodSpec", size_of::<PodSpec>(), 728),
        ("PodStatus", size_of::<PodStatus>(), 488),
        ("Volume", size_of::<Volume>(), 48),
    ] {
        println!("{name} {size}");
        assert!(size <= most, "{name} has {size} bytes, and should have {most} at most");
    }
}
