//! What we ship for operators to change is read by the program as it stands.

use std::{collections::BTreeSet, path::Path};

use adapters::Mapping;
use exchange::{
    agreement::Agreement,
    consent::{ConsentRecord, Salts},
    desk::Desk,
    oin::Oin,
    organisation::OrganisationKind,
    purpose::Purpose,
    random::SeededRandom,
};
use node::{
    api::Role,
    config::{
        Api, Client, Config, Connection, Network, Organisation, Processings, Storage, Tls, Tokens, Webhook,
    },
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{FILES, Source, file, none};

const EXAMPLE: &str = "config/schakel.voorbeeld.toml";
const AGREEMENT: &str = "config/convenant.voorbeeld.json";
const CONSENT: &str = "config/toestemming.voorbeeld.json";

/// The number of a consent: the schema takes an RFC 9562 identifier only.
const NUMBER: u128 = 0x7c9e_6679_7425_40de_944b_e07f_c1f9_0ae7;

fn in_folder(folder: &'static str) -> impl Iterator<Item = (&'static str, &'static Source)> {
    let files = FILES.iter().filter(move |source| source.has_extension("toml"));
    files.filter_map(move |source| {
        let name = source.path.strip_prefix(folder)?.strip_prefix('/')?;
        Some((name.strip_suffix(".toml")?, source))
    })
}

fn purposes() -> Vec<Purpose> {
    in_folder("config/doelen")
        .map(|(name, source)| {
            let purpose = Purpose::from_toml(&source.text).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(purpose.content().doel, name, "a purpose stands in the file of its name");
            purpose
        })
        .collect()
}

#[test]
fn every_purpose_is_one() {
    assert!(!purposes().is_empty());
}

#[test]
fn every_mapping_is_one_and_serves_a_purpose() {
    let purposes = purposes();
    let mut count = 0;
    for (name, source) in in_folder("config/adapters") {
        let mapping = Mapping::parse(&source.text, name).unwrap_or_else(|error| panic!("{name}: {error}"));
        let purpose = purposes.iter().find(|purpose| purpose.content().doel == mapping.purpose());
        let rule = purpose.and_then(|purpose| purpose.rule(mapping.message_type()));
        assert!(rule.is_some(), "{name}: no purpose in config/doelen lets it send its messages");
        count += 1;
    }
    assert!(count > 0);
}

/// It is what newcomers write their own after: by form an agreement, between parties that the purpose is for.
#[test]
fn the_example_agreement_is_one_about_a_purpose_that_is_shipped() {
    let agreement =
        Agreement::parse(&file(AGREEMENT).text).unwrap_or_else(|error| panic!("{AGREEMENT}: {error}"));
    let purposes = purposes();
    for clause in &agreement.content().afspraken {
        let purpose = purposes.iter().find(|purpose| purpose.content().doel == clause.doel).unwrap();
        assert_eq!(
            purpose.digest(),
            clause.doel_digest,
            "{AGREEMENT} speaks of another text of {}",
            clause.doel
        );
        let kind = |oin: &Oin| agreement.party(*oin).unwrap().soort;
        for message_type in &clause.berichttypen {
            let rule = purpose.rule(message_type).unwrap();
            assert!(clause.van.iter().all(|oin| rule.van.contains(&kind(oin))), "{message_type}");
            assert!(clause.naar.iter().all(|oin| rule.naar.contains(&kind(oin))), "{message_type}");
        }
    }
}

/// It can be recorded as it stands, to try it, by whoever would ask for consent.
#[test]
fn the_example_consent_is_one_for_a_purpose_that_is_shipped() {
    let text = &file(CONSENT).text;
    let salts = Salts::new(&SeededRandom::new(1));
    let record = ConsentRecord::fill_in(text.as_bytes(), Uuid::from_u128(NUMBER), salts);
    let record = record.unwrap_or_else(|error| panic!("{CONSENT}: {error}"));
    let purposes = purposes();
    let day = "2026-11-03T00:00:00Z".parse().unwrap();
    for kind in OrganisationKind::ALL {
        record.check(kind, &purposes, day).unwrap_or_else(|error| panic!("{CONSENT}: {error}"));
    }
}

#[test]
fn the_example_is_a_configuration() {
    Config::parse(&file(EXAMPLE).text).unwrap_or_else(|error| panic!("{EXAMPLE}: {error}"));
}

/// Every key that the program reads stands in the example, and the other way around.
#[test]
fn the_example_shows_every_key() {
    let read = keys(&serde_json::to_value(everything()).unwrap());
    let example: toml::Table = file(EXAMPLE).text.parse().unwrap();
    let shown = keys(&serde_json::to_value(example).unwrap());
    none("keys that config/schakel.voorbeeld.toml does not show", read.difference(&shown).cloned());
    none("keys in config/schakel.voorbeeld.toml that nothing reads", shown.difference(&read).cloned());
}

fn hook() -> Webhook {
    let some = || "iets".to_owned();
    Webhook {
        naam: some(),
        adres: some(),
        geheim: some().into(),
        gebeurtenissen: Some(BTreeSet::from([some()])),
        intern: true,
        pogingen: 1,
        vertrouwensankers: Some(some().into()),
        certificaat: Some(some().into()),
        sleutel: Some(some().into()),
    }
}

/// A configuration with everything that can be set. A new key has to be added here, and in the example.
fn everything() -> Config {
    let oin = "00000099000000001000".parse().unwrap();
    let some = || "iets".to_owned();
    Config {
        organisatie: Organisation {
            oin,
            naam: some(),
            soort: OrganisationKind::Municipality,
            contact: some(),
            fg: some(),
        },
        netwerk: Network { luister: "127.0.0.1:0".parse().unwrap(), adres: some(), quic: true },
        tls: Tls {
            certificaat: some().into(),
            sleutel: some().into(),
            vertrouwensankers: some().into(),
            crls: vec![some().into()],
            tls12: true,
        },
        opslag: Storage { bestand: some().into(), sleutels: some().into(), doelen: some().into() },
        dataverwerkingen: Some(Processings {
            register: Some(some()),
            adres: Some(some()),
            vertrouwensankers: Some(some().into()),
            kopregels: Some(some().into()),
        }),
        api: Some(Box::new(Api {
            luistert: "127.0.0.1:0".parse().unwrap(),
            certificaat: some().into(),
            sleutel: some().into(),
            vertrouwensankers: Some(some().into()),
            tokens: Some(Tokens {
                uitgever: some(),
                afnemer: some(),
                sleutels: some(),
                vertrouwensankers: Some(some().into()),
                rolclaim: some(),
            }),
            clienten: vec![Client {
                naam: some(),
                vingerafdruk: Some(some()),
                onderwerp: Some(some()),
                rollen: BTreeSet::from(Role::ALL),
            }],
            webhooks: vec![hook()],
        })),
        koppelingen: vec![Connection {
            naam: some(),
            mapping: some().into(),
            ontvanger: oin,
            map: Some(some().into()),
            klaar_dagen: 1,
            fout_dagen: 1,
        }],
        loketten: vec![desk()],
    }
}

fn desk() -> Desk {
    let hours = json!({ "van": "09:00", "tot": "17:00" });
    serde_json::from_value(json!({
        "loket": "iets", "naam": "Iets", "doelen": ["iets"], "berichttypen": ["iets"], "openingstijden": "iets",
        "open": [{ "dag": "maandag", "van": "09:00", "tot": "17:00" }], "ook_op_feestdagen": true,
        "uitzonderingen": [{ "datum": "2026-12-24", "open": [hours] }], "contact": "iets",
        "afwezig": [{ "van": "2026-12-24", "tot": "2026-12-24", "vervanging": "iets" }],
        "opgeheven": { "per": "2026-12-24", "opvolger": "iets" },
    }))
    .unwrap()
}

/// The keys in a value, with those they are in before them.
fn keys(value: &Value) -> BTreeSet<String> {
    let inner = |value: &Value| match value {
        Value::Array(values) => values.iter().flat_map(keys).collect(),
        other => keys(other),
    };
    let Value::Object(members) = value else { return BTreeSet::new() };
    let mut found = BTreeSet::new();
    for (name, value) in members {
        found.insert(name.clone());
        found.extend(inner(value).into_iter().map(|key| format!("{name}.{key}")));
    }
    found
}

/// The configuration a demonstration or `schakel init` writes beside the purposes points at files that are shipped.
#[test]
fn the_example_names_mappings_that_are_shipped() {
    let config = Config::parse(&file(EXAMPLE).text).unwrap();
    for connection in config.koppelingen {
        let name = connection.mapping.file_name().unwrap();
        let shipped = Path::new("config/adapters").join(name);
        assert!(FILES.iter().any(|source| Path::new(&source.path) == shipped), "{}", shipped.display());
    }
}
