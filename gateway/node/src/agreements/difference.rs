//! What differs between two agreements, in words for who must decide about the second.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
};

use exchange::{
    agreement::{Agreement, Content, Party},
    oin::Oin,
    purpose::{OnExcess, OnWithdrawal, Purpose, Rule},
    rulebook::Rulebook,
    urgency::Urgency,
};
use serde::Serialize;

use crate::wording::{self, short_type};

/// The most that is told of one part. Who signs must be able to see it all: an agreement of a hundred parties can differ in ten
/// thousand ways.
const MAX_TOLD: usize = 10_000;

/// One thing that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The part of the agreement: `looptijd`, `partijen`, `afspraken` or `doelen`.
    pub onderdeel: &'static str,
    /// What differs, as a sentence without its full stop.
    pub tekst: String,
}

/// What is other in `new` than in `old`.
pub fn differences(old: &Agreement, new: &Agreement, rules: &Rulebook) -> Vec<Difference> {
    let (old, new) = (old.content(), new.content());
    let mut found = Vec::new();
    let mut note = |onderdeel, told: Vec<String>| {
        let more = told.len().saturating_sub(MAX_TOLD);
        found.extend(told.into_iter().take(MAX_TOLD).map(|tekst| Difference { onderdeel, tekst }));
        if more > 0 {
            found.push(Difference { onderdeel, tekst: format!("en nog {more} andere verschillen") });
        }
    };
    note("looptijd", term(old, new));
    note("partijen", parties(old, new));
    note("afspraken", clauses(old, new));
    note("doelen", purposes(old, new, rules));
    found
}

fn changed<T: PartialEq + Display>(told: &mut Vec<String>, what: &str, old: &T, new: &T) {
    if old != new {
        told.push(format!("{what}: was {old}, wordt {new}"));
    }
}

fn term(old: &Content, new: &Content) -> Vec<String> {
    let mut told = Vec::new();
    changed(&mut told, "groep", &old.groep, &new.groep);
    changed(&mut told, "versie", &old.versie, &new.versie);
    let day = |date: jiff::civil::Date| date.strftime("%d-%m-%Y").to_string();
    changed(&mut told, "eerste dag", &day(old.geldig_van), &day(new.geldig_van));
    changed(&mut told, "laatste dag", &day(old.geldig_tot), &day(new.geldig_tot));
    told
}

fn parties(old: &Content, new: &Content) -> Vec<String> {
    let of = |content: &Content| -> BTreeMap<Oin, Party> {
        content.partijen.iter().map(|party| (party.oin, party.clone())).collect()
    };
    let (before, after) = (of(old), of(new));
    let mut told = Vec::new();
    for (oin, party) in &before {
        match after.get(oin) {
            None => told.push(format!("{} ({oin}) doet niet meer mee", party.naam)),
            Some(now) => told.extend(party_changes(party, now)),
        }
    }
    let joined = after.iter().filter(|(oin, _)| !before.contains_key(oin));
    told.extend(joined.map(|(oin, party)| format!("{} ({oin}, {}) doet nu mee", party.naam, party.soort)));
    told
}

fn party_changes(old: &Party, new: &Party) -> Vec<String> {
    let mut told = Vec::new();
    let of = |what: &str| format!("{what} van {}", old.naam);
    changed(&mut told, &of("naam"), &old.naam, &new.naam);
    changed(&mut told, &of("soort organisatie"), &old.soort, &new.soort);
    changed(&mut told, &of("contact"), &old.contact, &new.contact);
    changed(&mut told, &of("functionaris gegevensbescherming"), &old.fg, &new.fg);
    let keys = |party: &Party| -> BTreeSet<String> {
        party.sleutels.iter().map(|key| key.kid().to_owned()).collect()
    };
    let (before, after) = (keys(old), keys(new));
    told.extend(after.difference(&before).map(|kid| format!("{} krijgt de sleutel {kid} erbij", old.naam)));
    told.extend(before.difference(&after).map(|kid| format!("de sleutel {kid} van {} vervalt", old.naam)));
    if old.logsleutel != new.logsleutel {
        told.push(format!("{} heeft een andere logsleutel", old.naam));
    }
    told
}

/// Who may send what to whom, for which purpose.
type Permissions = BTreeMap<(String, String), BTreeSet<(Oin, Oin)>>;

fn permissions(content: &Content) -> Permissions {
    let mut permissions = Permissions::new();
    for clause in &content.afspraken {
        let pairs = clause.van.iter().flat_map(|from| clause.naar.iter().map(|to| (*from, *to)));
        let pairs: BTreeSet<(Oin, Oin)> = pairs.filter(|(from, to)| from != to).collect();
        for message_type in &clause.berichttypen {
            let key = (clause.doel.clone(), message_type.clone());
            permissions.entry(key).or_default().extend(&pairs);
        }
    }
    permissions
}

fn clauses(old: &Content, new: &Content) -> Vec<String> {
    let (before, after) = (permissions(old), permissions(new));
    let name = |oin: Oin| {
        let mut parties = new.partijen.iter().chain(&old.partijen);
        parties.find(|party| party.oin == oin).map_or_else(|| oin.to_string(), |party| party.naam.clone())
    };
    let none = BTreeSet::new();
    let mut told = Vec::new();
    for key in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
        let (was, is) = (before.get(key).unwrap_or(&none), after.get(key).unwrap_or(&none));
        let what = format!("{} voor {}", short_type(&key.1), key.0);
        for (from, to) in is.difference(was).take(MAX_TOLD + 1) {
            told.push(format!("{} mag nu {what} sturen aan {}", name(*from), name(*to)));
        }
        for (from, to) in was.difference(is).take(MAX_TOLD + 1) {
            told.push(format!("{} mag geen {what} meer sturen aan {}", name(*from), name(*to)));
        }
    }
    told
}

