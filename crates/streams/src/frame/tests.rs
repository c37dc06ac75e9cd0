//! Frames, whole and in pieces, and what is no frame.

use bytes::{Bytes, BytesMut};
use flate2::{Compress, Compression, FlushCompress};

use super::headers::{HeaderDecoder, HeaderEncoder, MAX_BLOCK};
use super::{Decoder, Encoder, Frame, Headers, dictionary::DICTIONARY};

const ROUNDS: u64 = 500;

/// Runs a round with many seeds, and prints the one at fault.
fn rounds(round: impl Fn(&mut fastrand::Rng) + std::panic::RefUnwindSafe) {
    let first = std::env::var("KLIENT_SEED").ok().and_then(|seed| seed.parse().ok());
    for seed in first.map_or(0..ROUNDS, |seed: u64| seed..seed + 1) {
        let outcome = std::panic::catch_unwind(|| round(&mut fastrand::Rng::with_seed(seed)));
        if let Err(panic) = outcome {
            eprintln!("KLIENT_SEED={seed}");
            std::panic::resume_unwind(panic);
        }
    }
}

fn headers(random: &mut fastrand::Rng) -> Headers {
    let text = |random: &mut fastrand::Rng| {
        let most = if random.u8(..) == 0 { 5000 } else { 20 };
        let length = random.usize(1..most);
        std::iter::repeat_with(|| random.lowercase()).take(length).collect::<String>()
    };
    (0..random.usize(..6)).map(|_| (text(random), text(random))).collect()
}

fn frame(random: &mut fastrand::Rng) -> Frame {
    let (id, fin) = (random.u32(1..1000), random.bool());
    match random.u8(..9) {
        0 => Frame::SynStream { id, headers: headers(random), fin, unidirectional: random.bool() },
        1 => Frame::SynReply { id, headers: headers(random), fin },
        2 => Frame::RstStream { id, status: random.u32(1..12) },
        3 => Frame::Settings((0..random.u32(..4)).map(|id| (id, random.u32(..))).collect()),
        4 => Frame::Ping(random.u32(..)),
        5 => Frame::GoAway { last: random.u32(..), status: random.u32(..3) },
        6 => Frame::Headers { id, headers: headers(random), fin },
        7 => Frame::WindowUpdate { id, delta: random.u32(..1 << 31) },
        _ => {
            let most = if random.u8(..) < 16 { 100_000 } else { 100 };
            let length = random.usize(..most);
            let data: Vec<u8> = std::iter::repeat_with(|| random.u8(..)).take(length).collect();
            Frame::Data { id, data: data.into(), fin }
        }
    }
}

fn encoded(frames: &[Frame]) -> BytesMut {
    let (mut encoder, mut bytes) = (Encoder::new(), BytesMut::new());
    for frame in frames {
        encoder.encode(frame, &mut bytes);
        if let Frame::Data { data, .. } = frame {
            bytes.extend_from_slice(data);
        }
    }
    bytes
}

/// Decodes bytes that arrive in pieces, and joins the parts of data frames.
fn decoded(bytes: &[u8], mut piece: impl FnMut() -> usize) -> Result<Vec<Frame>, String> {
    let (mut decoder, mut arrived, mut rest) = (Decoder::new(), BytesMut::new(), bytes);
    let mut frames: Vec<Frame> = Vec::new();
    let mut is_open = false;
    loop {
        while let Some(frame) = decoder.decode(&mut arrived).map_err(|error| error.to_string())? {
            match (frames.last_mut(), frame) {
                (Some(Frame::Data { data, fin, .. }), Frame::Data { data: more, fin: last, .. })
                    if is_open =>
                {
                    *data = [&data[..], &more[..]].concat().into();
                    *fin = last;
                }
                (_, frame) => frames.push(frame),
            }
            is_open = !decoder.is_between_frames(&BytesMut::new());
        }
        if rest.is_empty() {
            assert!(decoder.is_between_frames(&arrived), "a frame is missing its end");
            return Ok(frames);
        }
        let (first, others) = rest.split_at(piece().clamp(1, rest.len()));
        arrived.extend_from_slice(first);
        rest = others;
    }
}

