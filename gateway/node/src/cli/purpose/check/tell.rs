//! What came of it, for people and for programs. Places of fields and names of rules, never a value.

use exchange::{
    policy::Obstacle,
    purpose::{Purpose, Rule},
};
use schemas::{Category, Field, ParseError};
use serde_json::json;

use super::{Checked, Outcome, heading, paragraph};
use crate::{
    cli::purpose::names,
    cli::{Ending, Output},
    wording,
};

/// Where the kinds of data of a field stand, when its place leaves room for it.
const COLUMN: usize = 48;

impl Checked<'_> {
    pub(super) fn tell(&self, output: Output) {
        heading(self.purpose, self.rule, output);
        let from: std::collections::BTreeSet<_> = self.pairs.iter().map(|(from, _)| *from).collect();
        let to: std::collections::BTreeSet<_> = self.pairs.iter().map(|(_, to)| *to).collect();
        output.say(format!("Van      {}\nNaar     {}", names(&from), names(&to)));
        self.tell_allowed(output);
        self.tell_blocked(output);
        self.tell_basis(output);
        output.say("");
        paragraph(self.conclusion(), 0, output);
        output.answer(&self.answer());
    }

    fn tell_allowed(&self, output: Output) {
        let allowed: Vec<&Field> = self
            .fields
            .iter()
            .filter(|(_, obstacles)| obstacles.is_empty())
            .map(|(field, _)| field)
            .collect();
        output.say(format!("\nMag mee: {}", counted(allowed.len())));
        for field in allowed {
            line(field, output);
            for exception in self.exceptions(field) {
                output.say(format!("      bijzonder, mag op grond van {exception}"));
            }
        }
    }

    fn tell_blocked(&self, output: Output) {
        let blocked = self.blocked();
        if blocked.is_empty() {
            return;
        }
        output.say(format!("\nMag niet mee: {}", counted(blocked.values().map(Vec::len).sum())));
        for (obstacles, fields) in blocked {
            for field in fields {
                line(field, output);
            }
            for obstacle in obstacles {
                paragraph(&why(*obstacle), 6, output);
            }
        }
    }

    fn tell_basis(&self, output: Output) {
        output.say("\nGrondslag");
        match &self.refusal {
            None => {
                let basis = wording::basis(self.document.basis().kind);
                paragraph(&format!("{basis}: past bij het doel."), 2, output);
            }
            Some(refusal) => paragraph(&refusal.to_string(), 2, output),
        }
        if self.rests_on_consent() {
            paragraph(
                "De toestemming zelf (voor wie, tot wanneer, ingetrokken of niet) toetst het knooppunt bij het versturen.",
                2,
                output,
            );
        }
    }

    const fn conclusion(&self) -> &'static str {
        match self.outcome {
            Outcome::Whole => "Het bericht mag weg, als er een convenant voor is.",
            Outcome::Without => {
                "Het bericht mag weg zonder de velden die niet mee mogen, als er een convenant voor is. Het knooppunt laat ze weg en meldt dat; het doel zegt dat zo."
            }
            Outcome::Not => "Het bericht mag zo niet weg.",
        }
    }

    fn answer(&self) -> serde_json::Value {
        let fields: Vec<_> = self
            .fields
            .iter()
            .map(|(field, obstacles)| {
                let reasons: Vec<_> =
                    obstacles.iter().map(|one| json!({ "over": one.to_string(), "uitleg": why(*one) })).collect();
                json!({
                    "veld": field.pointer, "categorieen": field.uses.categories, "mag": obstacles.is_empty(),
                    "leefgebieden": field.uses.life_domains, "redenen": reasons, "uitzonderingen": self.exceptions(field),
                })
            })
            .collect();
        json!({
            "doel": self.purpose.content().doel, "versie": self.purpose.content().versie,
            "digest": self.purpose.digest(), "type": self.rule.message_type, "uitkomst": self.outcome.as_str(),
            "mag": self.outcome != Outcome::Not, "velden": fields, "fouten": [],
            "grondslag": {
                "soort": self.document.basis().kind, "past": self.refusal.is_none(),
                "reden": self.refusal.as_ref().map(|refusal| refusal.reason.code()),
                "over": self.refusal.as_ref().map(|refusal| &refusal.about),
            },
        })
    }
}

/// What is not a document by the schema of its type.
pub(super) fn invalid(purpose: &Purpose, rule: &Rule, error: &ParseError, output: Output) -> Ending {
    heading(purpose, rule, output);
    let faults = match error {
        ParseError::Invalid(violations) => violations.iter().map(ToString::to_string).collect(),
        other => vec![other.to_string()],
    };
    output.say("\nHet document voldoet niet aan het schema:");
    for fault in &faults {
        paragraph(fault, 2, output);
    }
    output.say("\nHet bericht mag zo niet weg. Verbeter het document en toets het opnieuw.");
    output.answer(&json!({
        "doel": purpose.content().doel, "versie": purpose.content().versie, "digest": purpose.digest(),
        "type": rule.message_type, "uitkomst": Outcome::Not.as_str(), "mag": false, "velden": [], "fouten": faults,
        "grondslag": null,
    }));
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

/// Why a field may not go, and what to do.
pub(super) fn why(obstacle: Obstacle) -> String {
    match obstacle {
        Obstacle::Category(category) => format!(
            "Het doel noemt {category} niet bij `gegevens`. Laat het weg. Is het toch nodig, spreek dan met de partners een nieuwe versie van het doel af."
        ),
        Obstacle::Special(category) => {
            let article = if category == Category::Justice { 10 } else { 9 };
            format!(
                "Dit is een bijzonder gegeven (AVG art. {article}). Het mag alleen mee als het doel {category} noemt bij `bijzondere_gegevens`, met de uitzondering uit de wet. Dit doel doet dat niet. Laat het weg."
            )
        }
        Obstacle::Bsn => {
            "Het doel laat het BSN niet toe (`bsn = false`). Laat het weg, en noem naam, geboortedatum en adres als het doel die toelaat.".to_owned()
        }
        Obstacle::BsnByLaw(kind) => format!(
            "Het doel laat het BSN toe, maar een {} mag het van de wet niet gebruiken (UAVG art. 46). Laat het weg, en noem naam, geboortedatum en adres.",
            wording::kind(kind)
        ),
        Obstacle::LifeDomain(domain) => format!(
            "Het doel gaat niet over het leefgebied {domain}. Laat het weg. Is het toch nodig, spreek dan met de partners een nieuwe versie van het doel af."
        ),
    }
}