fn purposes(old: &Content, new: &Content, rules: &Rulebook) -> Vec<String> {
    let of = |content: &Content| -> BTreeMap<String, _> {
        content.afspraken.iter().map(|clause| (clause.doel.clone(), clause.doel_digest)).collect()
    };
    let (before, after) = (of(old), of(new));
    let mut told = Vec::new();
    for (name, digest) in &after {
        match before.get(name) {
            None => told.push(format!("het doel {name} komt erbij")),
            Some(was) if was != digest => {
                told.push(format!("de tekst van het doel {name} is een andere"));
                if let (Some(was), Some(is)) = (rules.purpose(*was), rules.purpose(*digest)) {
                    told.extend(texts(was, is).into_iter().map(|one| format!("{name}: {one}")));
                }
            }
            Some(_) => {}
        }
    }
    let gone = before.keys().filter(|name| !after.contains_key(*name));
    told.extend(gone.map(|name| format!("het doel {name} vervalt")));
    told
}

/// What is other in the text of a purpose.
fn texts(old: &Purpose, new: &Purpose) -> Vec<String> {
    let (was, is) = (old.content(), new.content());
    let mut told = Vec::new();
    changed(&mut told, "versie", &was.versie, &is.versie);
    if was.omschrijving != is.omschrijving {
        told.push("de omschrijving is een andere".to_owned());
    }
    sets(&mut told, "wet of afspraak", &set(&was.bronnen), &set(&is.bronnen));
    changed(&mut told, "bewaartermijn in dagen", &was.bewaartermijn_dagen, &is.bewaartermijn_dagen);
    let on_withdrawal = |rule: OnWithdrawal| match rule {
        OnWithdrawal::Wissen => "wissen",
        OnWithdrawal::AndereGrondslag => "andere-grondslag",
    };
    changed(
        &mut told,
        "bij intrekking",
        &on_withdrawal(was.bij_intrekking),
        &on_withdrawal(is.bij_intrekking),
    );
    for rule in &is.berichten {
        let name = short_type(&rule.message_type);
        match old.rule(&rule.message_type) {
            None => told.push(format!("{name} mag nu ook")),
            Some(before) => {
                told.extend(rules_differ(before, rule).into_iter().map(|one| format!("{name}: {one}")));
            }
        }
    }
    let gone = was.berichten.iter().filter(|rule| new.rule(&rule.message_type).is_none());
    told.extend(gone.map(|rule| format!("{} mag niet meer", short_type(&rule.message_type))));
    if told.is_empty() {
        told.push("alleen in woorden die niets toelaten of verbieden".to_owned());
    }
    told
}

fn rules_differ(old: &Rule, new: &Rule) -> Vec<String> {
    let mut told = Vec::new();
    sets(&mut told, "verzender", &old.van, &new.van);
    sets(&mut told, "ontvanger", &old.naar, &new.naar);
    sets(&mut told, "soort gegevens", &old.gegevens, &new.gegevens);
    sets(&mut told, "leefgebied", &old.leefgebieden, &new.leefgebieden);
    let special = |rule: &Rule| -> BTreeSet<String> {
        let named = rule.bijzondere_gegevens.iter();
        named.map(|one| format!("{} ({})", one.categorie, one.uitzondering)).collect()
    };
    sets(&mut told, "bijzondere gegevens", &special(old), &special(new));
    let bases = |rule: &Rule| -> BTreeSet<String> {
        let bases = rule.grondslagen.iter();
        let text = |one: &exchange::purpose::AllowedBasis| {
            let conditions = one.voorwaarden.join(", ");
            let conditions =
                if conditions.is_empty() { String::new() } else { format!(", als {conditions}") };
            format!("{}, {}{conditions}", wording::basis(one.soort), one.artikelen.join("; "))
        };
        bases.map(text).collect()
    };
    sets(&mut told, "grondslag", &bases(old), &bases(new));
    let yes = |yes: bool| if yes { "ja" } else { "nee" };
    changed(&mut told, "BSN", &yes(old.bsn), &yes(new.bsn));
    let excess = |rule: &Rule| match rule.te_veel {
        OnExcess::Weigeren => "weigeren",
        OnExcess::Weglaten => "weglaten",
    };
    changed(&mut told, "wat te veel is", &excess(old), &excess(new));
    let feedback = |rule: &Rule| {
        let told = rule.terugkoppeling.as_ref();
        told.map_or_else(|| "elke waarde".to_owned(), listed)
    };
    changed(&mut told, "terugkoppeling", &feedback(old), &feedback(new));
    for urgency in Urgency::ALL {
        let term = |rule: &Rule| {
            let term = rule.reactietermijn.and_then(|terms| terms.written(urgency));
            term.map_or_else(|| "geen eigen termijn".to_owned(), wording::term)
        };
        changed(&mut told, &format!("reactietermijn bij urgentie {urgency}"), &term(old), &term(new));
    }
    told
}

fn listed(values: &BTreeSet<String>) -> String {
    values.iter().map(|value| format!("\"{value}\"")).collect::<Vec<_>>().join(", ")
}

fn set(list: &[String]) -> BTreeSet<String> {
    list.iter().cloned().collect()
}

fn sets<T: Ord + Display>(told: &mut Vec<String>, what: &str, old: &BTreeSet<T>, new: &BTreeSet<T>) {
    told.extend(new.difference(old).map(|one| format!("{what} erbij: {one}")));
    told.extend(old.difference(new).map(|one| format!("{what} eraf: {one}")));
}

#[cfg(test)]
mod tests;