#[test]
fn frames_are_the_same_after_encoding_and_decoding_in_pieces() {
    rounds(|random| {
        let frames: Vec<Frame> = (0..random.usize(1..10)).map(|_| frame(random)).collect();
        let bytes = encoded(&frames);
        let largest = *random.choice(&[1, 7, 100, 100_000]).expect("there are some");
        assert_eq!(decoded(&bytes, || random.usize(1..=largest)), Ok(frames));
    });
}

#[test]
fn changed_bytes_are_decoded_or_refused_without_a_panic() {
    rounds(|random| {
        let frames: Vec<Frame> = (0..random.usize(1..5)).map(|_| frame(random)).collect();
        let mut bytes = encoded(&frames);
        for _ in 0..random.usize(1..4) {
            let place = random.usize(..bytes.len());
            bytes[place] = random.u8(..);
        }
        let mut decoder = Decoder::new();
        while let Ok(Some(_)) = decoder.decode(&mut bytes) {}
    });
}

#[test]
fn the_dictionary_is_that_of_the_draft() {
    assert_eq!(DICTIONARY.len(), 1423);
    // The head of a zlib stream with a dictionary has the dictionary's checksum.
    let block = HeaderEncoder::new().encode(&Headers::default());
    assert_eq!(block[2..6], 0xe3c6_a7c2_u32.to_be_bytes());
}

#[test]
fn the_bytes_of_frames_are_those_of_the_draft() {
    let cases: [(Frame, &[u8]); 6] = [
        (Frame::Ping(1), b"\x80\x03\x00\x06\x00\x00\x00\x04\x00\x00\x00\x01"),
        (
            Frame::RstStream { id: 3, status: 5 },
            b"\x80\x03\x00\x03\x00\x00\x00\x08\x00\x00\x00\x03\x00\x00\x00\x05",
        ),
        (
            Frame::GoAway { last: 3, status: 0 },
            b"\x80\x03\x00\x07\x00\x00\x00\x08\x00\x00\x00\x03\x00\x00\x00\x00",
        ),
        (
            Frame::Settings(vec![(7, 65536)]),
            b"\x80\x03\x00\x04\x00\x00\x00\x0c\x00\x00\x00\x01\x00\x00\x00\x07\x00\x01\x00\x00",
        ),
        (
            Frame::WindowUpdate { id: 3, delta: 9 },
            b"\x80\x03\x00\x09\x00\x00\x00\x08\x00\x00\x00\x03\x00\x00\x00\x09",
        ),
        (
            Frame::Data { id: 3, data: Bytes::from_static(b"hi"), fin: true },
            b"\x00\x00\x00\x03\x01\x00\x00\x02hi",
        ),
    ];
    for (frame, bytes) in cases {
        assert_eq!(encoded(std::slice::from_ref(&frame)), bytes, "{frame:?}");
        assert_eq!(decoded(bytes, || 1), Ok(vec![frame]));
    }
}

#[test]
fn control_frames_of_unknown_types_are_passed_over() {
    let mut bytes = b"\x80\x03\x00\x0a\x00\x00\x00\x05abcde".to_vec();
    bytes.extend_from_slice(&encoded(&[Frame::Ping(1)]));
    assert_eq!(decoded(&bytes, || 3), Ok(vec![Frame::Ping(1)]));
}

