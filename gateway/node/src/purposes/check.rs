//! Checking a document by a purpose, without sending it. Places of fields and names of rules, never a value.

use std::collections::{BTreeMap, BTreeSet};

use exchange::{
    organisation::OrganisationKind,
    policy::{self, Allowance, Obstacle},
    purpose::{OnExcess, Purpose, Rule},
    refusal::Refusal,
};
use schemas::{BasisKind, Category, Document, Field, ParseError, SchemaName};
use serde_json::{Value, json};

use super::{Unknown, rule_of, types};
use crate::wording;

/// Why nothing can be checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CheckError {
    /// No rule is for that type.
    #[error(transparent)]
    Unknown(#[from] Unknown),
    /// The type was not said, and the data is of none that the purpose allows.
    #[error(
        "het document past bij geen van de berichten van dit doel. Geef met --type (in de API: `type`) welke het moet zijn, dan staat er wat er niet klopt; kies uit: {0}"
    )]
    NoneFits(String),
    /// It is not JSON at all, whatever type it should be.
    #[error("het document is geen geldige JSON: {0}")]
    NotJson(String),
    /// The type was not said, and it can be more than one.
    #[error(
        "het document past bij meer dan één bericht. Geef met --type (in de API: `type`) welke; kies uit: {0}"
    )]
    SeveralFit(String),
    /// The purpose names a type that this version does not know.
    #[error("er is geen schema voor {0}")]
    NoSchema(String),
    /// The rule is not for this kind of organisation.
    #[error("het doel laat dit bericht niet {what} een {kind} toe; kies uit: {known}")]
    Kind {
        /// On which side.
        what: &'static str,
        /// The kind.
        kind: OrganisationKind,
        /// Those that it is for.
        known: String,
    },
}

/// Between whom a document is checked, as far as that was said.
pub(crate) struct Sides {
    /// The kind of the organisation whose node this is: who sends, where it may.
    pub(crate) own: Option<OrganisationKind>,
    /// Who sends.
    pub(crate) from: Option<OrganisationKind>,
    /// Who receives.
    pub(crate) to: Option<OrganisationKind>,
}

impl Sides {
    /// Those that the rule lets send this to each other.
    pub(crate) fn pairs(&self, rule: &Rule) -> Result<Vec<(OrganisationKind, OrganisationKind)>, CheckError> {
        let own = self.own.filter(|kind| rule.van.contains(kind));
        let chosen = |asked: Option<OrganisationKind>, may: &BTreeSet<OrganisationKind>, what| match asked {
            Some(kind) if !may.contains(&kind) => {
                let known: Vec<String> = may.iter().map(ToString::to_string).collect();
                Err(CheckError::Kind { what, kind, known: known.join(", ") })
            }
            Some(kind) => Ok(vec![kind]),
            None => Ok(may.iter().copied().collect()),
        };
        let from = chosen(self.from.or(own), &rule.van, "van")?;
        let to = chosen(self.to, &rule.naar, "naar")?;
        Ok(from.iter().flat_map(|from| to.iter().map(|to| (*from, *to))).collect())
    }
}

/// A document by one rule of a purpose.
pub(crate) struct Checked<'a> {
    /// The purpose.
    pub(crate) purpose: &'a Purpose,
    /// The rule.
    pub(crate) rule: &'a Rule,
    /// The document.
    pub(crate) document: Document,
    /// Who may send it to whom; more than one when it was not said and the purpose allows more.
    pub(crate) pairs: Vec<(OrganisationKind, OrganisationKind)>,
    /// Every field, with what is in its way.
    pub(crate) fields: Vec<(Field, Vec<Obstacle>)>,
    /// Why the message may not go, whatever data it holds.
    pub(crate) refusal: Option<Refusal>,
    /// Whether it may go.
    pub(crate) outcome: Outcome,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// As it is.
    Whole,
    /// Without the fields that are in the way: the purpose says to leave them out.
    Without,
    /// Not.
    Not,
}

impl Outcome {
    /// The name that users see.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Whole => "heel",
            Self::Without => "zonder",
            Self::Not => "niet",
        }
    }
}

