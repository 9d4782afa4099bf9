//! The primitives of messages, read and written: whole numbers of variable length, counted bytes, text.

use std::borrow::Cow;

/// Why bytes cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// They end too early; more may be on their way.
    Short,
    /// They are wrong, whatever comes after them.
    Wrong(&'static str),
}

/// The longest value that a client may send: a bind or the text of a statement.
pub(super) const VALUE_BYTES_MAX: usize = 4 * 1_024 * 1_024;
/// The longest value in the plain form of counted bytes.
const PLAIN_MAX: usize = 252;
/// What a chunk of longer values holds.
const CHUNK_BYTES: usize = 32_767;
/// Counted bytes: no value, as a client marks a bind that it only reads.
const NO_VALUE: u8 = 253;
const CHUNKED: u8 = 254;
const NULL: u8 = 255;

/// Reads from the front of a message.
#[derive(Debug, Clone)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    lost: bool,
    whole: bool,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, lost: false, whole: false }
    }

    /// The same of what ends in a packet with room left: nothing of a message that begins in it is still to come.
    pub(super) const fn new_whole(bytes: &'a [u8]) -> Self {
        Self { whole: true, ..Self::new(bytes) }
    }

    /// True where nothing is left, and nothing more is to come.
    pub(super) const fn is_at_end(&self) -> bool {
        self.whole && self.rest.is_empty()
    }

    /// Where the message ends is not known: all that has come belongs to it, and perhaps more that has not.
    pub(super) const fn lose(&mut self) {
        self.lost = true;
        self.rest = &[];
    }

    /// True if the end of the message is not known.
    pub(super) const fn is_lost(&self) -> bool {
        self.lost
    }

    /// How many bytes are left.
    pub(super) const fn left(&self) -> usize {
        self.rest.len()
    }

    /// The next byte, which stays.
    pub(super) fn peek(&self) -> Result<u8, Unreadable> {
        self.rest.first().copied().ok_or(Unreadable::Short)
    }

    pub(super) fn u8(&mut self) -> Result<u8, Unreadable> {
        let (first, rest) = self.rest.split_first().ok_or(Unreadable::Short)?;
        self.rest = rest;
        Ok(*first)
    }

    pub(super) fn u16_be(&mut self) -> Result<u16, Unreadable> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    pub(super) fn u32_be(&mut self) -> Result<u32, Unreadable> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Unreadable> {
        let (first, rest) = self.rest.split_first_chunk().ok_or(Unreadable::Short)?;
        self.rest = rest;
        Ok(*first)
    }

    pub(super) fn bytes(&mut self, count: usize) -> Result<&'a [u8], Unreadable> {
        if count > VALUE_BYTES_MAX {
            return Err(Unreadable::Wrong("a value that is too long"));
        }
        let (first, rest) = self.rest.split_at_checked(count).ok_or(Unreadable::Short)?;
        self.rest = rest;
        Ok(first)
    }

    pub(super) fn skip(&mut self, count: usize) -> Result<(), Unreadable> {
        self.bytes(count).map(drop)
    }

    /// A whole number of variable length; the sign is dropped, since no request means a negative one.
    pub(super) fn ub8(&mut self) -> Result<u64, Unreadable> {
        let count = usize::from(self.u8()? & 0x7f);
        if count > 8 {
            return Err(Unreadable::Wrong("a number of more than eight bytes"));
        }
        Ok(self.bytes(count)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    pub(super) fn ub4(&mut self) -> Result<u32, Unreadable> {
        u32::try_from(self.ub8()?)
            .map_err(|_| Unreadable::Wrong("a number of more than four bytes"))
    }

    pub(super) fn ub2(&mut self) -> Result<u16, Unreadable> {
        u16::try_from(self.ub8()?).map_err(|_| Unreadable::Wrong("a number of more than two bytes"))
    }

    /// A count of things of which each takes at least one byte.
    pub(super) fn count(&mut self, max: usize) -> Result<usize, Unreadable> {
        let count = usize::try_from(self.ub4()?).unwrap_or(usize::MAX);
        if count > max { Err(Unreadable::Wrong("a count that is too large")) } else { Ok(count) }
    }

    /// Passes over whole numbers of variable length.
    pub(super) fn skip_ub(&mut self, count: usize) -> Result<(), Unreadable> {
        (0..count).try_for_each(|_| self.ub8().map(drop))
    }

    /// Counted bytes; empty for NULL.
    pub(super) fn counted(&mut self) -> Result<Cow<'a, [u8]>, Unreadable> {
        match self.u8()? {
            NULL => Ok(Cow::default()),
            NO_VALUE => self.u8().map(|_| Cow::default()),
            CHUNKED => self.chunks().map(Cow::Owned),
            length => self.bytes(length.into()).map(Cow::Borrowed),
        }
    }

    fn chunks(&mut self) -> Result<Vec<u8>, Unreadable> {
        let mut all = Vec::new();
        loop {
            let length = usize::try_from(self.ub4()?).unwrap_or(usize::MAX);
            if length == 0 {
                return Ok(all);
            }
            let chunk = self.bytes(length)?;
            if all.len() + chunk.len() > VALUE_BYTES_MAX {
                return Err(Unreadable::Wrong("a value that is too long"));
            }
            all.extend_from_slice(chunk);
        }
    }

    /// Counted bytes behind their length; empty for none.
    pub(super) fn long_counted(&mut self) -> Result<Cow<'a, [u8]>, Unreadable> {
        if self.ub4()? == 0 { Ok(Cow::default()) } else { self.counted() }
    }

    /// Counted text behind its length, without the NUL that some clients end it with.
    pub(super) fn long_text(&mut self) -> Result<String, Unreadable> {
        self.long_counted().map(|bytes| text(&bytes))
    }

    /// Everything up to a NUL, which is passed over.
    pub(super) fn zero_terminated(&mut self, max: usize) -> Result<&'a [u8], Unreadable> {
        let Some(end) = self.rest.iter().position(|byte| *byte == 0) else {
            let endless = self.rest.len() > max;
            return Err(if endless {
                Unreadable::Wrong("a text without an end")
            } else {
                Unreadable::Short
            });
        };
        let found = self.bytes(end)?;
        self.skip(1)?;
        Ok(found)
    }
}