#[test]
fn invalid_frames_are_refused_with_their_fault() {
    let cases: [(&[u8], &str); 9] = [
        (b"\x80\x02\x00\x06\x00\x00\x00\x04\x00\x00\x00\x01", "a frame has version 2 of SPDY, not 3"),
        (b"\x80\x03\x00\x06\x00\xff\xff\xff", "a control frame is larger than 66560 bytes"),
        (b"\x00\x00\x00\x00\x00\x00\x00\x00", "a data frame has no stream"),
        (
            b"\x80\x03\x00\x03\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00\x00\x05",
            "a control frame has no stream",
        ),
        (b"\x80\x03\x00\x06\x00\x00\x00\x02\x00\x00", "a control frame is too short"),
        (b"\x80\x03\x00\x06\x00\x00\x00\x05\x00\x00\x00\x01\x00", "a control frame is too long"),
        (
            b"\x80\x03\x00\x04\x00\x00\x00\x04\x00\x00\x00\x01",
            "a SETTINGS frame has another length than its settings",
        ),
        (b"\x80\x03\x00\x02\x00\x00\x00\x04\x00\x00\x00\x01", "a header block ends within a header"),
        (b"\x80\x03\x00\x02\x00\x00\x00\x06\x00\x00\x00\x01hi", "a header block cannot be decompressed"),
    ];
    for (bytes, fault) in cases {
        assert_eq!(decoded(bytes, || 4), Err(fault.to_owned()));
    }
}

/// A block of some bytes, compressed without a dictionary.
fn compressed(plain: &[u8]) -> Vec<u8> {
    let mut block = Vec::with_capacity(plain.len() + 1024);
    let mut compress = Compress::new(Compression::best(), true);
    compress.compress_vec(plain, &mut block, FlushCompress::Sync).expect("there is room");
    block
}

#[test]
fn invalid_header_blocks_are_refused_with_their_fault() {
    let pair = |name: &str, value: &str| {
        let length = |text: &str| u32::try_from(text.len()).expect("it is short").to_be_bytes();
        [&length(name)[..], name.as_bytes(), &length(value)[..], value.as_bytes()].concat()
    };
    let block = |count: u32, pairs: &[Vec<u8>]| [&count.to_be_bytes()[..], &pairs.concat()].concat();
    let half = {
        let whole = block(1, &[pair("port", "80")]);
        whole[..whole.len() - 1].to_vec()
    };
    let cases = [
        (half, "a header block ends within a header"),
        (block(2, &[pair("port", "80")]), "a header block ends within a header"),
        (block(u32::MAX, &[]), "a header block has more than 256 headers"),
        (block(1, &[pair("port", "80"), vec![0]]), "a header block goes on after its last header"),
        (block(1, &[pair("Port", "80")]), "a header block has a name that is empty or not in lower case"),
        (block(1, &[pair("", "80")]), "a header block has a name that is empty or not in lower case"),
        (block(2, &[pair("port", "80"), pair("port", "81")]), "a header block has two headers of one name"),
        (vec![0; MAX_BLOCK + 1], "a header block is larger than 65536 bytes"),
        // A bomb: a thousand bytes for each of the block.
        (vec![0; 16 * 1024 * 1024], "a header block is larger than 65536 bytes"),
    ];
    for (plain, fault) in cases {
        let error = HeaderDecoder::new().decode(&compressed(&plain)).expect_err(fault);
        assert_eq!(error.to_string(), fault);
    }
}

#[test]
fn all_blocks_of_a_direction_are_one_zlib_stream() {
    let (mut encoder, mut decoder) = (HeaderEncoder::new(), HeaderDecoder::new());
    let headers: Headers =
        [("streamtype", "error"), ("port", "8080"), ("requestid", "1")].into_iter().collect();
    let sizes: Vec<usize> = (0..3)
        .map(|_| {
            let block = encoder.encode(&headers);
            assert_eq!(decoder.decode(&block).expect("it is valid"), headers);
            block.len()
        })
        .collect();
    assert!(sizes[1] < sizes[0] && sizes[2] < sizes[0], "{sizes:?}");
}

#[test]
fn headers_that_cannot_be_compressed_fit_into_a_control_frame() {
    let mut random = fastrand::Rng::with_seed(1);
    let value: String = std::iter::repeat_with(|| random.alphanumeric()).take(MAX_BLOCK - 100).collect();
    let headers: Headers = [("name", value)].into_iter().collect();
    let frames = vec![Frame::SynReply { id: 1, headers, fin: false }];
    assert_eq!(decoded(&encoded(&frames), || 1000), Ok(frames));
}