/// What was offered.
pub(crate) enum Offered {
    /// A document, of a type that it names.
    Document(Document),
    /// The `data` of a message, and what type it is said to be.
    Data { message_type: Option<String>, data: Vec<u8> },
}

/// What was offered, read by a rule of the purpose.
pub(crate) enum Read<'a> {
    /// A document.
    Valid(&'a Rule, Document),
    /// None, by the schema of that rule.
    Invalid(&'a Rule, ParseError),
}

impl Offered {
    /// The document with the rule for it. Which rule that is was said, or only one fits.
    pub(crate) fn document(self, purpose: &Purpose) -> Result<Read<'_>, CheckError> {
        let (message_type, data) = match self {
            Self::Document(document) => {
                let message_type = document.schema().message_type().unwrap_or_default();
                return Ok(Read::Valid(rule_of(purpose, message_type)?, document));
            }
            Self::Data { message_type, data } => (message_type, data),
        };
        if let Some(name) = message_type {
            return Read::by(rule_of(purpose, &name)?, &data);
        }
        if let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(&data) {
            let (line, column) = (error.line(), error.column());
            return Err(CheckError::NotJson(format!("er klopt iets niet op regel {line}, kolom {column}")));
        }
        let rules = purpose.content().berichten.as_slice();
        if let [only] = rules {
            return Read::by(only, &data);
        }
        let read: Vec<Read<'_>> =
            rules.iter().map(|rule| Read::by(rule, &data)).collect::<Result<_, CheckError>>()?;
        let mut valid = read.into_iter().filter(|one| matches!(one, Read::Valid(..)));
        match (valid.next(), valid.next()) {
            (Some(only), None) => Ok(only),
            (None, _) => Err(CheckError::NoneFits(types(purpose))),
            _ => Err(CheckError::SeveralFit(types(purpose))),
        }
    }
}

impl<'a> Read<'a> {
    fn by(rule: &'a Rule, data: &[u8]) -> Result<Self, CheckError> {
        let schema = SchemaName::of_message_type(&rule.message_type);
        let schema = schema.ok_or_else(|| CheckError::NoSchema(rule.message_type.clone()))?;
        Ok(match Document::parse(schema, data) {
            Ok(document) => Self::Valid(rule, document),
            Err(error) => Self::Invalid(rule, error),
        })
    }
}

impl<'a> Checked<'a> {
    /// Checks it.
    pub(crate) fn new(
        purpose: &'a Purpose,
        rule: &'a Rule,
        document: Document,
        pairs: Vec<(OrganisationKind, OrganisationKind)>,
    ) -> Self {
        let allowances: Vec<_> = pairs.iter().map(|(from, to)| Allowance::new(rule, *from, *to)).collect();
        // What stands in the way between any of them stands in the way, until it is said between whom.
        let in_the_way = |field: &Field| {
            let all = allowances.iter().flat_map(|allowance| allowance.in_the_way(&document, field));
            all.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>()
        };
        let fields: Vec<(Field, Vec<Obstacle>)> = document
            .fields()
            .into_iter()
            .map(|field| {
                let obstacles = in_the_way(&field);
                (field, obstacles)
            })
            .collect();
        let refusal = pairs.iter().find_map(|(from, _)| policy::basis(rule, *from, &document).err());
        let clean = fields.iter().all(|(_, obstacles)| obstacles.is_empty());
        let trimmed = || allowances.iter().all(|one| one.trim(&document).is_some());
        let outcome = match () {
            () if refusal.is_some() => Outcome::Not,
            () if clean => Outcome::Whole,
            () if rule.te_veel == OnExcess::Weglaten && trimmed() => Outcome::Without,
            () => Outcome::Not,
        };
        Self { purpose, rule, document, pairs, fields, refusal, outcome }
    }

    /// Whether it goes by consent, which is checked when it is sent.
    pub(crate) fn rests_on_consent(&self) -> bool {
        self.document.basis().kind == BasisKind::Consent
    }

