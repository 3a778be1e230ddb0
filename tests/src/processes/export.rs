//! Arrears exports in the layout of the one that comes with the project, about people who do not exist.

use std::fmt::Write as _;

const HEADER: &str = "Contractnr;Huurdernr;Voorl.;Tussenv.;Achternaam;Geb.datum;Straat;Huisnr;Toev.;Postcode;Plaats;Telefoon;E-mail;Saldo;Achterstand sinds;Mnd;Laatste herinnering;Pers. contact;Gewezen op schuldhulp;Aanbod doorgeven;Reactie huurder;Vonnis;Opmerking";
const NAMES: [&str; 8] =
    ["Aalbers", "Bouman", "Cornelisse", "Dekker", "Elzinga", "Fokkema", "Gerritsen", "Hofstra"];
const STREETS: [&str; 5] = ["Nieuwe Gracht", "Eikenhof", "Molenwerf", "Kade", "Plein 1945"];

/// An export of this many rows, all different and all allowed to leave. Another `series` gives other rows.
pub fn rows(count: u32, series: u32) -> Vec<u8> {
    let mut text = String::new();
    let blank = ";".repeat(22);
    let _ = write!(
        text,
        "Achterstandenlijst{blank}\r\nWoningcorporatie De Sleutel;Peildatum 16-11-2026{}\r\n",
        &blank[1..]
    );
    let _ = write!(text, "{HEADER}\r\n");
    let mut total = 0;
    for row in 0..count {
        let number = series * 100_000 + row;
        let cents = 10_000 + number % 500_000;
        total += u64::from(cents);
        let _ = write!(
            text,
            "HC{number:06};R{number:06};A.;van;{}{};{:02}-{:02}-{};{};{};;49{:02} AB;Rivierstad;0000{:06};bewoner{number}@voorbeeld.test;{};14-09-2026;2;10-10-2026;J;J;J;;N;\r\n",
            NAMES[number as usize % NAMES.len()],
            letters(number),
            1 + number % 28,
            1 + number / 28 % 12,
            1940 + number % 60,
            STREETS[number as usize % STREETS.len()],
            1 + number % 400,
            11 + number % 80,
            number,
            euros(u64::from(cents)),
        );
    }
    let _ = write!(
        text,
        "{blank}\r\nTotaal;{count} contracten{}{}{}\r\n",
        ";".repeat(12),
        euros(total),
        ";".repeat(9)
    );
    text.into_bytes()
}

/// A number as letters: names have no digits.
fn letters(mut number: u32) -> String {
    let mut text = String::new();
    while number > 0 {
        text.push(char::from(b'a' + u8::try_from(number % 26).unwrap_or(0)));
        number /= 26;
    }
    text
}

/// An amount as the export writes it: `1.234,56`.
fn euros(cents: u64) -> String {
    let digits = (cents / 100).to_string();
    let mut grouped = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            grouped.push('.');
        }
        grouped.push(digit);
    }
    format!("{grouped},{:02}", cents % 100)
}
