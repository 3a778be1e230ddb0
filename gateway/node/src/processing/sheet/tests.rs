#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use exchange::organisation::OrganisationKind;

use super::*;
use crate::processing::tests::of;

/// Tags in the order they open; every one that closes is the last that is open.
fn well_formed(page: &str) -> bool {
    let mut open = Vec::new();
    for part in page.split('<').skip(1) {
        let tag = part.split(['>', ' ']).next().unwrap();
        match tag.strip_prefix('/') {
            Some(closed) if open.pop() == Some(closed) => {}
            Some(_) => return false,
            None if ["meta", "br", "!DOCTYPE"].contains(&tag) => {}
            None => open.push(tag),
        }
    }
    open.is_empty()
}

#[test]
fn the_page_can_be_read_by_everybody_and_by_itself() {
    let page = html(&of(1, OrganisationKind::Municipality));
    assert!(well_formed(&page));
    assert!(page.contains("<html lang=\"nl\">") && page.contains("<title>"));
    assert_eq!(page.matches("<h1>").count(), 1);
    assert_eq!(page.matches("<table>").count(), page.matches("<caption>").count());
    assert_eq!(page.matches("<tr>").count(), page.matches("<th scope=\"row\">").count());
    assert!(!page.contains("href") && !page.contains("<script") && !page.contains("src="), "by itself");
    assert!(page.contains("Organisatie &lt;2&gt;") && !page.contains("Organisatie <2>"));
    for asked in [
        "Contact",
        "Functionaris gegevensbescherming",
        "Bewaartermijn",
        "Beveiliging",
        "Doorgifte buiten de EU",
    ] {
        assert!(page.contains(asked), "{asked}");
    }
}

#[test]
fn the_table_has_a_row_for_each_message_of_each_purpose() {
    let table = csv(&of(1, OrganisationKind::Municipality));
    let rows: Vec<&str> = table.trim_end().split("\r\n").collect();
    assert_eq!(rows.len(), 4 + 3, "with what the node does by itself: {table}");
    assert_eq!(rows[0].split(';').count(), COLUMNS.len());
    assert!(rows[1..].iter().all(|row| row.matches("\";\"").count() == COLUMNS.len() - 1));
}

#[test]
fn no_cell_is_run_by_a_spreadsheet() {
    assert_eq!(quoted("=HYPERLINK(\"x\")"), "\"'=HYPERLINK(\"\"x\"\")\"");
    assert_eq!(quoted("+31"), "\"'+31\"");
    assert_eq!(quoted("gewoon; zo"), "\"gewoon; zo\"");
}