    /// The exceptions in the law by which special data in this field may go.
    pub(crate) fn exceptions(&self, field: &Field) -> Vec<&'a str> {
        let named = |category: &Category| {
            let mut all = self.rule.bijzondere_gegevens.iter();
            all.find(|one| one.categorie == *category).map(|one| one.uitzondering.as_str())
        };
        field.uses.categories.iter().filter(|one| one.is_special()).filter_map(named).collect()
    }

    /// The fields that may not go, by what is in their way.
    pub(crate) fn blocked(&self) -> BTreeMap<&[Obstacle], Vec<&Field>> {
        let mut blocked: BTreeMap<_, Vec<&Field>> = BTreeMap::new();
        for (field, obstacles) in self.fields.iter().filter(|(_, obstacles)| !obstacles.is_empty()) {
            blocked.entry(obstacles.as_slice()).or_default().push(field);
        }
        blocked
    }

    /// As programs read it.
    pub(crate) fn answer(&self) -> Value {
        let fields: Vec<_> = self
            .fields
            .iter()
            .map(|(field, obstacles)| {
                let reasons: Vec<_> =
                    obstacles.iter().map(|one| json!({ "over": one.to_string(), "uitleg": why(*one, self.outcome) })).collect();
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

/// What is wrong with what is not a document.
pub(crate) fn faults(error: &ParseError) -> Vec<String> {
    match error {
        ParseError::Invalid(violations) => violations.iter().map(ToString::to_string).collect(),
        other => vec![other.to_string()],
    }
}

/// What is not a document by the schema of its type, as programs read it.
pub(crate) fn invalid(purpose: &Purpose, rule: &Rule, error: &ParseError) -> Value {
    json!({
        "doel": purpose.content().doel, "versie": purpose.content().versie, "digest": purpose.digest(),
        "type": rule.message_type, "uitkomst": Outcome::Not.as_str(), "mag": false, "velden": [],
        "fouten": faults(error), "grondslag": null,
    })
}

/// Why a field may not go, and what to do: nothing, when the node leaves it out by itself.
pub(crate) fn why(obstacle: Obstacle, outcome: Outcome) -> String {
    let reason = reason(obstacle);
    if outcome == Outcome::Without {
        return format!("{reason} Het knooppunt laat het zelf weg; u hoeft niets te doen.");
    }
    let remedy = match obstacle {
        Obstacle::Category(_) | Obstacle::LifeDomain(_) => {
            "Laat het weg. Is het toch nodig, spreek dan met de partners een nieuwe versie van het doel af."
        }
        Obstacle::Special(_) => "Laat het weg.",
        Obstacle::Bsn => "Laat het weg, en noem naam, geboortedatum en adres als het doel die toelaat.",
        Obstacle::BsnByLaw(_) => "Laat het weg, en noem naam, geboortedatum en adres.",
        Obstacle::Feedback => "Kies een waarde die er wel bij staat, of laat het veld weg.",
    };
    format!("{reason} {remedy}")
}

fn reason(obstacle: Obstacle) -> String {
    match obstacle {
        Obstacle::Category(category) => format!("Het doel noemt {category} niet bij `gegevens`."),
        Obstacle::Special(category) => {
            let article = if category == Category::Justice { 10 } else { 9 };
            format!(
                "Dit is een bijzonder gegeven (AVG art. {article}). Het mag alleen mee als het doel {category} noemt bij `bijzondere_gegevens`, met de uitzondering uit de wet. Dit doel doet dat niet."
            )
        }
        Obstacle::Bsn => "Het doel laat het BSN niet toe (`bsn = false`).".to_owned(),
        Obstacle::BsnByLaw(kind) => format!(
            "Het doel laat het BSN toe, maar een {} mag het van de wet niet gebruiken (UAVG art. 46).",
            wording::kind(kind)
        ),
        Obstacle::LifeDomain(domain) => format!("Het doel gaat niet over het leefgebied {domain}."),
        Obstacle::Feedback => {
            "Deze waarde zegt de ontvanger te veel: het doel noemt haar niet bij `terugkoppeling`.".to_owned()
        }
    }
}
