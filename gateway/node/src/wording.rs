//! The words of the rules as people read them. The names on the wire stay beside them where somebody may look for them.

use exchange::{organisation::OrganisationKind, purpose::Term};
use schemas::{BasisKind, Category, LifeDomain, SchemaName};

/// A category of data.
pub(crate) const fn category(category: Category) -> &'static str {
    match category {
        Category::Process => "gegevens over de uitwisseling zelf",
        Category::Identification => "naam en geboortedatum",
        Category::CitizenNumber => "burgerservicenummer (BSN)",
        Category::Address => "adres",
        Category::Contact => "telefoon en e-mail, en of de inwoner is bereikt",
        Category::Financial => "inkomen, uitkering en schulden",
        Category::Household => "wie er in het huishouden wonen",
        Category::Situation => "hoe het gaat op een leefgebied",
        Category::Wish => "wat de inwoner zelf wil",
        Category::Support => "hulp die er is, was of komt, en van wie",
        Category::Health => "gezondheid",
        Category::Addiction => "verslaving",
        Category::Justice => "justitie: strafbare feiten",
    }
}

/// A life domain.
pub(crate) const fn life_domain(domain: LifeDomain) -> &'static str {
    match domain {
        LifeDomain::Housing => "wonen",
        LifeDomain::Finances => "financiën",
        LifeDomain::WorkAndDay => "werk en dagbesteding",
        LifeDomain::Education => "onderwijs",
        LifeDomain::SocialRelations => "sociale relaties",
        LifeDomain::Parenting => "opvoeding",
        LifeDomain::PhysicalHealth => "lichamelijke gezondheid",
        LifeDomain::MentalHealth => "psychische gezondheid",
        LifeDomain::Addiction => "verslaving",
        LifeDomain::Meaning => "zingeving",
        LifeDomain::Safety => "veiligheid",
        LifeDomain::Justice => "justitie",
        LifeDomain::SelfReliance => "zelfredzaamheid",
    }
}

/// A legal basis with its place in the law.
pub(crate) const fn basis(basis: BasisKind) -> &'static str {
    match basis {
        BasisKind::Consent => "toestemming (AVG art. 6 lid 1 onder a)",
        BasisKind::Contract => "overeenkomst (AVG art. 6 lid 1 onder b)",
        BasisKind::LegalObligation => "wettelijke verplichting (AVG art. 6 lid 1 onder c)",
        BasisKind::VitalInterest => "vitaal belang (AVG art. 6 lid 1 onder d)",
        BasisKind::PublicTask => "publieke taak (AVG art. 6 lid 1 onder e)",
        BasisKind::LegitimateInterest => "gerechtvaardigd belang (AVG art. 6 lid 1 onder f)",
    }
}

/// A kind of organisation.
pub(crate) const fn kind(kind: OrganisationKind) -> &'static str {
    match kind {
        OrganisationKind::Municipality => "gemeente",
        OrganisationKind::HousingCorporation => "woningcorporatie",
        OrganisationKind::SocialService => "sociale dienst",
        OrganisationKind::Uwv => "UWV",
        OrganisationKind::FixedCostsProvider => "vastelastenpartner",
        OrganisationKind::CareProvider => "zorgaanbieder",
        OrganisationKind::Welfare => "welzijnsorganisatie",
        OrganisationKind::NeighbourhoodTeam => "wijkteam",
    }
}

/// The length of a term.
pub(crate) fn term(term: Term) -> String {
    let (amount, one, more) = match term {
        Term::Hours(amount) => (amount, "uur", "uur"),
        Term::WorkingDays(amount) => (amount, "werkdag", "werkdagen"),
        Term::Days(amount) => (amount, "dag", "dagen"),
        Term::Weeks(amount) => (amount, "week", "weken"),
    };
    format!("{amount} {}", if amount == 1 { one } else { more })
}

/// A message type without what all of them have in common, as it can be given to a command.
pub(crate) fn short_type(message_type: &str) -> &str {
    let bare = message_type.strip_prefix("nl.sociaaldomein.").unwrap_or(message_type);
    bare.strip_suffix(".v1").unwrap_or(bare)
}

/// What a message type is called, by the title of its schema.
pub(crate) fn title(message_type: &str) -> String {
    let schema = SchemaName::of_message_type(message_type).map(schemas::source);
    let schema = schema.and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok());
    let title = schema.as_ref().and_then(|schema| schema["title"].as_str());
    title.unwrap_or_else(|| short_type(message_type)).to_owned()
}

/// `text` in lines of at most `width` characters, broken between words. A word that is longer has a line of its own.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests;
