//! The wire format of protobuf: tags, varints, and length-delimited bytes.

/// The wire type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WireType {
    Varint = 0,
    Fixed64 = 1,
    Bytes = 2,
    Fixed32 = 5,
}

impl WireType {
    #[inline]
    pub(crate) fn of(number: u8) -> Option<Self> {
        match number {
            0 => Some(WireType::Varint),
            1 => Some(WireType::Fixed64),
            2 => Some(WireType::Bytes),
            5 => Some(WireType::Fixed32),
            _ => None,
        }
    }
}

/// The reason why bytes are not protobuf.
pub(crate) type Problem = &'static str;

pub(crate) const CUT: Problem = "the bytes end in the middle of a field";
pub(crate) const TOO_DEEP: Problem = "structs are nested too deep";
pub(crate) const WRONG_WIRE: Problem = "it is written as another type is";
const OVERLONG: Problem = "a number has more than 64 bits";
const NO_TAG: Problem = "what should be a tag is none";

/// Bytes that are read from the beginning.
#[derive(Clone, Copy)]
pub(crate) struct Input<'a>(pub(crate) &'a [u8]);

impl<'a> Input<'a> {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads a field's number and wire type.
    #[inline]
    pub(crate) fn tag(&mut self) -> Result<(u32, WireType), Problem> {
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).map_err(|_| NO_TAG)?;
        let wire = WireType::of(tag as u8 & 7).ok_or(NO_TAG)?;
        if number == 0 || number > (1 << 29) - 1 {
            return Err(NO_TAG);
        }
        Ok((number, wire))
    }

    #[inline]
    pub(crate) fn varint(&mut self) -> Result<u64, Problem> {
        match self.0 {
            [first, rest @ ..] if *first < 0x80 => {
                self.0 = rest;
                Ok((*first).into())
            }
            _ => self.long_varint(),
        }
    }

    /// Skips a varint, and returns its length in bytes.
    #[inline]
    pub(crate) fn skip_varint(&mut self) -> Result<usize, Problem> {
        if let [first, rest @ ..] = self.0
            && *first < 0x80
        {
            self.0 = rest;
            return Ok(1);
        }
        let last = self.0.iter().take(10).position(|byte| *byte < 0x80);
        match last {
            Some(last) if last < 9 || self.0[last] <= 1 => {
                self.0 = &self.0[last + 1..];
                Ok(last + 1)
            }
            None if self.0.len() < 10 => Err(CUT),
            _ => Err(OVERLONG),
        }
    }

    fn long_varint(&mut self) -> Result<u64, Problem> {
        let mut value = 0;
        for (index, byte) in self.0.iter().enumerate().take(10) {
            // The tenth byte holds one bit only.
            if index == 9 && *byte > 1 {
                return Err(OVERLONG);
            }
            value |= u64::from(byte & 0x7f) << (7 * index);
            if *byte < 0x80 {
                self.0 = &self.0[index + 1..];
                return Ok(value);
            }
        }
        Err(if self.0.len() < 10 { CUT } else { OVERLONG })
    }

    /// The content of a field that must be length-delimited.
    pub(crate) fn length_delimited(&mut self, wire: WireType) -> Result<&'a [u8], Problem> {
        if wire == WireType::Bytes { self.bytes() } else { Err(WRONG_WIRE) }
    }

    /// Reads a length and the bytes behind it.
    #[inline]
    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Problem> {
        let length = usize::try_from(self.varint()?).map_err(|_| CUT)?;
        self.take(length)
    }

    pub(crate) fn fixed64(&mut self) -> Result<u64, Problem> {
        let bytes = self.take(8)?.try_into().map_err(|_| CUT)?;
        Ok(u64::from_le_bytes(bytes))
    }

    #[inline]
    fn take(&mut self, length: usize) -> Result<&'a [u8], Problem> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(CUT)?;
        self.0 = rest;
        Ok(taken)
    }

    /// Skips a value.
    pub(crate) fn skip(&mut self, wire: WireType) -> Result<(), Problem> {
        match wire {
            WireType::Varint => self.varint().map(drop),
            WireType::Fixed64 => self.take(8).map(drop),
            WireType::Bytes => self.bytes().map(drop),
            WireType::Fixed32 => self.take(4).map(drop),
        }
    }

    /// The number of adjacent values with this tag, of which the first has had its tag read.
    pub(crate) fn run(&self, number: u32) -> usize {
        let mut ahead = *self;
        let mut length = 0;
        loop {
            if ahead.bytes().is_err() {
                return length.max(1);
            }
            length += 1;
            if ahead.tag().ok() != Some((number, WireType::Bytes)) {
                return length;
            }
        }
    }
}

/// Bytes that are written from the end, so that the length of a content is known when its tag is written.
#[derive(Debug, Default)]
pub(crate) struct Output {
    buffer: Vec<u8>,
    start: usize,
}

impl Output {
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Output { buffer: vec![0; capacity], start: capacity }
    }

    /// The number of bytes written.
    pub(crate) fn len(&self) -> usize {
        self.buffer.len() - self.start
    }

    pub(crate) fn written(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    #[inline]
    pub(crate) fn prepend(&mut self, bytes: &[u8]) {
        if self.start < bytes.len() {
            self.grow(bytes.len());
        }
        self.start -= bytes.len();
        self.buffer[self.start..self.start + bytes.len()].copy_from_slice(bytes);
    }

    #[cold]
    fn grow(&mut self, more: usize) {
        let length = (self.buffer.len() * 2).max(self.len() + more).max(256);
        let mut longer = vec![0; length];
        let start = length - self.len();
        longer[start..].copy_from_slice(self.written());
        self.buffer = longer;
        self.start = start;
    }

    #[inline]
    pub(crate) fn varint(&mut self, value: u64) {
        if value < 0x80 {
            return self.prepend(&[value as u8]);
        }
        let (bytes, length) = varint(value);
        self.prepend(&bytes[..length]);
    }

    #[inline]
    pub(crate) fn tag(&mut self, number: u32, wire: WireType) {
        self.varint(u64::from(number) << 3 | wire as u64);
    }

    /// Writes a field with a number.
    #[inline]
    pub(crate) fn number(&mut self, number: u32, value: i64) {
        self.varint(value as u64);
        self.tag(number, WireType::Varint);
    }

    /// Writes a field with bytes.
    #[inline]
    pub(crate) fn bytes(&mut self, number: u32, bytes: &[u8]) {
        self.prepend(bytes);
        self.head(number, bytes.len());
    }

    /// Writes the tag and length of a field whose content was written since there were `before` bytes.
    #[inline]
    pub(crate) fn close(&mut self, number: u32, before: usize) {
        self.head(number, self.len() - before);
    }

    /// Writes the tag and length before `length` bytes.
    pub(crate) fn head(&mut self, number: u32, length: usize) {
        self.varint(length as u64);
        self.tag(number, WireType::Bytes);
    }
}

/// A varint, and its length in bytes.
pub(crate) fn varint(mut value: u64) -> ([u8; 10], usize) {
    let mut bytes = [0; 10];
    let mut length = 0;
    while value >= 0x80 {
        bytes[length] = value as u8 | 0x80;
        value >>= 7;
        length += 1;
    }
    bytes[length] = value as u8;
    (bytes, length + 1)
}
