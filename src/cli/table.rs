//! Tables for people: columns padded to their widest cell, on a terminal and in a pipe alike.

use std::io::{self, Write};

use crate::engine::text::shown;
use crate::engine::time::Timestamp;

/// Cells wider than this are cut, with an ellipsis.
const CELL_WIDTH_MAX: usize = 60;

/// The last of a row pushes no other aside, and is mostly what the row is about.
const LAST_CELL_WIDTH_MAX: usize = 1_000;

/// Writes a header and rows of as many cells.
pub(super) fn write(to: &mut dyn Write, header: &[&str], rows: &[Vec<String>]) -> io::Result<()> {
    let header: Vec<String> = header.iter().map(|it| (*it).to_owned()).collect();
    let rows: Vec<Vec<String>> = rows.iter().map(|row| cells(row)).collect();
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

fn cells(row: &[String]) -> Vec<String> {
    let width = |at| if at + 1 == row.len() { LAST_CELL_WIDTH_MAX } else { CELL_WIDTH_MAX };
    row.iter().enumerate().map(|(at, cell)| clean(cell, width(at))).collect()
}

/// One line of printable characters, cut to the width of a cell.
fn clean(cell: &str, width: usize) -> String {
    let mut text: String = cell.chars().map(shown).take(width).collect();
    if cell.chars().nth(width).is_some() {
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
            [vec!["1".to_owned(), "a\u{1b}[2Jb".to_owned()], vec!["2".repeat(80), "c".repeat(80)]];
        write(&mut out, &["SID", "PROGRAM"], &rows).expect("writing to memory");
        let text = String::from_utf8(out).expect("it is text");
        assert!(text.contains("1    ") && text.contains("a\u{fffd}[2Jb\n222"), "{text}");
        assert!(text.contains("2…  ccc") && text.trim_end().ends_with(&"c".repeat(80)), "{text}");
    }
}
