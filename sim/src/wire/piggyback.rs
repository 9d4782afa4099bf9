//! What comes along with a request and has no answer of its own: cursors to close, tags, the schema, the beginning of a
//! pipeline.

use super::codec::{Reader, Unreadable, text};
use super::request::{Header, read_header};
use crate::conversation::Tags;
use crate::ora::OraError;

/// The most cursors that are closed at once.
const CLOSED_MAX: usize = 65_535;
/// The most attributes of an application context that are set at once.
const ATTRIBUTES_MAX: usize = 1_024;

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piggyback {
    Close(Vec<u16>),
    /// Cursors whose rows nobody wants any more; their statements may be run again.
    Cancel(Vec<u16>),
    Tag(Tags),
    /// The schema for names without one.
    Schema(String),
    /// A pipeline begins: whether it goes on behind an operation that fails.
    Pipeline(AfterError),
    /// It was read, but it asks for something that is not there.
    Refused(OraError),
    /// Nothing that matters here.
    Other,
}

/// What becomes of a pipeline behind an operation that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AfterError {
    GoOn,
    Stop,
}

/// Reads one behind the byte that announces it.
pub(super) fn read(reader: &mut Reader<'_>, fields: u8) -> Result<Piggyback, Unreadable> {
    let Header { code, .. } = read_header(reader, fields)?;
    match code {
        105 => read_cursors(reader).map(Piggyback::Close),
        120 => read_cursors(reader).map(Piggyback::Cancel),
        135 => read_tags(reader, fields).map(Piggyback::Tag),
        107 => reader.skip_ub(3).map(|()| Piggyback::Other),
        176 => reader.skip_ub(1).map(|()| Piggyback::Other),
        152 => {
            reader.skip(1)?;
            reader.long_text().map(Piggyback::Schema)
        }
        154 => read_context(reader),
        199 => read_pipeline(reader).map(Piggyback::Pipeline),
        _ => Err(Unreadable::Wrong("an unknown piggyback")),
    }
}

fn read_cursors(reader: &mut Reader<'_>) -> Result<Vec<u16>, Unreadable> {
    reader.skip(1)?;
    let count = reader.count(CLOSED_MAX)?;
    (0..count).map(|_| reader.ub2()).collect()
}

/// Attributes of an application context, of which there are none here.
fn read_context(reader: &mut Reader<'_>) -> Result<Piggyback, Unreadable> {
    reader.skip(1)?;
    let named = reader.ub4()? > 0;
    reader.skip(1)?;
    let count = reader.count(ATTRIBUTES_MAX)?;
    reader.skip_ub(1)?;
    reader.skip(1)?;
    let namespace = if named { text(&reader.counted()?) } else { String::new() };
    for _ in 0..count {
        reader.long_counted()?;
        reader.long_counted()?;
        reader.skip_ub(1)?;
    }
    let why = format!("unimplemented feature: the application context {namespace}");
    Ok(Piggyback::Refused(OraError::new(3_001, why)))
}

fn read_pipeline(reader: &mut Reader<'_>) -> Result<AfterError, Unreadable> {
    const GO_ON: u8 = 1;
    reader.skip_ub(1)?;
    reader.skip(1)?;
    Ok(if reader.u8()? == GO_ON { AfterError::GoOn } else { AfterError::Stop })
}

fn read_tags(reader: &mut Reader<'_>, fields: u8) -> Result<Tags, Unreadable> {
    const CLIENT_IDENTIFIER: u32 = 0x01;
    const MODULE: u32 = 0x08;
    const ACTION: u32 = 0x10;
    const ECID: u32 = 0x20;
    const CLIENT_INFO: u32 = 0x100;
    const OPERATION: u32 = 0x200;
    reader.skip(2)?;
    let flags = reader.ub4()?;
    let length = |reader: &mut Reader<'_>| Ok((reader.u8()? != 0, reader.ub4()?));
    let [identifier, module, action] = [length(reader)?, length(reader)?, length(reader)?];
    let ecid = length(reader)?;
    length(reader)?;
    let info = length(reader)?;
    length(reader)?;
    length(reader)?;
    let operation = if fields >= 7 { length(reader)? } else { (false, 0) };
    let mut take = |flag: u32, (set, length): (bool, u32)| -> Result<Option<String>, Unreadable> {
        // Of an empty text one client sends the count and others nothing; nothing else begins with a zero here.
        let sent = length > 0 || (set && reader.peek()? == 0);
        let bytes = if sent { reader.counted()? } else { Vec::new().into() };
        Ok((flags & flag != 0).then(|| text(&bytes)))
    };
    Ok(Tags {
        client_identifier: take(CLIENT_IDENTIFIER, identifier)?,
        module: take(MODULE, module)?,
        action: take(ACTION, action)?,
        ecid: take(ECID, ecid)?,
        client_info: take(CLIENT_INFO, info)?,
        operation: take(OPERATION, operation)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(bytes: &[u8], fields: u8) -> Result<Piggyback, Unreadable> {
        let mut reader = Reader::new(bytes);
        let found = read(&mut reader, fields);
        assert!(found.is_err() || reader.left() == 0, "{} bytes are left", reader.left());
        found
    }

    #[test]
    fn an_emptied_tag_is_read_with_and_without_its_count() {
        let emptied = Tags { module: Some(String::new()), ..Tags::default() };
        for count in [&[0][..], &[]] {
            let mut bytes = vec![135, 1, 0, 0, 1, 8, 0, 0, 1, 0];
            bytes.extend([0; 14]);
            bytes.extend(count);
            bytes.extend([3, 147, 2]);
            let mut reader = Reader::new(&bytes);
            assert_eq!(read(&mut reader, 13), Ok(Piggyback::Tag(emptied.clone())));
            assert_eq!(reader.left(), 3);
        }
    }

    #[test]
    fn every_tag_is_read_from_its_place() {
        // Identifier, module, action, ECID, (nothing), client info, (nothing twice), operation.
        let mut bytes = vec![135, 1, 0, 0, 2, 3, 0x39];
        bytes.extend([1, 1, 1].repeat(4));
        bytes.extend([0, 0, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1]);
        bytes.extend([1, b'i', 1, b'm', 1, b'a', 1, b'e', 1, b'c', 1, b'o']);
        let text = |text: &str| Some(text.to_owned());
        let tags = Tags {
            client_identifier: text("i"),
            module: text("m"),
            action: text("a"),
            ecid: text("e"),
            client_info: text("c"),
            operation: text("o"),
        };
        assert_eq!(read_all(&bytes, 13), Ok(Piggyback::Tag(tags)));
        for length in 0..bytes.len() {
            assert_eq!(read_all(&bytes[..length], 13), Err(Unreadable::Short), "{length}");
        }
    }

    #[test]
    fn a_pipeline_says_what_an_error_does() {
        for (mode, after) in [(1, AfterError::GoOn), (2, AfterError::Stop)] {
            let bytes = [199, 1, 1, 1, 0, 0, mode];
            assert_eq!(read_all(&bytes, 24), Ok(Piggyback::Pipeline(after)));
        }
    }

    #[test]
    fn an_application_context_is_refused_but_read() {
        let bytes = [154, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, b'n', 1, 1, 1, b'k', 1, 1, 1, b'v', 0];
        assert!(matches!(read_all(&bytes, 13), Ok(Piggyback::Refused(_))));
    }
}
