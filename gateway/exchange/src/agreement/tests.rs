#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use jiff::civil::date;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::testing::{
    self, ARREARS, FEEDBACK, agreement, answer, clause, content, corporation, in_force, municipality, now,
    oin, party, purpose, signer,
};

fn json_of(content: &Content) -> Value {
    serde_json::to_value(content).unwrap()
}

fn three() -> Content {
    let mut content = content();
    content.partijen.push(party(3, OrganisationKind::SocialService));
    content
}

fn signed(agreement: &Agreement, number: u8, kind: AnswerKind) -> String {
    agreement.answer(kind, now(), &signer(number)).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn the_digest_is_over_the_canonical_text_whatever_the_spelling() {
    let compact = serde_json::to_string(&content()).unwrap();
    let pretty = serde_json::to_string_pretty(&content()).unwrap();
    // serde_json keeps its trees in order of name; the struct is in the order of the protocol.
    let sorted = json_of(&content()).to_string();
    assert_ne!(compact, sorted);
    let digests = [&compact, &pretty, &sorted].map(|text| Agreement::parse(text).unwrap().digest());
    assert_eq!(digests[0], digests[1]);
    assert_eq!(digests[0], digests[2]);
    let read = Agreement::parse(&compact).unwrap();
    assert_eq!(Digest::of(read.text().as_bytes()), read.digest());
    assert_eq!(Agreement::parse(read.text()).unwrap().digest(), read.digest());
    assert_eq!(read.text(), sorted, "which is what JCS makes of plain names and numbers");
}

#[test]
fn another_content_is_another_agreement() {
    let digest = agreement(&content()).digest();
    let mut other = content();
    other.versie = 2;
    assert_ne!(agreement(&other).digest(), digest);
    let mut other = content();
    other.afspraken.reverse();
    assert_ne!(agreement(&other).digest(), digest, "the order of a list is part of the text");
}

#[test]
fn parties_keys_and_log_keys_are_found() {
    let agreement = agreement(&content());
    let key = signer(1).public_key().clone();
    assert_eq!(agreement.party(corporation()).unwrap().oin, corporation());
    assert!(agreement.party(oin(3)).is_none());
    assert_eq!(agreement.key(corporation(), key.kid()), Some(&key));
    assert_eq!(agreement.key(municipality(), key.kid()), None, "a key is of one party");
    assert_eq!(agreement.log_key(corporation()).unwrap().origin(), corporation().log_origin());
    assert!(agreement.log_key(oin(3)).is_none());
}

#[test]
fn what_contradicts_itself_is_refused() {
    type Change = fn(&mut Content);
    let inconsistent = |change: Change| {
        let mut content = content();
        change(&mut content);
        match Agreement::parse(&serde_json::to_string(&content).unwrap()) {
            Err(AgreementError::Inconsistent(what)) => what,
            other => panic!("{other:?}"),
        }
    };
    let cases: [(&str, Change); 8] = [
        ("een organisatie staat er twee keer", |c| {
            let mut again = party(3, OrganisationKind::Municipality);
            again.oin = municipality();
            again.logsleutel = c.partijen[1].logsleutel.clone();
            c.partijen.push(again);
        }),
        ("een sleutel staat er twee keer", |c| {
            let taken = c.partijen[0].sleutels[0].clone();
            c.partijen[1].sleutels.push(taken);
        }),
        ("geldig_tot ligt voor", |c| c.geldig_tot = date(2025, 12, 31)),
        ("geen partij is", |c| c.afspraken[0].naar.push(oin(9))),
        ("geen partij is", |c| c.afspraken[1].van.push(oin(9))),
        ("twee verschillende teksten", |c| c.afspraken[1].doel_digest = Digest::of(b"another text")),
        ("een logsleutel hoort bij een andere", |c| {
            c.partijen[0].logsleutel = c.partijen[1].logsleutel.clone();
        }),
        ("een logsleutel is niet leesbaar", |c| {
            // The right form and length, and a hash that is not the key's.
            let name = &c.partijen[0].logsleutel[..28];
            c.partijen[0].logsleutel = format!("{name}+00000000+{}", "A".repeat(44));
        }),
    ];
    for (expected, change) in cases {
        let what = inconsistent(change);
        assert!(what.contains(expected), "{expected}: {what}");
    }
    let large = format!("{}{}", " ".repeat(MAX_BYTES), json_of(&content()));
    assert!(matches!(Agreement::parse(&large), Err(AgreementError::Inconsistent(_))));
}

#[test]
fn what_the_schema_refuses_is_refused() {
    for (place, value) in [
        ("/versie", json!(0)),
        ("/partijen", json!([])),
        ("/geldig_van", json!("2026-02-30")),
        ("/afspraken/0/berichttypen/0", json!("nl.sociaaldomein.anders.v1")),
        ("/partijen/0/sleutels/0/kid", json!("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")),
    ] {
        let mut changed = json_of(&content());
        *changed.pointer_mut(place).unwrap() = value;
        assert!(matches!(Agreement::parse(&changed.to_string()), Err(AgreementError::Schema(_))), "{place}");
    }
    for text in ["", "[]", "null", "{"] {
        assert!(matches!(Agreement::parse(text), Err(AgreementError::Schema(_))), "{text}");
    }
}

#[test]
fn what_is_wrong_is_said_per_field_in_dutch() {
    let said = |place: &str, value: serde_json::Value| {
        let mut changed = json_of(&content());
        *changed.pointer_mut(place).unwrap() = value;
        Agreement::parse(&changed.to_string()).unwrap_err().to_string()
    };
    let whole = said("/versie", json!(1.0));
    assert!(whole.contains("/versie is geen geheel getal; verwacht: een geheel getal"), "{whole}");
    let key = said("/partijen/0/sleutels/0/kid", json!("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"));
    assert!(key.contains("/partijen/0/sleutels/0 is geen bruikbare sleutel"), "{key}");
    assert!(key.contains("schakel convenant partij"), "{key}");
    let date = said("/geldig_tot", json!("2026-02-30"));
    assert!(date.contains("/geldig_tot") && date.contains("verwacht: een datum als"), "{date}");
    let text = Agreement::parse("{\n  \"groep\": ,").unwrap_err().to_string();
    assert!(text.contains("geen JSON") && text.contains("regel 2"), "{text}");
    for said in [whole, key, date, text] {
        assert!(!["invalid", "expected", " at line "].iter().any(|word| said.contains(word)), "{said}");
    }
}

#[test]
fn it_is_in_force_once_everybody_accepted() {
    let mut agreement = agreement(&three());
    assert_eq!(agreement.standing(now()), Standing::Proposed(vec![oin(1), oin(2), oin(3)]));
    answer(&mut agreement, 2, AnswerKind::Accepted);
    assert_eq!(agreement.standing(now()), Standing::Proposed(vec![oin(1), oin(3)]));
    answer(&mut agreement, 2, AnswerKind::Accepted);
    assert_eq!(agreement.standing(now()), Standing::Proposed(vec![oin(1), oin(3)]), "twice is once");
    answer(&mut agreement, 3, AnswerKind::Accepted);
    answer(&mut agreement, 1, AnswerKind::Accepted);
    assert_eq!(agreement.standing(now()), Standing::InForce);
}

#[test]
fn an_answer_comes_back_as_it_was_given() {
    let mut agreement = agreement(&content());
    let compact = signed(&agreement, 1, AnswerKind::Accepted);
    let answer = agreement.add_answer(&compact).unwrap();
    assert_eq!((answer.by, answer.kind, answer.at), (corporation(), AnswerKind::Accepted, now()));
    assert_eq!(answer.jws, compact);
    assert_eq!(agreement.answers().len(), 1);
    // Said again an hour later: the first stands.
    let later =
        agreement.answer(AnswerKind::Accepted, now() + jiff::SignedDuration::from_hours(1), &signer(1));
    assert_eq!(agreement.add_answer(&later.unwrap()).unwrap().jws, compact);
    assert_eq!(agreement.answers().len(), 1);
}

/// Who accepted cannot reject any more: what it signs then ends the agreement, in whichever order the two are known, and
/// whatever time it says.
#[test]
fn a_rejection_by_who_accepted_is_an_end() {
    let proposal = agreement(&content());
    let early = now() - jiff::SignedDuration::from_hours(24 * 30);
    let rejection = proposal.answer(AnswerKind::Rejected, early, &signer(2)).unwrap();
    let acceptances = [1, 2].map(|number| signed(&proposal, number, AnswerKind::Accepted));
    for order in [[0, 1, 2], [2, 0, 1], [0, 2, 1]] {
        let all = [&acceptances[0], &acceptances[1], &rejection];
        let mut known = proposal.clone();
        for place in order {
            known.add_answer(all[place]).unwrap();
        }
        assert_eq!(known.standing(now()), Standing::Ended(municipality()), "{order:?}");
    }
    let mut refused = proposal;
    refused.add_answer(&acceptances[0]).unwrap();
    refused.add_answer(&rejection).unwrap();
    assert_eq!(refused.standing(now()), Standing::Rejected(municipality()));
}

/// A party that answers a thousand times takes no room from another that wants to end it.
#[test]
fn nobody_can_fill_the_answers() {
    let mut agreement = in_force(&content());
    for second in 0..1000 {
        let again = now() + jiff::SignedDuration::from_secs(second);
        let compact = agreement.answer(AnswerKind::Accepted, again, &signer(1)).unwrap();
        agreement.add_answer(&compact).unwrap();
    }
    assert_eq!(agreement.answers().len(), 2);
    answer(&mut agreement, 2, AnswerKind::Ended);
    assert_eq!(agreement.standing(now()), Standing::Ended(municipality()));
}

#[test]
fn only_a_party_answers_and_only_this_agreement() {
    let mut ours = agreement(&content());
    let mut other = content();
    other.versie = 2;
    let other = agreement(&other);
    let good = signed(&ours, 1, AnswerKind::Accepted);
    let text =
        canonical::text(&json!({"convenant": ours.digest(), "soort": "aanvaard", "tijd": now()})).unwrap();
    let claims_another = {
        // The stranger's signature under the party's name.
        let (input, _) = good.rsplit_once('.').unwrap();
        let forged = signed(&ours, 3, AnswerKind::Accepted);
        format!("{input}.{}", forged.rsplit_once('.').unwrap().1)
    };
    let wrong_text =
        |value: Value| jws::sign(jws::AGREEMENT_ANSWER, value.to_string().as_bytes(), &signer(1));
    for (what, compact) in [
        ("a stranger", signed(&ours, 3, AnswerKind::Accepted)),
        ("a stranger under a party's name", claims_another),
        ("an answer to another version", signed(&other, 1, AnswerKind::Accepted)),
        ("a message", jws::sign(jws::MESSAGE, text.as_bytes(), &signer(1))),
        (
            "an unknown kind",
            wrong_text(json!({"convenant": ours.digest(), "soort": "misschien", "tijd": now()})),
        ),
        ("no time", wrong_text(json!({"convenant": ours.digest(), "soort": "aanvaard"}))),
        (
            "one member more",
            wrong_text(json!({"convenant": ours.digest(), "soort": "aanvaard", "tijd": now(), "mits": true})),
        ),
        ("nothing", String::new()),
        ("half", good[..good.len() / 2].to_owned()),
    ] {
        assert!(matches!(ours.add_answer(&compact), Err(AgreementError::Answer)), "{what}");
    }
    assert!(ours.answers().is_empty());
    assert!(ours.add_answer(&good).is_ok());
}

#[test]
fn the_dates_are_days_in_dutch_time() {
    let mut winter = content();
    (winter.geldig_van, winter.geldig_tot) = (date(2026, 1, 1), date(2026, 1, 31));
    let winter = in_force(&winter);
    for (time, standing) in [
        ("2025-12-31T22:59:59.999999999Z", Standing::NotYet),
        ("2025-12-31T23:00:00Z", Standing::InForce),
        ("2026-01-31T22:59:59.999999999Z", Standing::InForce),
        ("2026-01-31T23:00:00Z", Standing::Expired),
    ] {
        assert_eq!(winter.standing(at(time)), standing, "{time}");
    }
    // One day each on which the clocks change: 23 and 25 hours long, in two different distances from UTC.
    for (day, first, after) in [
        (date(2026, 3, 29), "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"),
        (date(2026, 10, 25), "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"),
    ] {
        let mut content = content();
        (content.geldig_van, content.geldig_tot) = (day, day);
        let agreement = in_force(&content);
        let nano = jiff::SignedDuration::from_nanos(1);
        assert_eq!(agreement.standing(at(first) - nano), Standing::NotYet);
        assert_eq!(agreement.standing(at(first)), Standing::InForce);
        assert_eq!(agreement.standing(at(after) - nano), Standing::InForce);
        assert_eq!(agreement.standing(at(after)), Standing::Expired);
    }
}

#[test]
fn an_agreement_for_ever_has_no_end() {
    let mut content = content();
    content.geldig_tot = date(9999, 12, 31);
    assert_eq!(
        in_force(&content).standing(Timestamp::MAX - jiff::SignedDuration::from_nanos(1)),
        Standing::InForce
    );
}

#[test]
fn before_anybody_answered_its_dates_count_already() {
    let mut content = content();
    content.geldig_tot = date(2026, 6, 30);
    assert_eq!(agreement(&content).standing(now()), Standing::Expired, "who signs now signs nothing");
}

#[test]
fn a_clause_covers_its_parties_its_purpose_and_its_types() {
    let clause = clause(&purpose(), 1, 2, ARREARS);
    let (from, to) = (corporation(), municipality());
    assert!(clause.covers(from, to, testing::PURPOSE, ARREARS));
    assert!(!clause.covers(to, from, testing::PURPOSE, ARREARS));
    assert!(!clause.covers(oin(3), to, testing::PURPOSE, ARREARS));
    assert!(!clause.covers(from, oin(3), testing::PURPOSE, ARREARS));
    assert!(!clause.covers(from, to, "consultatie", ARREARS));
    assert!(!clause.covers(from, to, testing::PURPOSE, FEEDBACK));
    let both = Clause { van: vec![from, to], naar: vec![from, to], ..clause };
    assert!(both.covers(from, to, testing::PURPOSE, ARREARS));
    assert!(!both.covers(from, from, testing::PURPOSE, ARREARS), "nobody sends to itself");
}

#[test]
fn an_answer_has_its_name_on_the_wire() {
    for kind in [AnswerKind::Accepted, AnswerKind::Rejected, AnswerKind::Ended] {
        assert_eq!(serde_json::to_value(kind).unwrap(), json!(kind.as_str()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Every order of any answers, repeats among them, leads to one standing; and what is final stays so.
    #[test]
    fn the_order_of_answers_does_not_matter(
        said in prop::collection::vec((1..=3_u8, prop::sample::select(vec![AnswerKind::Accepted, AnswerKind::Rejected, AnswerKind::Ended])), 0..7),
        order in any::<u64>(),
    ) {
        let proposal = agreement(&three());
        let answers: Vec<String> = said.iter().map(|(number, kind)| signed(&proposal, *number, *kind)).collect();
        let mut shuffled = answers.clone();
        shuffled.sort_by_key(|answer| Digest::of(format!("{order}{answer}").as_bytes()));
        let (mut one, mut other) = (proposal.clone(), proposal);
        let mut was_final = None;
        for compact in &answers {
            one.add_answer(compact).unwrap();
            let standing = one.standing(now());
            if let Some(end) = &was_final {
                prop_assert!(matches!(standing, Standing::Rejected(_) | Standing::Ended(_)), "{standing:?} after {end:?}");
            }
            if matches!(standing, Standing::Rejected(_) | Standing::Ended(_)) {
                was_final = Some(standing);
            }
        }
        for compact in &shuffled {
            other.add_answer(compact).unwrap();
        }
        prop_assert_eq!(one.standing(now()), other.standing(now()));
        if let Standing::Rejected(by) = one.standing(now()) {
            prop_assert!(!one.is_accepted_by(by), "who accepted ends it");
        }
        let all_accepted = (1..=3).all(|number| said.contains(&(number, AnswerKind::Accepted)));
        let nobody_else = said.iter().all(|(_, kind)| *kind == AnswerKind::Accepted);
        prop_assert_eq!(one.standing(now()) == Standing::InForce, all_accepted && nobody_else);
    }

    #[test]
    fn any_answer_is_read_without_harm(text in ".{0,200}") {
        prop_assert!(agreement(&content()).add_answer(&text).is_err());
    }
}
