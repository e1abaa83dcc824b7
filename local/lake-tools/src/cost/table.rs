use serde_json::json;

use super::{Estimate, Item, Workload};
use crate::table::{aligned, with_commas};

/// A bill for a program: one JSON object, all figures of a month, in US dollars.
pub fn json(workload: &Workload, estimate: &Estimate) -> String {
    let figures = json!({
        "workload": workload,
        "month": estimate,
        "dollars": estimate.dollars(),
        "dollars_per_million_quotes": estimate.per_million(estimate.dollars()),
        "puts_per_million_quotes": estimate.per_million(estimate.puts),
    });
    format!("{figures}\n")
}

/// A bill for a terminal.
pub fn text(estimate: &Estimate) -> String {
    let mut lines = vec![
        [
            "us-east-1 list prices",
            "a month",
            "$ a month",
            "$ a million quotes",
        ]
        .map(str::to_owned)
        .to_vec(),
    ];
    lines.extend(counts(estimate).map(|(name, count)| {
        let empty = String::new;
        vec![name.to_owned(), grouped(count, 0), empty(), empty()]
    }));
    lines.extend(estimate.items.iter().map(|item| {
        vec![
            label(item),
            quantity(item),
            grouped(item.dollars, 2),
            grouped(estimate.per_million(item.dollars), 4),
        ]
    }));
    lines.push(vec![
        "all".to_owned(),
        String::new(),
        grouped(estimate.dollars(), 2),
        grouped(estimate.per_million(estimate.dollars()), 4),
    ]);
    aligned(&lines, 1)
}

/// Bills side by side, as a table in Markdown.
pub(super) fn markdown(columns: &[(&str, Estimate)]) -> String {
    let row = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let headings = columns.iter().flat_map(|(name, _)| {
        [
            format!("{name}: a month"),
            "$ a month".to_owned(),
            "$ a million quotes".to_owned(),
        ]
    });
    let mut text = row(["part".to_owned()].into_iter().chain(headings).collect());
    text += &format!("|---|{}\n", "---:|".repeat(columns.len() * 3));
    let Some((_, first)) = columns.first() else {
        return text;
    };
    for (index, (name, _)) in counts(first).into_iter().enumerate() {
        let cells = columns.iter().flat_map(|(_, estimate)| {
            let (_, count) = counts(estimate)[index];
            [grouped(count, 0), String::new(), String::new()]
        });
        text += &row([name.to_owned()].into_iter().chain(cells).collect());
    }
    for (index, item) in first.items.iter().enumerate() {
        let cells = columns.iter().flat_map(|(_, estimate)| {
            let item = &estimate.items[index];
            let million = estimate.per_million(item.dollars);
            [
                quantity(item),
                grouped(item.dollars, 2),
                grouped(million, 4),
            ]
        });
        text += &row([label(item)].into_iter().chain(cells).collect());
    }
    let totals = columns.iter().flat_map(|(_, estimate)| {
        let dollars = estimate.dollars();
        [
            String::new(),
            grouped(dollars, 2),
            grouped(estimate.per_million(dollars), 4),
        ]
    });
    text += &row(["**all**".to_owned()].into_iter().chain(totals).collect());
    text
}

fn counts(estimate: &Estimate) -> [(&'static str, f64); 4] {
    [
        ("quotes", estimate.quotes),
        ("batches", estimate.batches),
        ("PUTs a million quotes", estimate.per_million(estimate.puts)),
        ("GETs a million quotes", estimate.per_million(estimate.gets)),
    ]
}

fn label(item: &Item) -> String {
    format!("{}: {}", item.part, item.price.name)
}

fn quantity(item: &Item) -> String {
    let decimals = if item.quantity < 1_000.0 { 1 } else { 0 };
    format!("{} {}", grouped(item.quantity, decimals), item.price.unit)
}

/// A number with a comma at every third digit.
pub(super) fn grouped(number: f64, decimals: usize) -> String {
    let plain = format!("{number:.decimals$}");
    let (whole, fraction) = plain.split_at(plain.find('.').unwrap_or(plain.len()));
    with_commas(whole) + fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_a_comma_at_every_third_digit() {
        assert_eq!(grouped(1_234_567.891, 2), "1,234,567.89");
        assert_eq!(grouped(123.0, 0), "123");
        assert_eq!(grouped(0.000_04, 4), "0.0000");
    }
}
