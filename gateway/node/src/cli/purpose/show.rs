//! `schakel doel tonen`.

use exchange::{
    purpose::{AllowedBasis, Content, OnExcess, OnWithdrawal, Purpose, Rule},
    urgency::Urgency,
};
use schemas::BasisKind;

use super::{Library, WIDTH};
use crate::{
    cli::{Ending, Output},
    listing,
    wording::{self, short_type, wrapped},
};

pub(super) fn show(library: &Library, name: Option<&str>, output: Output) -> anyhow::Result<Ending> {
    if let Some(name) = name {
        let purpose = library.purpose(name)?;
        whole(purpose, output);
        output.answer(&serde_json::json!({ "doelen": [listing::purpose(purpose, true)] }));
        return Ok(Ending::Good);
    }
    if library.purposes.is_empty() {
        output.say("Er zijn hier geen doelen. Zet er een in de map, als .toml-bestand.");
    }
    let width = library.purposes.iter().map(|one| one.content().doel.chars().count()).max().unwrap_or(0);
    for purpose in &library.purposes {
        let content = purpose.content();
        output.say(format!("{:<width$}  versie {}  {}", content.doel, content.versie, content.naam));
    }
    let rows: Vec<_> = library.purposes.iter().map(|one| listing::purpose(one, false)).collect();
    output.answer(&serde_json::json!({ "doelen": rows }));
    Ok(Ending::Good)
}

fn whole(purpose: &Purpose, output: Output) {
    let content = purpose.content();
    output.say(&content.naam);
    output.say(format!("{}, versie {}", content.doel, content.versie));
    output.say(format!("Digest {}\n", purpose.digest()));
    for line in wrapped(&content.omschrijving, WIDTH) {
        output.say(line);
    }
    output.say("");
    item("Rust op", &content.bronnen.join("; "), output);
    item("Bewaren", &format!("{} dagen na ontvangst, daarna weg", content.bewaartermijn_dagen), output);
    if content.berichten.iter().flat_map(|rule| &rule.grondslagen).any(|one| one.soort == BasisKind::Consent)
    {
        let days = purpose.consent_proof_days();
        item("Bewijs", &format!("van de toestemming {days} dagen na het einde, bij wie erom vroeg"), output);
    }
    item("Intrekking", withdrawal(content), output);
    for rule in &content.berichten {
        told(rule, output);
    }
}

const fn withdrawal(content: &Content) -> &'static str {
    match content.bij_intrekking {
        OnWithdrawal::Wissen => "trekt de inwoner de toestemming in, dan wist de ontvanger wat daarop rustte",
        OnWithdrawal::AndereGrondslag => {
            "trekt de inwoner de toestemming in, dan wist de ontvanger wat daarop rustte, of noemt de andere grondslag waarop hij het bewaart"
        }
    }
}

fn told(rule: &Rule, output: Output) {
    output.say(format!("\n{} ({})", wording::title(&rule.message_type), short_type(&rule.message_type)));
    let kinds = |kinds: &std::collections::BTreeSet<_>| {
        kinds.iter().map(|kind| wording::kind(*kind)).collect::<Vec<_>>().join(", ")
    };
    item("Van", &kinds(&rule.van), output);
    item("Naar", &kinds(&rule.naar), output);
    for basis in &rule.grondslagen {
        item("Grondslag", &grounds(basis), output);
    }
    let categories: Vec<String> = rule
        .gegevens
        .iter()
        .map(|one| match (one.as_str(), wording::category(*one)) {
            (name, words) if name == words => words.to_owned(),
            (name, words) => format!("{words} ({name})"),
        })
        .collect();
    item("Gegevens", &listed(&categories, "alleen over de uitwisseling zelf, niet over een persoon"), output);
    for special in &rule.bijzondere_gegevens {
        let words = wording::category(special.categorie);
        item("Bijzonder", &format!("{words}, op grond van {}", special.uitzondering), output);
    }
    item("BSN", if rule.bsn { "ja, tussen wie het van de wet mag gebruiken" } else { "nee" }, output);
    let domains: Vec<&str> = rule.leefgebieden.iter().map(|one| wording::life_domain(*one)).collect();
    item("Leefgebied", &listed(&domains, "geen"), output);
    let excess = match rule.te_veel {
        OnExcess::Weigeren => "staat er meer in, dan gaat het bericht niet weg",
        OnExcess::Weglaten => "staat er meer in, dan laat het knooppunt dat weg en meldt het welke velden",
    };
    item("Te veel", excess, output);
    if let Some(told) = &rule.terugkoppeling {
        item("Melden", &listed(&told.iter().collect::<Vec<_>>(), "niets over hoe het afliep"), output);
    }
    for urgency in Urgency::ALL {
        if let Some(term) = rule.reactietermijn.and_then(|terms| terms.written(urgency)) {
            let (name, when) = response(urgency);
            item(name, &format!("{when}binnen {}", wording::term(term)), output);
        }
    }
}

const fn response(urgency: Urgency) -> (&'static str, &'static str) {
    match urgency {
        Urgency::Normal => ("Reageren", ""),
        Urgency::High => ("", "bij hoge urgentie "),
        Urgency::Crisis => ("", "in een crisis "),
    }
}

fn listed<T: AsRef<str>>(items: &[T], when_none: &str) -> String {
    if items.is_empty() {
        return when_none.to_owned();
    }
    items.iter().map(AsRef::as_ref).collect::<Vec<_>>().join("; ")
}

fn grounds(basis: &AllowedBasis) -> String {
    let mut parts = vec![wording::basis(basis.soort).to_owned()];
    parts.extend(basis.artikelen.iter().cloned());
    let rests_on = parts.join("; ");
    if basis.voorwaarden.is_empty() {
        return rests_on;
    }
    format!("{rests_on}. Alleen als: {}", basis.voorwaarden.join(", "))
}

/// A name with what it is, below each other where it does not fit.
fn item(name: &str, text: &str, output: Output) {
    const NAME: usize = 12;
    for (number, line) in wrapped(text, WIDTH - NAME - 2).iter().enumerate() {
        let name = if number == 0 { name } else { "" };
        output.say(format!("  {name:<NAME$}{line}"));
    }
}
