//! Tables for people: columns padded to their widest cell, on a terminal and in a pipe alike.

use std::io::{self, Write};

use crate::engine::time::Timestamp;

/// Cells wider than this are cut, with an ellipsis.
const CELL_WIDTH_MAX: usize = 60;

/// Writes a header and rows of as many cells.
pub(super) fn write(to: &mut dyn Write, header: &[&str], rows: &[Vec<String>]) -> io::Result<()> {
    let header: Vec<String> = header.iter().map(|it| (*it).to_owned()).collect();
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|it| clean(it)).collect()).collect();
    let all = || std::iter::once(&header).chain(&rows);
    let width = |column: usize| {
        all().filter_map(|row| row.get(column)).map(|it| it.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    for row in all() {
        let cells = row.iter().zip(&widths);
        let padded: Vec<String> = cells.map(|(cell, width)| format!("{cell:<width$}")).collect();
        writeln!(to, "{}", padded.join("  ").trim_end())?;
    }
    Ok(())
}

/// The time of a snapshot, in a sentence that says `at …`.
pub(super) fn time_or_unknown(time: Option<Timestamp>) -> String {
    time.map_or_else(|| "an unknown time".to_owned(), |time| time.to_string())
}

/// One line of printable characters, cut to the width of a cell.
fn clean(cell: &str) -> String {
    let printable = cell.chars().map(|it| if it.is_control() { '\u{fffd}' } else { it });
    let mut text: String = printable.take(CELL_WIDTH_MAX).collect();
    if cell.chars().nth(CELL_WIDTH_MAX).is_some() {
        text.pop();
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_line_up_and_cannot_move_the_cursor() {
        let mut out = Vec::new();
        let rows =
            [vec!["1".to_owned(), "a\u{1b}[2Jb".to_owned()], vec!["22".to_owned(), "c".repeat(80)]];
        write(&mut out, &["SID", "PROGRAM"], &rows).expect("writing to memory");
        let text = String::from_utf8(out).expect("it is text");
        assert!(text.starts_with("SID  PROGRAM\n1    a\u{fffd}[2Jb\n22   ccc"));
        assert!(text.trim_end().ends_with("c…"));
    }
}
