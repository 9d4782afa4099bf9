//! What both sides agree on before the log-on: versions, character sets, capabilities, the form of every data type.

use super::codec::{Reader, Unreadable, Writer};
use crate::conversation::Release;

/// AL32UTF8.
pub(super) const CHARSET: u16 = 873;

/// How a release shows itself on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Profile {
    /// The version of Oracle Net.
    pub(super) version: u16,
    /// The flags of ACCEPT.
    pub(super) accept_flags: u32,
    /// The version of the fields of messages.
    pub(super) fields: u8,
}

/// The log-on may come in one packet, together with the negotiation.
const FAST_AUTH: u32 = 0x1000_0000;
/// The end of each answer is marked.
const END_OF_RESPONSE: u32 = 0x0200_0000;

impl Profile {
    /// As the release negotiates.
    pub(super) const fn of(release: Release) -> Self {
        let (version, accept_flags, fields) = match release {
            Release::R11_2 => (314, 0, 6),
            Release::R12_1 => (315, 0, 7),
            Release::R12_2 => (316, 0, 9),
            Release::R19 => (318, 0, 13),
            Release::R23 => (319, FAST_AUTH | END_OF_RESPONSE, 24),
        };
        Self { version, accept_flags, fields }
    }
}

/// True if these flags of ACCEPT promise to mark the end of each answer.
pub(super) const fn marks_end_of_response(accept_flags: u32) -> bool {
    accept_flags & END_OF_RESPONSE != 0
}

/// Where the capabilities of compilation hold the version of the fields.
const FIELDS: usize = 7;

/// The capabilities of compilation, as a 12.1 client announces them itself.
const COMPILE: [u8; 40] = [
    0x06, 0x01, 0x01, 0x01, 0x2f, 0x01, 0x01, 0x00, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x7f,
    0xff, 0x03, 0x0b, 0x03, 0x03, 0x01, 0x01, 0xff, 0x01, 0xff, 0xff, 0x01, 0x0a, 0x01, 0x01, 0xff,
    0x01, 0x06, 0x09, 0x60, 0x01, 0x7f, 0x04, 0x00,
];
/// How many of them newer clients look at.
const COMPILE_LENGTH: usize = 55;
/// Byte 40: the newest clients look at it without asking how many there are.
const COMPILE_40: u8 = 4;
/// The capabilities at run time: strings of 32 KB, no time zone data.
const RUNTIME: [u8; 11] = [2, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0];

/// The bounds of what a client may announce.
const NAME_BYTES_MAX: usize = 256;
const TYPES_MAX: usize = 2_048;
const CHOICES_MAX: usize = 16;

/// How a client reads answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Habits {
    /// It fetches again when it got fewer rows than it asked for, and reads an answer again from its beginning with
    /// each packet of it: short answers are best. Other clients take fewer rows for the end.
    pub(super) likes_short_answers: bool,
    /// It is a driver without a client library, and reads warnings at log-on.
    pub(super) thin: bool,
}

/// Reads the protocol message behind its first byte.
pub(super) fn read_protocol(reader: &mut Reader<'_>) -> Result<Habits, Unreadable> {
    reader.zero_terminated(NAME_BYTES_MAX)?;
    let name = reader.zero_terminated(NAME_BYTES_MAX)?;
    let known = [&b"rust-oracledb"[..], b"python-oracledb"];
    let likes_short_answers = known.iter().any(|known| name.starts_with(known));
    let thin = likes_short_answers || name.starts_with(b"node-oracledb");
    Ok(Habits { likes_short_answers, thin })
}

/// Answers it. The banner must not be the one of the client's own platform, or an OCI client goes over to its machine's
/// own representation.
pub(super) fn write_protocol(to: &mut Writer, fields: u8) {
    /// Which version of the protocol.
    const VERSION: u8 = 6;
    /// Eleven bytes of which the last two are the national character set, AL16UTF16.
    const FDO: [u8; 11] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0x07, 0xd0];
    to.raw(&[1, VERSION, 0]);
    to.raw(b"rac-sim\0");
    to.u16_le(CHARSET);
    to.u8(1);
    to.u16_le(0);
    to.u16_be(11);
    to.raw(&FDO);
    to.counted(&compile(fields));
    to.counted(&RUNTIME);
}

fn compile(fields: u8) -> [u8; COMPILE_LENGTH] {
    let mut all = [0; COMPILE_LENGTH];
    all[..COMPILE.len()].copy_from_slice(&COMPILE);
    all[FIELDS] = fields;
    all[COMPILE.len()] = COMPILE_40;
    all
}

/// What a data types message asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DataTypes {
    /// The version of the fields that the client knows.
    pub(super) fields: u8,
    types: Vec<DataType>,
}

/// A type, with the conversions and representations that the client offers for it, best first.
#[derive(Debug, Clone, PartialEq, Eq)]
struct DataType {
    code: u16,
    choices: Vec<(u16, u16)>,
}

