//! The work of a cache for a pod that arrives, beside decoding it: cutting out its managed fields, checking it, and
//! reading a field.

#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark fails as a test does")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use klient_api::core::v1::Pod;
use klient_apimachinery::Unstructured;
use klient_apimachinery::codec::{Encoded, FieldPath, Format, ManagedFields, Wire};

/// A pod as a server sends it: some 4 KB of protobuf, of which two fifths are managed fields.
fn pod() -> Pod {
    Pod::from_json(include_bytes!("pod.json")).unwrap()
}

fn skipped(format: Format, bytes: &[u8]) -> Encoded<Pod> {
    match format {
        Format::Protobuf => Encoded::item_from_protobuf(bytes, ManagedFields::Skip).unwrap(),
        Format::Json => Encoded::item_from_json(bytes, ManagedFields::Skip).unwrap().unwrap().0,
    }
}

fn each_format(criterion: &mut Criterion) {
    let mut json = Vec::new();
    pod().to_json(&mut json);
    let forms = [("protobuf", Encoded::of(&pod())), ("json", Encoded::new(Format::Json, json))];
    let node = FieldPath::of("spec.nodeName").unwrap();
    for (format, whole) in forms {
        let mut group = criterion.benchmark_group(format);
        let cut = skipped(whole.format(), whole.bytes());
        group.bench_function("copy", |bencher| bencher.iter(|| black_box(&cut).clone()));
        group.bench_function("cut", |bencher| {
            bencher.iter(|| skipped(whole.format(), black_box(whole.bytes())))
        });
        group.bench_function("check", |bencher| bencher.iter(|| black_box(&cut).check().unwrap().name.len()));
        group.bench_function("check/whole", |bencher| {
            bencher.iter(|| black_box(&whole).check().unwrap().name.len());
        });
        group.bench_function("text_at", |bencher| {
            bencher.iter(|| black_box(&cut).text_at(&node).unwrap().len())
        });
        group.bench_function("decode", |bencher| bencher.iter(|| black_box(&cut).decode().unwrap()));
        group.bench_function("decode/whole", |bencher| bencher.iter(|| black_box(&whole).decode().unwrap()));
        group.finish();
    }
}

fn unstructured(criterion: &mut Criterion) {
    let pod = Encoded::of(&Unstructured::from_typed(&pod()));
    let mut group = criterion.benchmark_group("unstructured");
    group.bench_function("check", |bencher| bencher.iter(|| black_box(&pod).check().unwrap().name.len()));
    group.bench_function("decode", |bencher| bencher.iter(|| black_box(&pod).decode().unwrap()));
    group.finish();
}

criterion_group!(benches, each_format, unstructured);
criterion_main!(benches);
