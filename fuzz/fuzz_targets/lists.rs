//! A list reads the same whole and in pieces, in both formats, and watch events do not panic.
#![no_main]

use klient_api::core::v1::Pod;
use klient_apimachinery::codec::{DecodeError, Format, ListReader, ManagedFields, Wire};
use klient_apimachinery::{List, WatchEvent};
use libfuzzer_sys::fuzz_target;

fn in_pieces(format: Format, bytes: &[u8], piece: usize) -> Result<Vec<Pod>, DecodeError> {
    let mut reader = ListReader::new(format, ManagedFields::Keep);
    let mut items = Vec::new();
    let mut pieces = bytes.chunks(piece);
    loop {
        let piece = pieces.next();
        match piece {
            Some(piece) => reader.push(piece),
            None => reader.end(),
        }
        while let Some(item) = reader.next_item()? {
            items.push(item);
        }
        if piece.is_none() {
            return reader.finish().map(|_| items);
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let [choice, bytes @ ..] = bytes else { return };
    let format = if choice & 1 == 0 { Format::Json } else { Format::Protobuf };
    let piece = usize::from(choice >> 1) + 1;
    let whole = List::<Pod>::decode(format, bytes);
    let pieces = in_pieces(format, bytes, piece);
    match (whole, pieces) {
        (Ok(list), Ok(items)) => assert_eq!(list.items, items),
        (Err(_), Err(_)) => {}
        (whole, pieces) => panic!("whole {whole:?}, in pieces of {piece} {pieces:?}"),
    }
    let _ = match format {
        Format::Json => WatchEvent::<Pod>::from_json(bytes, ManagedFields::Keep),
        Format::Protobuf => WatchEvent::<Pod>::from_protobuf(bytes, ManagedFields::Keep),
    };
});
