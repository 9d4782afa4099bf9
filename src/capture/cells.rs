//! The cells of one record, as bytes and as text, whichever form of capture they were cut from.

use super::cell::without_null_word;
use super::header::Slot;

/// The cells of one record: one text and where each cell ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cells<'a> {
    pub(super) text: &'a [u8],
    pub(super) ends: &'a [usize],
    /// True where NULL may be written as a word.
    pub(super) null_words: bool,
}

impl<'a> Cells<'a> {
    fn range(&self, cell: usize) -> std::ops::Range<usize> {
        let start = if cell == 0 { 0 } else { self.ends[cell - 1] };
        start..self.ends[cell]
    }

    /// The bytes of one cell.
    pub(super) fn bytes(&self, cell: usize) -> &'a [u8] {
        &self.text[self.range(cell)]
    }

    /// The bytes of all cells, without anything between them.
    pub(super) fn all(&self) -> &'a [u8] {
        &self.text[..self.ends.last().copied().unwrap_or(0)]
    }

    /// The first cell that is not text, and why.
    fn fault(&self) -> Option<(usize, &'static str)> {
        (0..self.ends.len()).find_map(|cell| {
            let bytes = self.bytes(cell);
            if std::str::from_utf8(bytes).is_err() {
                return Some((cell, "is not UTF-8"));
            }
            bytes.contains(&0).then_some((cell, "holds a NUL character"))
        })
    }
}

/// Cells that are text throughout.
#[derive(Clone, Copy)]
pub(super) struct Texts<'a> {
    pub(super) cells: Cells<'a>,
    text: &'a str,
}

impl<'a> Texts<'a> {
    pub(super) fn of(cells: Cells<'a>) -> Result<Self, (usize, &'static str)> {
        let all = cells.all();
        let is_cut = |end: &usize| all.get(*end).is_some_and(|byte| byte & 0xc0 == 0x80);
        match std::str::from_utf8(all) {
            // Cells may be broken though their sum is not.
            Ok(text) if !all.contains(&0) && (all.is_ascii() || !cells.ends.iter().any(is_cut)) => {
                Ok(Self { cells, text })
            }
            _ => Err(cells.fault().unwrap_or((0, "is not UTF-8"))),
        }
    }

    /// One cell without the blanks round it: tools pad columns to their width, and a padded name must mean the same
    /// to protections and conditions as the bare one.
    pub(super) fn get(&self, slot: &Slot) -> &'a str {
        let text = trimmed(&self.text[self.cells.range(slot.cell)]);
        if self.cells.null_words { without_null_word(text) } else { text }
    }
}

/// As `trim`, which would decode characters at both ends of every cell to find that nearly none is padded.
fn trimmed(text: &str) -> &str {
    let is_bare = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_graphic);
    let bytes = text.as_bytes();
    if is_bare(bytes.first()) && is_bare(bytes.last()) { text } else { text.trim() }
}
