//! The first packets: what a client connects to, and whether it may.

use super::codec::{Reader, Unreadable};
use super::negotiate::Profile;
use super::packet::FIRST_PACKET_MAX;
use crate::conversation::Destination;

/// The longest connect descriptor.
pub(super) const DESCRIPTOR_BYTES_MAX: usize = FIRST_PACKET_MAX;
/// The smallest packets that a client may ask for.
const SDU_MIN: u32 = 512;
/// The largest that it gets.
const SDU_MAX: u32 = 65_535;
/// From this version on ACCEPT and later packets have lengths of four bytes.
pub(super) const VERSION_WIDE: u16 = 315;
/// The offset from which on a CONNECT carries the large sizes.
const OFFSET_WITH_LARGE_SIZES: u16 = 66;
/// The header that offsets within a packet count.
const HEADER: usize = 8;

/// What a CONNECT packet asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Connect {
    pub(super) version: u16,
    pub(super) version_min: u16,
    pub(super) sdu: u32,
    /// The connect descriptor, or how long the one is that comes in the next packet.
    pub(super) descriptor: Result<String, usize>,
}

/// Reads the body of a CONNECT packet.
pub(super) fn read(body: &[u8]) -> Result<Connect, Unreadable> {
    let mut reader = Reader::new(body);
    let version = reader.u16_be()?;
    let version_min = reader.u16_be()?;
    reader.skip(2)?;
    let small = u32::from(reader.u16_be()?);
    reader.skip(8)?;
    let length = usize::from(reader.u16_be()?);
    let offset = reader.u16_be()?;
    reader.skip(30)?;
    let large = if offset >= OFFSET_WITH_LARGE_SIZES { reader.u32_be().unwrap_or(0) } else { 0 };
    let sdu = if large > 0 { large } else { small }.clamp(SDU_MIN, SDU_MAX);
    if length > DESCRIPTOR_BYTES_MAX {
        return Err(Unreadable::Wrong("a connect descriptor that is too long"));
    }
    let start = usize::from(offset).saturating_sub(HEADER);
    let descriptor = match body.get(start..start + length) {
        Some(bytes) => Ok(String::from_utf8_lossy(bytes).into_owned()),
        None => Err(length),
    };
    Ok(Connect { version, version_min, sdu, descriptor })
}

/// The value of a key of a connect descriptor that has no list below it: `SERVICE_NAME` in
/// `(DESCRIPTION=(CONNECT_DATA=(SERVICE_NAME=x)))`.
pub(super) fn value<'a>(descriptor: &'a str, key: &str) -> Option<&'a str> {
    descriptor.split('(').skip(1).find_map(|entry| {
        let (name, rest) = entry.split_once('=')?;
        let value = rest.split(')').next()?.trim().trim_matches(['"', '\'']);
        (name.trim().eq_ignore_ascii_case(key) && !value.is_empty()).then_some(value)
    })
}

/// What a connect descriptor asks for.
pub(super) fn destination(descriptor: &str) -> Destination {
    let upper = |key| value(descriptor, key).map(str::to_uppercase);
    Destination {
        service: upper("SERVICE_NAME"),
        sid: upper("SID"),
        instance: upper("INSTANCE_NAME"),
    }
}

/// What is granted to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Grant {
    pub(super) version: u16,
    pub(super) sdu: u32,
    pub(super) flags: u32,
}

impl Grant {
    /// What both sides know, or `None` if there is nothing.
    pub(super) fn new(asked: &Connect, profile: Profile) -> Option<Self> {
        let version = asked.version.min(profile.version);
        let flags = if version >= profile.version { profile.accept_flags } else { 0 };
        (version >= asked.version_min).then_some(Self { version, sdu: asked.sdu, flags })
    }

    /// The body of the ACCEPT packet.
    pub(super) fn accept(self) -> Vec<u8> {
        /// Nothing but the plain service.
        const OPTIONS: u16 = 0x0001;
        /// No native network encryption.
        const NO_NATIVE: u8 = 0x04;
        // Where data would begin; there is none.
        let end = if self.version >= VERSION_WIDE { 45 } else { 32 };
        let small = u16::try_from(self.sdu).unwrap_or(u16::MAX);
        let mut body = Vec::new();
        for number in [self.version, OPTIONS, small, small, 1, 0, end] {
            body.extend(number.to_be_bytes());
        }
        body.extend([NO_NATIVE, NO_NATIVE]);
        body.extend([0; 8]);
        if self.version >= VERSION_WIDE {
            body.extend(self.sdu.to_be_bytes());
            body.extend(self.sdu.to_be_bytes());
            body.push(0);
            body.extend(self.flags.to_be_bytes());
        }
        body
    }
}

/// The body of a REFUSE packet.
pub(super) fn refuse(code: u32) -> Vec<u8> {
    /// 19.0.0.0.0, as listeners write it.
    const VERSION: u32 = 318_767_104;
    let text = format!(
        "(DESCRIPTION=(TMP=)(VSNNUM={VERSION})(ERR={code})(ERROR_STACK=(ERROR=(CODE={code})(EMFI=4))))"
    );
    let length = u16::try_from(text.len()).unwrap_or(0);
    let mut body = vec![0x22, 0];
    body.extend(length.to_be_bytes());
    body.extend(text.into_bytes());
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_descriptor_says_where_to() {
        let text = "(DESCRIPTION=(ADDRESS=(PROTOCOL=tcp)(HOST=h)(PORT=1))(CONNECT_DATA=(service_name = sales.x )\
                    (INSTANCE_NAME=s1)(CID=(PROGRAM=a b)(HOST=m)(USER=u))))";
        let found = destination(text);
        assert_eq!(found.service.as_deref(), Some("SALES.X"));
        assert_eq!(found.instance.as_deref(), Some("S1"));
        assert_eq!(found.sid, None);
        assert_eq!(value(text, "PROGRAM"), Some("a b"));
    }

    #[test]
    fn a_truncated_connect_is_short_and_never_more() {
        let mut body = vec![1, 63, 1, 44, 0, 0, 32, 0];
        body.extend([0; 8]);
        body.extend([0, 4, 0, 70]);
        body.extend([0; 30]);
        body.extend([0, 0, 32, 0]);
        body.extend([0; 8]);
        body.extend(*b"(A=)");
        let read_all = read(&body).expect("complete");
        assert_eq!(read_all.descriptor.as_deref(), Ok("(A=)"));
        assert_eq!(read_all.sdu, 8_192);
        for length in 0..48 {
            assert_eq!(read(&body[..length]), Err(Unreadable::Short), "{length}");
        }
        assert_eq!(read(&body[..60]).expect("complete").descriptor, Err(4));
    }
}
