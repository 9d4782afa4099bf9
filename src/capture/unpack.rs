//! From bytes as they lie in a file to plain UTF-8: decompression, byte order marks, UTF-16, and the bound on it all.
//!
//! Nothing is known here about records. Everything streams.

use std::io::{self, Read};

use flate2::read::MultiGzDecoder;

/// Most bytes of one capture, after decompression: a hundred thousand sessions take about 40 MiB a snapshot, so this
/// is some two hundred snapshots of them; a file that unpacks to more is a mistake or an attack.
pub const SOURCE_MAX: u64 = 8 << 30;

/// Bytes converted from UTF-16 at once.
const UTF_16_BLOCK: usize = 32 << 10;

/// Opens a source: unpacks gzip and Zstandard, then decodes.
pub(super) fn open<'a>(source: impl Read + 'a) -> io::Result<Box<dyn Read + 'a>> {
    let (magic, source) = peek(source, 4)?;
    let plain: Box<dyn Read + 'a> = match *magic {
        [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(source)),
        [0x28, 0xb5, 0x2f, 0xfd] => Box::new(zstd::stream::read::Decoder::new(source)?),
        _ => Box::new(source),
    };
    decode(Bounded { source: plain, left: SOURCE_MAX })
}

fn decode<'a>(source: impl Read + 'a) -> io::Result<Box<dyn Read + 'a>> {
    let (mark, source) = peek(source, 3)?;
    Ok(match *mark {
        [0xff, 0xfe, ..] => Box::new(Utf16::new(source, u16::from_le_bytes)),
        [0xfe, 0xff, ..] => Box::new(Utf16::new(source, u16::from_be_bytes)),
        [0xef, 0xbb, 0xbf] => {
            let mut source = source;
            source.read_exact(&mut [0; 3])?;
            Box::new(source)
        }
        _ => Box::new(source),
    })
}

/// The first bytes of a source, and the source with them still in it.
pub(super) fn peek<R: Read>(mut source: R, bytes: usize) -> io::Result<(Vec<u8>, Whole<R>)> {
    let mut head = Vec::with_capacity(bytes);
    source.by_ref().take(bytes as u64).read_to_end(&mut head)?;
    let whole = io::Cursor::new(head.clone()).chain(source);
    Ok((head, whole))
}

/// A source whose beginning was looked at.
pub(super) type Whole<R> = io::Chain<io::Cursor<Vec<u8>>, R>;

/// Ends in an error, not in silence, where a source goes on beyond its bound.
struct Bounded<R> {
    source: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(into)?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| {
            io::Error::other(format!("it holds more than {} GiB when unpacked", SOURCE_MAX >> 30))
        })?;
        Ok(read)
    }
}

/// UTF-16 to UTF-8. A surrogate without its other half becomes a byte that is not UTF-8, so that its row is reported
/// like any other broken text.
struct Utf16<R> {
    source: R,
    unit: fn([u8; 2]) -> u16,
    decoded: Vec<u8>,
    /// How much of `decoded` was handed out.
    given: usize,
    /// The first half of a pair, or the first byte of a unit, that ended the last block.
    byte: Option<u8>,
    high: Option<u16>,
    at_start: bool,
}

impl<R: Read> Utf16<R> {
    fn new(source: R, unit: fn([u8; 2]) -> u16) -> Self {
        Self { source, unit, decoded: Vec::new(), given: 0, byte: None, high: None, at_start: true }
    }

    fn refill(&mut self) -> io::Result<()> {
        self.decoded.clear();
        self.given = 0;
        let mut block = Vec::with_capacity(UTF_16_BLOCK + 1);
        block.extend(self.byte.take());
        let read = self.source.by_ref().take(UTF_16_BLOCK as u64).read_to_end(&mut block)?;
        let units = block.chunks_exact(2).map(|pair| (self.unit)([pair[0], pair[1]]));
        let mut units: Vec<u16> = self.high.take().into_iter().chain(units).collect();
        let at_end = read == 0;
        if !at_end {
            self.byte = block.chunks_exact(2).remainder().first().copied();
            self.high = units.pop_if(|unit| (0xd800..0xdc00).contains(unit));
        }
        for decoded in char::decode_utf16(units) {
            match decoded {
                Ok('\u{feff}') if self.at_start => {}
                Ok(char) => {
                    self.decoded.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
                }
                Err(_) => self.decoded.push(0xff),
            }
            self.at_start = false;
        }
        if at_end && !block.is_empty() {
            self.decoded.push(0xff);
        }
        Ok(())
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        // Twice: the first block may hold nothing but the mark, and an end is only an end when asked again.
        for _ in 0..2 {
            if self.given == self.decoded.len() {
                self.refill()?;
            }
        }
        let ready = &self.decoded[self.given..];
        let count = ready.len().min(into.len());
        into[..count].copy_from_slice(&ready[..count]);
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::{Bounded, SOURCE_MAX, open};

    fn decoded(bytes: &[u8]) -> Vec<u8> {
        let mut text = Vec::new();
        open(bytes)
            .and_then(|mut source| source.read_to_end(&mut text))
            .expect("memory can be read");
        text
    }

    #[test]
    fn utf_16_is_decoded_across_blocks() {
        let text = "SID,SERIAL#\r\n𝄞é\n".repeat(9_000);
        let units = || std::iter::once(0xfeff).chain(text.encode_utf16());
        let little: Vec<u8> = units().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = units().flat_map(u16::to_be_bytes).collect();
        assert!(decoded(&little) == text.as_bytes());
        assert!(decoded(&big) == text.as_bytes());
        assert_eq!(decoded(&little[..2]), b"");
        // Half a unit, and half a pair.
        assert_eq!(decoded(b"\xff\xfeA\0B"), b"A\xff");
        assert_eq!(decoded(b"\xff\xfe\x34\xd8"), b"\xff");
    }

    #[test]
    fn a_source_beyond_its_bound_is_an_error() {
        let mut source = Bounded { source: std::io::repeat(b'x'), left: 1_000 };
        let error = source.read_to_end(&mut Vec::new()).expect_err("it never ends");
        assert_eq!(
            error.to_string(),
            format!("it holds more than {} GiB when unpacked", SOURCE_MAX >> 30)
        );
    }
}
