//! Extended ROWIDs: object, relative file, block and row of a table's row, and their 18 characters.

use std::fmt;
use std::str::FromStr;

use crate::cluster::lock::Row;

/// A ROWID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RowId {
    /// DATA_OBJECT_ID.
    pub(crate) object: u32,
    /// RELATIVE_FNO: 10 bits.
    pub(crate) file: u32,
    /// The block in the file: 22 bits.
    pub(crate) block: u32,
    /// The row in the block: 16 bits.
    pub(crate) row: u32,
}

/// The text is no ROWID (ORA-01410).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotARowId;

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

impl From<Row> for RowId {
    fn from(row: Row) -> Self {
        let (file, block, place) = row.place();
        Self { object: row.object, file, block, row: place }
    }
}

impl fmt::Display for RowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (part, digits) in [(self.object, 6), (self.file, 3), (self.block, 6), (self.row, 3)] {
            for place in (0..digits).rev() {
                // Six digits are 36 bits, four more than a part has.
                let digit = u64::from(part) >> (6 * place) & 63;
                let digit = usize::try_from(digit).expect("below 64");
                write!(f, "{}", char::from(DIGITS[digit]))?;
            }
        }
        Ok(())
    }
}

impl FromStr for RowId {
    type Err = NotARowId;

    fn from_str(text: &str) -> Result<Self, NotARowId> {
        let bytes = text.as_bytes();
        if bytes.len() != 18 {
            return Err(NotARowId);
        }
        let part = |from: usize, to: usize| {
            let mut sum = 0_u64;
            for byte in &bytes[from..to] {
                let digit = DIGITS.iter().position(|known| known == byte).ok_or(NotARowId)?;
                sum = sum << 6 | digit as u64;
            }
            u32::try_from(sum).map_err(|_| NotARowId)
        };
        Ok(Self { object: part(0, 6)?, file: part(6, 9)?, block: part(9, 15)?, row: part(15, 18)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rowids_are_written_as_oracle_writes_them() {
        // The row of DUAL in many a database: object 116, file 1, block 930.
        let dual = RowId { object: 116, file: 1, block: 930, row: 0 };
        assert_eq!(dual.to_string(), "AAAAB0AABAAAAOiAAA");
        for rowid in [dual, RowId { object: u32::MAX, file: 1_023, block: 4_194_303, row: 65_535 }]
        {
            assert_eq!(rowid.to_string().parse(), Ok(rowid));
        }
        for text in [
            "",
            "AAAAB0AABAAAAOiAA",
            "AAAAB0AABAAAAOi-AA",
            "//////AABAAAAOiAAA",
            "AAAAB0AABAAAAOiAAÄ",
        ] {
            assert_eq!(text.parse::<RowId>(), Err(NotARowId), "{text}");
        }
    }
}
