//! [`RawPeer`], a peer of SPDY that sends and reads single frames.

use std::io;

use flate2::{Compress, Compression, FlushCompress};
use klient_streams::Connection;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

pub(crate) const SYN_STREAM: u16 = 1;
pub(crate) const SYN_REPLY: u16 = 2;
pub(crate) const RST_STREAM: u16 = 3;
pub(crate) const SETTINGS: u16 = 4;
pub(crate) const PING: u16 = 6;
pub(crate) const GOAWAY: u16 = 7;
pub(crate) const WINDOW_UPDATE: u16 = 9;

/// A frame as it is on the wire.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum RawFrame {
    Control { kind: u16, flags: u8, payload: Vec<u8> },
    Data { id: u32, flags: u8, data: Vec<u8> },
}

/// A peer that sends and reads single frames, and no others.
pub(crate) struct RawPeer {
    connection: Box<dyn Connection>,
    compress: Compress,
}

impl RawPeer {
    pub(crate) fn new(connection: Box<dyn Connection>) -> Self {
        RawPeer { connection, compress: Compress::new(Compression::default(), true) }
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.try_send(bytes).await.unwrap();
    }

    /// Sends bytes to a peer that may end the connection meanwhile.
    pub(crate) async fn try_send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.connection.write_all(bytes).await?;
        self.connection.flush().await
    }

    pub(crate) async fn control(&mut self, kind: u16, flags: u8, payload: &[u8]) {
        self.send(&control(kind, flags, payload)).await;
    }

    pub(crate) async fn data(&mut self, id: u32, flags: u8, data: &[u8]) {
        let length = u32::try_from(data.len()).unwrap();
        let head = [id.to_be_bytes(), (u32::from(flags) << 24 | length).to_be_bytes()].concat();
        self.send(&[&head, data].concat()).await;
    }

    /// Opens a stream.
    pub(crate) async fn syn_stream(&mut self, id: u32, headers: &[(&str, &str)]) {
        let block = self.block(headers);
        self.control(SYN_STREAM, 0, &[&id.to_be_bytes()[..], &[0; 6], &block].concat()).await;
    }

    /// Accepts a stream.
    pub(crate) async fn syn_reply(&mut self, id: u32) {
        let block = self.block(&[]);
        self.control(SYN_REPLY, 0, &[&id.to_be_bytes()[..], &block].concat()).await;
    }

    /// A header block, compressed without the dictionary.
    pub(crate) fn block(&mut self, headers: &[(&str, &str)]) -> Vec<u8> {
        let number = |number: usize| u32::try_from(number).unwrap().to_be_bytes();
        let mut plain = number(headers.len()).to_vec();
        for text in headers.iter().flat_map(|(name, value)| [name, value]) {
            plain.extend_from_slice(&number(text.len()));
            plain.extend_from_slice(text.as_bytes());
        }
        self.compressed(&plain)
    }

    pub(crate) fn compressed(&mut self, plain: &[u8]) -> Vec<u8> {
        let mut block = Vec::with_capacity(plain.len() + 1024);
        self.compress.compress_vec(plain, &mut block, FlushCompress::Sync).unwrap();
        block
    }

    /// The next frame; none at the end.
    pub(crate) async fn read(&mut self) -> Option<RawFrame> {
        let mut head = [0; 8];
        self.connection.read_exact(&mut head).await.ok()?;
        let (first, second) = head.split_at(4);
        let first = u32::from_be_bytes(first.try_into().unwrap());
        let second = u32::from_be_bytes(second.try_into().unwrap());
        let mut payload = vec![0; usize::try_from(second & 0x00ff_ffff).unwrap()];
        self.connection.read_exact(&mut payload).await.ok()?;
        let flags = second.to_be_bytes()[0];
        Some(if first & 0x8000_0000 == 0 {
            RawFrame::Data { id: first, flags, data: payload }
        } else {
            RawFrame::Control { kind: u16::try_from(first & 0xffff).unwrap(), flags, payload }
        })
    }

    /// The payload of the next control frame of a kind; others and data are passed over.
    pub(crate) async fn read_control(&mut self, wanted: u16) -> Vec<u8> {
        loop {
            match self.read().await.expect("the connection has ended") {
                RawFrame::Control { kind, payload, .. } if kind == wanted => return payload,
                _ => {}
            }
        }
    }

    /// The next data; control frames are passed over.
    pub(crate) async fn read_data(&mut self) -> (u32, u8, Vec<u8>) {
        loop {
            match self.read().await.expect("the connection has ended") {
                RawFrame::Data { id, flags, data } => return (id, flags, data),
                RawFrame::Control { .. } => {}
            }
        }
    }
}

pub(crate) fn control(kind: u16, flags: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap();
    let kind = kind.to_be_bytes();
    [&[0x80, 3], &kind[..], &(u32::from(flags) << 24 | length).to_be_bytes()[..], payload].concat()
}
