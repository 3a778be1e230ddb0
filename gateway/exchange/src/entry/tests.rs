#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{canonical, consent::WhatWasDone, testing};

fn digest(of: &str) -> Digest {
    Digest::of(of.as_bytes())
}

fn text(entry: &Entry) -> String {
    String::from_utf8(entry.leaf().into_bytes()).unwrap()
}

/// One of each kind, as the protocol shows them.
#[expect(clippy::too_many_lines, reason = "a list")]
fn each() -> [(Entry, &'static str); 10] {
    let (me, partner) = (testing::corporation(), testing::municipality());
    let tijd = testing::now();
    let id = Uuid::from_u128(0x019a_a5a1_3e3b_7000_8000_0000_0000_0001);
    [
        (
            Entry::Begin { oin: me, tijd },
            r#"{"oin":"00000099000000001000","soort":"begin","tijd":"2026-11-21T09:30:00.123Z"}"#,
        ),
        (
            Entry::Verzending {
                bericht: digest("a"),
                id,
                naar: partner,
                regels: digest("b"),
                tijd,
                toestemming: None,
            },
            r#"{"bericht":"sha256:ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb","id":"019aa5a1-3e3b-7000-8000-000000000001","naar":"00000099000000002000","regels":"sha256:3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d","soort":"verzending","tijd":"2026-11-21T09:30:00.123Z"}"#,
        ),
        (
            Entry::Tegengehouden {
                doel: Some("vroegsignalering-huur".into()),
                naar: partner,
                reden: ReasonCode(Reason::ConditionNotMet),
                tijd,
            },
            r#"{"doel":"vroegsignalering-huur","naar":"00000099000000002000","reden":"voorwaarde-niet-vervuld","soort":"tegengehouden","tijd":"2026-11-21T09:30:00.123Z"}"#,
        ),
        (
            Entry::Ontvangst(Reception {
                bericht: digest("a"),
                id: Some(id),
                reden: None,
                regels: Some(digest("b")),
                tijd,
                toestemming: None,
                uitkomst: Outcome::Toegelaten,
                van: me,
            }),
            r#"{"bericht":"sha256:ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb","id":"019aa5a1-3e3b-7000-8000-000000000001","regels":"sha256:3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d","soort":"ontvangst","tijd":"2026-11-21T09:30:00.123Z","uitkomst":"toegelaten","van":"00000099000000001000"}"#,
        ),
        (
            Entry::Ontvangst(Reception {
                bericht: digest("a"),
                id: None,
                reden: Some(ReasonCode(Reason::SignatureInvalid)),
                regels: None,
                tijd,
                toestemming: None,
                uitkomst: Outcome::Geweigerd,
                van: me,
            }),
            r#"{"bericht":"sha256:ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb","reden":"handtekening-ongeldig","soort":"ontvangst","tijd":"2026-11-21T09:30:00.123Z","uitkomst":"geweigerd","van":"00000099000000001000"}"#,
        ),
        (
            Entry::Toestemming {
                bewijs: Some(digest("a")),
                gebeurtenis: ConsentHappening::Verwerkt,
                houder: me,
                tijd,
                toestemming: id,
                uitkomst: Some(WhatWasDone::Gewist),
            },
            r#"{"bewijs":"sha256:ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb","gebeurtenis":"verwerkt","houder":"00000099000000001000","soort":"toestemming","tijd":"2026-11-21T09:30:00.123Z","toestemming":"019aa5a1-3e3b-7000-8000-000000000001","uitkomst":"gewist"}"#,
        ),
        (
            Entry::Raadpleging { bewijs: digest("a"), tijd },
            r#"{"bewijs":"sha256:ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb","soort":"raadpleging","tijd":"2026-11-21T09:30:00.123Z"}"#,
        ),
        (
            Entry::Convenant {
                antwoord: AnswerKind::Accepted,
                bewijs: digest("a"),
                convenant: digest("b"),
                door: partner,
                tijd,
            },
            r#"{"antwoord":"aanvaard","bewijs":"sha256:ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb","convenant":"sha256:3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d","door":"00000099000000002000","soort":"convenant","tijd":"2026-11-21T09:30:00.123Z"}"#,
        ),
        (
            Entry::Wissing { gewist: vec![3, 41, 1_099_511_627_775], reden: ErasureCause::Request, tijd },
            r#"{"gewist":[3,41,1099511627775],"reden":"verzoek","soort":"wissing","tijd":"2026-11-21T09:30:00.123Z"}"#,
        ),
        (
            Entry::Alarm { aard: Contradiction::Herschreven, bewijs: digest("a"), logboek: partner, tijd },
            r#"{"aard":"herschreven","bewijs":"sha256:ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb","logboek":"00000099000000002000","soort":"alarm","tijd":"2026-11-21T09:30:00.123Z"}"#,
        ),
    ]
}

/// Of a message that rests on a consent.
fn on_consent() -> [(Entry, &'static str); 2] {
    let (me, partner, tijd) = (testing::corporation(), testing::municipality(), testing::now());
    let id = Uuid::from_u128(0x019a_a5a1_3e3b_7000_8000_0000_0000_0001);
    [
        (
            Entry::Verzending {
                bericht: digest("a"),
                id,
                naar: partner,
                regels: digest("b"),
                tijd,
                toestemming: Some(digest("c")),
            },
            r#"{"bericht":"sha256:ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb","id":"019aa5a1-3e3b-7000-8000-000000000001","naar":"00000099000000002000","regels":"sha256:3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d","soort":"verzending","tijd":"2026-11-21T09:30:00.123Z","toestemming":"sha256:2e7d2c03a9507ae265ecf5b5356885a53393a2029d241394997265a1a25aefc6"}"#,
        ),
        (
            Entry::Ontvangst(Reception {
                bericht: digest("a"),
                id: Some(id),
                reden: None,
                regels: Some(digest("b")),
                tijd,
                toestemming: Some(digest("c")),
                uitkomst: Outcome::Toegelaten,
                van: me,
            }),
            r#"{"bericht":"sha256:ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb","id":"019aa5a1-3e3b-7000-8000-000000000001","regels":"sha256:3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d","soort":"ontvangst","tijd":"2026-11-21T09:30:00.123Z","toestemming":"sha256:2e7d2c03a9507ae265ecf5b5356885a53393a2029d241394997265a1a25aefc6","uitkomst":"toegelaten","van":"00000099000000001000"}"#,
        ),
    ]
}

#[test]
fn each_kind_has_the_leaf_of_the_protocol() {
    for (entry, leaf) in each().into_iter().chain(on_consent()) {
        assert_eq!(text(&entry), leaf);
    }
}

#[test]
fn a_leaf_with_a_member_that_is_not_known_is_read_only_when_it_is_a_partners() {
    for (entry, leaf) in each().into_iter().chain(on_consent()) {
        let more = Leaf::new(leaf.replace(r#""soort""#, r#""later":true,"soort""#).into_bytes());
        match &entry {
            Entry::Ontvangst(_) => assert_eq!(Entry::of_leaf(&more).unwrap(), entry),
            _ => assert!(Entry::of_leaf(&more).is_err()),
        }
    }
}

#[test]
fn what_is_no_entry_is_refused() {
    let reception = each()[3].1;
    for wrong in [
        "",
        "{}",
        "null",
        r#"{"soort":"anders"}"#,
        &reception.replace("toegelaten", "misschien"),
        &reception.replace("sha256", "sha1"),
        &reception.replace(r#""soort":"ontvangst","#, ""),
        &reception.replace(r#","van":"00000099000000001000""#, ""),
        &each()[4].1.replace("handtekening-ongeldig", "zomaar"),
        &reception[1..],
    ] {
        assert!(Entry::of_leaf(&Leaf::new(wrong.into())).is_err(), "{wrong}");
    }
}

#[test]
fn the_reason_has_the_code_of_its_refusal() {
    for reason in Reason::ALL {
        let code = serde_json::to_value(ReasonCode(reason)).unwrap();
        assert_eq!(code, json!(reason.code()));
        assert_eq!(serde_json::from_value::<ReasonCode>(code).unwrap(), ReasonCode(reason));
    }
}

/// Every leaf that the way of a message makes, against every value of its data.
#[test]
fn nothing_of_the_person_reaches_the_log() {
    fn values(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => members.values().for_each(|value| values(value, found)),
            Value::Array(items) => items.iter().for_each(|value| values(value, found)),
            Value::Bool(_) | Value::Null => {}
            Value::String(text) => found.push(text.clone()),
            Value::Number(number) => found.push(number.to_string()),
        }
    }
    let mut person = Vec::new();
    for part in ["betrokkene", "inhoud"] {
        values(&testing::data()[part], &mut person);
    }
    // Numbers of one or two digits are in every digest.
    person.retain(|value| value.len() > 3);
    assert!(person.contains(&"Brouwer".to_owned()));

    let signed = testing::signed(testing::draft());
    let mut unmet = testing::data();
    unmet["grondslag"]["voorwaarden"]["persoonlijk-contact"] = false.into();
    let held_back = testing::draft_of(&unmet)
        .permit(&testing::rulebook(), crate::policy::ConsentKnowledge::NothingElse)
        .unwrap_err();
    let mut leaves = vec![signed.leaf(), held_back.leaf()];
    for peer in [testing::corporation(), testing::municipality()] {
        let received = crate::message::ReceivedMessage::new(signed.compact(), peer);
        match received.verify(testing::municipality(), &testing::rulebook(), testing::now()) {
            Ok(verified) => {
                let admitted = verified.admit(
                    &testing::rulebook(),
                    crate::policy::ConsentKnowledge::NothingElse,
                    testing::now(),
                );
                let admitted = admitted.unwrap();
                leaves.extend([admitted.leaf(testing::now()), admitted.conflict_leaf(testing::now())]);
            }
            Err(refused) => {
                leaves.extend([refused.leaf(testing::now()), refused.conflict_leaf(testing::now())]);
            }
        }
    }
    for leaf in leaves {
        // The purpose is not about the person, and names a kind of debt.
        let text = String::from_utf8(leaf.into_bytes()).unwrap().replace(testing::PURPOSE, "");
        for value in &person {
            assert!(!text.contains(value.as_str()), "{value} in {text}");
        }
    }
}

prop_compose! {
    fn any_oin()(text in "[0-9]{8}[0-9A-Z]{12}") -> Oin { text.parse().unwrap() }
}

prop_compose! {
    fn any_time()(second in -377_705_023_201_i64..253_402_207_200, nano in 0..1_000_000_000) -> Timestamp {
        Timestamp::new(second, nano).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

fn any_digest() -> impl Strategy<Value = Digest> {
    any::<[u8; 32]>().prop_map(Digest::from_bytes)
}

fn any_reason() -> impl Strategy<Value = ReasonCode> {
    prop::sample::select(&Reason::ALL[..]).prop_map(ReasonCode)
}

fn any_reception() -> impl Strategy<Value = Reception> {
    let parts = (
        any_digest(),
        prop::option::of(any::<u128>().prop_map(Uuid::from_u128)),
        prop::option::of(any_reason()),
        prop::option::of(any_digest()),
        any_time(),
        prop::option::of(any_digest()),
        prop::sample::select(vec![Outcome::Toegelaten, Outcome::Geweigerd]),
        any_oin(),
    );
    parts.prop_map(|(bericht, id, reden, regels, tijd, toestemming, uitkomst, van)| Reception {
        bericht,
        id,
        reden,
        regels,
        tijd,
        toestemming,
        uitkomst,
        van,
    })
}

fn any_entry() -> impl Strategy<Value = Entry> {
    let id = any::<u128>().prop_map(Uuid::from_u128);
    let kind = prop::sample::select(vec![AnswerKind::Accepted, AnswerKind::Rejected, AnswerKind::Ended]);
    let causes = vec![ErasureCause::Retention, ErasureCause::Withdrawal, ErasureCause::Request];
    let cause = prop::sample::select(causes);
    let contradiction = prop::sample::select(vec![
        Contradiction::Gesplitst,
        Contradiction::Herschreven,
        Contradiction::Ingekort,
    ]);
    prop_oneof![
        (any_oin(), any_time()).prop_map(|(oin, tijd)| Entry::Begin { oin, tijd }),
        (any_digest(), id, any_oin(), any_digest(), any_time(), prop::option::of(any_digest())).prop_map(
            |(bericht, id, naar, regels, tijd, toestemming)| Entry::Verzending {
                bericht,
                id,
                naar,
                regels,
                tijd,
                toestemming
            }
        ),
        (prop::option::of(".{0,40}"), any_oin(), any_reason(), any_time())
            .prop_map(|(doel, naar, reden, tijd)| Entry::Tegengehouden { doel, naar, reden, tijd }),
        any_reception().prop_map(Entry::Ontvangst),
        (
            prop::option::of(any_digest()),
            prop::sample::select(&ConsentHappening::ALL[..]),
            any_oin(),
            any_time(),
            any::<u128>().prop_map(Uuid::from_u128),
            prop::option::of(prop::sample::select(&WhatWasDone::ALL[..])),
        )
            .prop_map(|(bewijs, gebeurtenis, houder, tijd, toestemming, uitkomst)| {
                Entry::Toestemming { bewijs, gebeurtenis, houder, tijd, toestemming, uitkomst }
            }),
        (contradiction, any_digest(), any_oin(), any_time())
            .prop_map(|(aard, bewijs, logboek, tijd)| Entry::Alarm { aard, bewijs, logboek, tijd }),
        (any_digest(), any_time()).prop_map(|(bewijs, tijd)| Entry::Raadpleging { bewijs, tijd }),
        (kind, any_digest(), any_digest(), any_oin(), any_time()).prop_map(
            |(antwoord, bewijs, convenant, door, tijd)| Entry::Convenant {
                antwoord,
                bewijs,
                convenant,
                door,
                tijd
            }
        ),
        (prop::collection::vec(0_u64..1 << 40, 0..=MAX_ERASED_PER_ENTRY), cause, any_time())
            .prop_map(|(gewist, reden, tijd)| Entry::Wissing { gewist, reden, tijd }),
    ]
}

#[test]
fn an_erasure_fits_in_a_leaf() {
    let gewist = vec![(1 << 40) - 1; MAX_ERASED_PER_ENTRY];
    for reden in [ErasureCause::Retention, ErasureCause::Withdrawal, ErasureCause::Request] {
        let leaf = Entry::Wissing { gewist: gewist.clone(), reden, tijd: testing::now() }.leaf();
        assert!(leaf.bytes().len() <= crate::receipt::MAX_LEAF_BYTES, "{}", leaf.bytes().len());
        assert_eq!(serde_json::to_value(reden).unwrap(), json!(reden.as_str()));
    }
}

proptest! {
    #[test]
    fn a_leaf_is_jcs_and_reads_back(entry in any_entry()) {
        prop_assert_eq!(text(&entry), canonical::text(&entry).unwrap());
        prop_assert_eq!(Entry::of_leaf(&entry.leaf()).unwrap(), entry);
    }

    /// Reading a part of an entry says the same as reading all of it.
    #[test]
    fn a_leaf_is_about_the_message_of_its_entry(entry in any_entry()) {
        let leaf = entry.leaf();
        let members: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(leaf.bytes()).unwrap();
        let member = |name: &str| members.get(name).and_then(serde_json::Value::as_str);
        let logged = |message: Digest, partner| Logged {
            message,
            partner,
            id: member("id"),
            rules: member("regels"),
            consent: member("toestemming"),
            at: member("tijd").unwrap(),
        };
        let about = match &entry {
            Entry::Verzending { bericht, .. } => About::Sent(logged(*bericht, member("naar").unwrap())),
            Entry::Ontvangst(reception) => About::Received {
                message: logged(reception.bericht, member("van").unwrap()),
                outcome: reception.uitkomst,
                reason: reception.reden.map(|reason| reason.0.code()),
            },
            Entry::Begin { .. } | Entry::Tegengehouden { .. } => About::Nothing,
            _ => About::Entry(entry.clone()),
        };
        prop_assert_eq!(About::leaf(&leaf), Some(about));
    }

    #[test]
    fn any_leaf_is_read_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        prop_assert!(Entry::of_leaf(&Leaf::new(bytes)).is_err());
    }
}
