//! Tables for a terminal.

use std::fmt::Write;

/// The rows with their columns aligned: the first `texts` to the left, the others, which are figures, to the right.
pub(crate) fn aligned(rows: &[Vec<String>], texts: usize) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let gap = if column == 0 { "" } else { "  " };
            // Writing to a string can't fail.
            let _ = if column < texts {
                write!(line, "{gap}{cell:width$}")
            } else {
                write!(line, "{gap}{cell:>width$}")
            };
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// A count with a comma at every thousand.
pub(crate) fn grouped(count: u64) -> String {
    with_commas(&count.to_string())
}

/// Digits with a comma at every thousand.
pub(crate) fn with_commas(digits: &str) -> String {
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_aligned_to_the_left_and_figures_to_the_right() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let rows = [
            row(["topic", "records", "bytes"]),
            row(["t", "7", "1,000"]),
            row(["long-name", "12,345", ""]),
        ];
        assert_eq!(
            aligned(&rows, 1),
            "topic      records  bytes\n\
             t                7  1,000\n\
             long-name   12,345\n"
        );
    }

    #[test]
    fn thousands_are_grouped() {
        let grouped = [0, 999, 1_000, 1_234_567].map(grouped);
        assert_eq!(grouped, ["0", "999", "1,000", "1,234,567"]);
    }
}