/// Reads the data types message behind its first byte.
pub(super) fn read_data_types(reader: &mut Reader<'_>) -> Result<DataTypes, Unreadable> {
    /// The flag by which an OCI client announces its national character set.
    const NATIONAL: u8 = 0x80;
    /// The runtime capability of time zone data, in byte 1.
    const TIME_ZONES: u8 = 1;
    reader.skip(4)?;
    let flags = reader.u8()?;
    let compile = reader.counted()?;
    let runtime = reader.counted()?;
    if flags & NATIONAL != 0 {
        reader.skip(2)?;
    }
    if runtime.get(1).is_some_and(|byte| byte & TIME_ZONES != 0) {
        skip_time_zone(reader)?;
    }
    let mut types = Vec::new();
    loop {
        let code = reader.u16_be()?;
        if code == 0 {
            break;
        }
        if types.len() == TYPES_MAX {
            return Err(Unreadable::Wrong("too many data types"));
        }
        types.push(DataType { code, choices: read_choices(reader)? });
    }
    Ok(DataTypes { fields: compile.get(FIELDS).copied().unwrap_or(0), types })
}

/// One client announces a time zone here, which begins with a byte that no type's number begins with.
fn skip_time_zone(reader: &mut Reader<'_>) -> Result<(), Unreadable> {
    const FIRST: u8 = 0x80;
    const LENGTH: usize = 11;
    if reader.peek()? == FIRST { reader.skip(LENGTH) } else { Ok(()) }
}

fn read_choices(reader: &mut Reader<'_>) -> Result<Vec<(u16, u16)>, Unreadable> {
    let mut choices = Vec::new();
    loop {
        let conversion = reader.u16_be()?;
        if conversion == 0 {
            return Ok(choices);
        }
        if choices.len() == CHOICES_MAX {
            return Err(Unreadable::Wrong("too many representations of a data type"));
        }
        choices.push((conversion, reader.u16_be()?));
    }
}

/// Answers it: machine integers in the form that does not depend on a machine, everything else as the client likes it
/// best.
pub(super) fn write_data_types(to: &mut Writer, asked: &DataTypes) {
    to.u8(2);
    for asked in &asked.types {
        to.u16_be(asked.code);
        if let Some((conversion, representation)) = asked.choose() {
            to.u16_be(conversion);
            to.u16_be(representation);
        }
        to.u16_be(0);
    }
    to.u16_be(0);
}

impl DataType {
    fn choose(&self) -> Option<(u16, u16)> {
        /// UB2 UB4, SB2 SB4 SWORD UWORD PTRB PTRW.
        const INTEGERS: [u16; 8] = [25, 26, 28, 29, 30, 31, 32, 33];
        const UNIVERSAL: u16 = 1;
        /// SB1, a plain byte: anything else breaks every error message of an OCI client.
        const BYTE: (u16, (u16, u16)) = (27, (27, 10));
        let wanted = |choice: &&(u16, u16)| {
            (INTEGERS.contains(&self.code) && choice.1 == UNIVERSAL)
                || (self.code == BYTE.0 && **choice == BYTE.1)
        };
        self.choices.iter().find(wanted).or(self.choices.first()).copied()
    }
}

/// Reads the message that has the negotiation and the first part of the log-on in one, behind its first byte. What
/// follows is the function of the first part.
pub(super) fn read_fast(reader: &mut Reader<'_>) -> Result<(Habits, DataTypes), Unreadable> {
    const PROTOCOL: u8 = 1;
    const DATA_TYPES: u8 = 2;
    reader.skip(3)?;
    if reader.u8()? != PROTOCOL {
        return Err(Unreadable::Wrong("a fast log-on without a protocol"));
    }
    let habits = read_protocol(reader)?;
    reader.skip(6)?;
    if reader.u8()? != DATA_TYPES {
        return Err(Unreadable::Wrong("a fast log-on without data types"));
    }
    Ok((habits, read_data_types(reader)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data_types(types: &[u16]) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.raw(&[0; 4]);
        writer.u8(3);
        writer.counted(&[0, 0, 0, 0, 0, 0, 0, 13]);
        writer.counted(&[2, 0]);
        for number in types {
            writer.u16_be(*number);
        }
        writer.into_bytes()
    }

    #[test]
    fn integers_become_universal_and_a_small_one_a_byte() {
        let bytes =
            data_types(&[25, 25, 12, 25, 1, 0, 27, 27, 1, 27, 10, 0, 2, 2, 5, 2, 1, 0, 13, 0, 0]);
        let asked = read_data_types(&mut Reader::new(&bytes)).expect("readable");
        assert_eq!(asked.fields, 13);
        let chosen: Vec<_> = asked.types.iter().map(DataType::choose).collect();
        assert_eq!(chosen, [Some((25, 1)), Some((27, 10)), Some((2, 5)), None]);
        for length in 0..bytes.len() {
            assert_eq!(read_data_types(&mut Reader::new(&bytes[..length])), Err(Unreadable::Short));
        }
    }

    #[test]
    fn a_list_without_an_end_is_refused() {
        let bytes = data_types(&vec![1; 20_000]);
        assert!(matches!(read_data_types(&mut Reader::new(&bytes)), Err(Unreadable::Wrong(_))));
    }
}
