//! What came of it, for people and for programs. Places of fields and names of rules, never a value.

use exchange::purpose::{Purpose, Rule};
use schemas::{Field, ParseError};

use super::{heading, paragraph};
use crate::{
    cli::purpose::names,
    cli::{Ending, Output},
    purposes::check::{self, Checked, Outcome, why},
    wording,
};

/// What is told of.
struct Told<'a>(&'a Checked<'a>);

pub(super) fn tell(checked: &Checked<'_>, output: Output) {
    Told(checked).tell(output);
}

/// Where the kinds of data of a field stand, when its place leaves room for it.
const COLUMN: usize = 48;

impl Told<'_> {
    fn tell(&self, output: Output) {
        heading(self.0.purpose, self.0.rule, output);
        let from: std::collections::BTreeSet<_> = self.0.pairs.iter().map(|(from, _)| *from).collect();
        let to: std::collections::BTreeSet<_> = self.0.pairs.iter().map(|(_, to)| *to).collect();
        output.say(format!("Van      {}\nNaar     {}", names(&from), names(&to)));
        self.tell_allowed(output);
        self.tell_blocked(output);
        self.tell_basis(output);
        output.say("");
        paragraph(self.conclusion(), 0, output);
        output.answer(&self.0.answer());
    }

    fn tell_allowed(&self, output: Output) {
        let allowed: Vec<&Field> = self
            .0
            .fields
            .iter()
            .filter(|(_, obstacles)| obstacles.is_empty())
            .map(|(field, _)| field)
            .collect();
        output.say(format!("\nMag mee: {}", counted(allowed.len())));
        for field in allowed {
            line(field, output);
            for exception in self.0.exceptions(field) {
                output.say(format!("      bijzonder, mag op grond van {exception}"));
            }
        }
    }

    fn tell_blocked(&self, output: Output) {
        let blocked = self.0.blocked();
        if blocked.is_empty() {
            return;
        }
        output.say(format!("\nMag niet mee: {}", counted(blocked.values().map(Vec::len).sum())));
        for (obstacles, fields) in blocked {
            for field in fields {
                line(field, output);
            }
            for obstacle in obstacles {
                paragraph(&why(*obstacle, self.0.outcome), 6, output);
            }
        }
    }

    fn tell_basis(&self, output: Output) {
        output.say("\nGrondslag");
        match &self.0.refusal {
            None => {
                let basis = wording::basis(self.0.document.basis().kind);
                paragraph(&format!("{basis}: past bij het doel."), 2, output);
            }
            Some(refusal) => paragraph(&refusal.to_string(), 2, output),
        }
        if self.0.rests_on_consent() {
            paragraph(
                "De toestemming zelf (voor wie, tot wanneer, ingetrokken of niet) toetst het knooppunt bij het versturen.",
                2,
                output,
            );
        }
    }

    const fn conclusion(&self) -> &'static str {
        match self.0.outcome {
            Outcome::Whole => "Het bericht mag weg, als er een convenant voor is.",
            Outcome::Without => {
                "Het bericht mag weg zonder de velden die niet mee mogen, als er een convenant voor is. Het knooppunt laat ze weg en meldt dat; het doel zegt dat zo."
            }
            Outcome::Not => "Het bericht mag zo niet weg.",
        }
    }
}

/// What is not a document by the schema of its type.
pub(super) fn invalid(purpose: &Purpose, rule: &Rule, error: &ParseError, output: Output) -> Ending {
    heading(purpose, rule, output);
    let faults = check::faults(error);
    output.say("\nHet document voldoet niet aan het schema:");
    for fault in &faults {
        paragraph(fault, 2, output);
    }
    output.say("\nHet bericht mag zo niet weg. Verbeter het document en toets het opnieuw.");
    output.answer(&check::invalid(purpose, rule, error));
    Ending::NotAllGood
}

fn counted(fields: usize) -> String {
    match fields {
        0 => "niets".to_owned(),
        1 => "1 veld".to_owned(),
        many => format!("{many} velden"),
    }
}

/// A field with its kinds of data, below it when its place is long.
fn line(field: &Field, output: Output) {
    let kinds = field.uses.categories.iter().map(ToString::to_string);
    let domains = field.uses.life_domains.iter().map(ToString::to_string);
    let held: Vec<String> = kinds.chain(domains).collect();
    let held = held.join(", ");
    if field.pointer.chars().count() < COLUMN {
        output.say(format!("  {:<COLUMN$}{held}", field.pointer));
    } else {
        output.say(format!("  {}\n{:7}{held}", field.pointer, ""));
    }
}