/// Text without the NUL that some clients end it with.
pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.strip_suffix(&[0]).unwrap_or(bytes)).into_owned()
}

/// Digits to the base of 16, in upper case, on which one client insists.
pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    let digit = |number: u8| DIGITS[usize::from(number)];
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Writes a message.
#[derive(Debug, Default)]
pub(super) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// What was written so far, to be taken away from the front.
    pub(super) fn bytes_mut(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    pub(super) fn u8(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(super) fn u16_be(&mut self, number: u16) {
        self.raw(&number.to_be_bytes());
    }

    pub(super) fn u16_le(&mut self, number: u16) {
        self.raw(&number.to_le_bytes());
    }

    /// A whole number in as few bytes as it takes.
    pub(super) fn ub(&mut self, number: impl Into<u64>) {
        let bytes = number.into().to_be_bytes();
        let leading = bytes.iter().take_while(|byte| **byte == 0).count();
        // At most eight.
        self.u8((bytes.len() - leading).to_le_bytes()[0]);
        self.raw(&bytes[leading..]);
    }

    /// So many zeros, each as a whole number of variable length or as a byte, which look alike.
    pub(super) fn zeros(&mut self, count: usize) {
        self.bytes.resize(self.bytes.len() + count, 0);
    }

    /// Counted bytes. Empty is NULL.
    pub(super) fn counted(&mut self, bytes: &[u8]) {
        if let Ok(length) = u8::try_from(bytes.len())
            && bytes.len() <= PLAIN_MAX
        {
            self.u8(length);
            return self.raw(bytes);
        }
        self.u8(CHUNKED);
        for chunk in bytes.chunks(CHUNK_BYTES) {
            self.ub(chunk.len() as u64);
            self.raw(chunk);
        }
        self.u8(0);
    }

    /// Counted bytes behind their length.
    pub(super) fn long_counted(&mut self, bytes: &[u8]) {
        self.ub(bytes.len() as u64);
        if !bytes.is_empty() {
            self.counted(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl Fn(&mut Writer)) -> Vec<u8> {
        let mut writer = Writer::new();
        write(&mut writer);
        writer.into_bytes()
    }

    #[test]
    fn whole_numbers_take_as_few_bytes_as_they_need() {
        assert_eq!(written(|to| to.ub(0_u32)), [0]);
        assert_eq!(written(|to| to.ub(100_u32)), [1, 100]);
        assert_eq!(written(|to| to.ub(0x0102_0304_u32)), [4, 1, 2, 3, 4]);
        for number in [0, 1, 255, 256, 65_536, u64::from(u32::MAX), u64::MAX] {
            let bytes = written(|to| to.ub(number));
            assert_eq!(Reader::new(&bytes).ub8(), Ok(number));
        }
        assert!(matches!(Reader::new(&[9; 12]).ub8(), Err(Unreadable::Wrong(_))));
        assert_eq!(Reader::new(&[4, 1]).ub8(), Err(Unreadable::Short));
    }

    #[test]
    fn counted_bytes_come_back_at_every_length() {
        for length in [0, 1, 252, 253, 254, 255, 32_767, 32_768, 100_000] {
            let value = vec![7; length];
            let bytes = written(|to| to.counted(&value));
            let mut reader = Reader::new(&bytes);
            assert_eq!(reader.counted().expect("readable").as_ref(), value, "{length}");
            assert_eq!(reader.left(), 0);
            assert_eq!(Reader::new(&bytes[..bytes.len() - 1]).counted(), Err(Unreadable::Short));
        }
    }

    #[test]
    fn a_length_of_four_gigabytes_is_refused_at_once() {
        assert!(matches!(
            Reader::new(&[254, 4, 255, 255, 255, 255]).counted(),
            Err(Unreadable::Wrong(_))
        ));
    }

    #[test]
    fn the_placeholder_of_an_out_bind_is_null() {
        assert_eq!(Reader::new(&[253, 1]).counted().expect("readable").as_ref(), b"");
        assert_eq!(Reader::new(&[255]).counted().expect("readable").as_ref(), b"");
    }
}
