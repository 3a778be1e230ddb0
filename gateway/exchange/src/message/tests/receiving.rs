//! What a receiver refuses, and in which order.

use super::*;
use crate::consent::ConsentKey;

#[test]
fn a_tampered_message_is_refused_wherever_it_was_tampered_with() {
    let compact = signed(draft()).compact().to_owned();
    let other = signed(Draft { desk: None, ..draft() }).compact().to_owned();
    let parts = |text: &str| text.split('.').map(str::to_owned).collect::<Vec<_>>();
    let (mine, others) = (parts(&compact), parts(&other));
    for (what, tampered) in [
        ("another payload", [&mine[0], &others[1], &mine[2]]),
        ("another signature", [&mine[0], &mine[1], &others[2]]),
        ("no signature", [&mine[0], &mine[1], &String::new()]),
        ("parts out of order", [&mine[1], &mine[0], &mine[2]]),
    ] {
        let tampered = tampered.map(String::as_str).join(".");
        assert_eq!(refused(receive(&tampered)), (Reason::SignatureInvalid, false), "{what}");
    }
    for odd in [
        "",
        ".",
        "..",
        "a.b.c",
        "geen bericht",
        &compact[1..],
        &format!("{compact} "),
        &format!("{compact}\r"),
    ] {
        assert_eq!(refused(receive(odd)), (Reason::SignatureInvalid, false), "{odd}");
    }
}

#[test]
fn a_header_that_lies_is_refused() {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
    let body = BASE64URL.encode(payload().to_string());
    for header in [
        r#"{"alg":"none","typ":"schakel-bericht+jws","kid":"KID"}"#,
        r#"{"alg":"EdDSA","typ":"schakel-bericht+jws","kid":"KID","crit":["b64"],"b64":false}"#,
        r#"{"alg":"EdDSA","typ":"schakel-convenant+jws","kid":"KID"}"#,
        r#"{"alg":"EdDSA","typ":"schakel-bericht+jws","kid":"anders"}"#,
    ] {
        let input =
            format!("{}.{body}", BASE64URL.encode(header.replace("KID", signer(1).public_key().kid())));
        let compact = format!("{input}.{}", BASE64URL.encode(signer(1).sign(input.as_bytes())));
        assert_eq!(refused(receive(&compact)), (Reason::SignatureInvalid, false), "{header}");
    }
}

#[test]
fn the_key_is_one_of_the_sender_in_this_agreement() {
    let payload = payload().to_string();
    // The receiver's own key is in the agreement, and still not the sender's; the third is in no agreement.
    for number in [2, 3] {
        let compact = jws::sign(jws::MESSAGE, payload.as_bytes(), &signer(number));
        assert_eq!(refused(receive(&compact)), (Reason::SignatureInvalid, false), "key {number}");
    }
}

#[test]
fn the_sender_is_the_peer_and_the_receiver_is_this_node() {
    let compact = signed(draft()).compact().to_owned();
    let verify = |peer: u8, me: u8| {
        let verified = ReceivedMessage::new(&compact, oin(peer)).verify(oin(me), &rulebook(), now());
        verified.map(drop).map_err(|refused| refused.refusal().reason)
    };
    assert_eq!(verify(1, 2), Ok(()));
    assert_eq!(verify(3, 2), Err(Reason::WrongSender));
    assert_eq!(verify(2, 2), Err(Reason::WrongSender));
    assert_eq!(verify(1, 3), Err(Reason::NotAddressed));
    assert_eq!(verify(1, 1), Err(Reason::NotAddressed));
    assert_eq!(verify(3, 3), Err(Reason::WrongSender), "who it is comes before whom it is for");
    // Another system of the same organisation is the same sender.
    assert!(receive(&with("source", "urn:nld:oin:00000099000000001000:systeem:zaaksysteem-2")).is_ok());
    let other = receive(&with("source", "urn:nld:oin:00000099000000003000:systeem:schakel"));
    assert_eq!(refused(other), (Reason::WrongSender, false));
}

#[test]
fn the_agreement_is_known_and_in_force_and_covers_the_message() {
    let unknown = receive(&with("convenant", Digest::of(b"another").to_string()));
    assert_eq!(refused(unknown), (Reason::AgreementUnknown, false));
    assert_eq!(refused(receive(&with("doel", "consultatie"))), (Reason::PurposeNotAllowed, true));

    let compact = signed(draft()).compact().to_owned();
    let under = |rulebook: &Rulebook| {
        let verified =
            ReceivedMessage::new(&compact, corporation()).verify(municipality(), rulebook, now()).unwrap();
        refused(verified.admit(rulebook, ConsentKnowledge::NothingElse, now()))
    };
    assert_eq!(
        under(&Rulebook::new([agreement(&content())], [purpose()])),
        (Reason::AgreementNotInForce, true)
    );
    let mut ended = in_force(&content());
    answer(&mut ended, 2, AnswerKind::Ended);
    assert_eq!(under(&Rulebook::new([ended], [purpose()])), (Reason::AgreementNotInForce, true));
    assert_eq!(under(&Rulebook::new([in_force(&content())], [])), (Reason::PurposeNotAllowed, true));
}

#[test]
fn a_clock_may_run_ahead_five_minutes() {
    let compact = signed(draft()).compact().to_owned();
    assert!(receive_at(&compact, now() - MAX_CLOCK_SKEW).is_ok());
    // The sender takes the refusal as final, so the same message gets it again when it is no longer early.
    assert_eq!(refused(receive_at(&compact, now() - MAX_CLOCK_SKEW - NANO)), (Reason::WrongTime, true));
}

#[test]
fn a_message_is_taken_until_it_expires() {
    let message = signed(draft());
    let expires = message.draft().expires;
    assert!(receive_at(message.compact(), expires).is_ok(), "at that very instant");
    let late = receive_at(message.compact(), expires + NANO).expect_err("refused");
    assert_eq!(late.refusal().reason, Reason::Expired);
    assert_eq!(
        late.id(),
        Some(message.draft().id),
        "it may have been admitted in time, and its receipt lost"
    );
    assert_eq!(late.digest(), message.digest());
}

#[test]
fn times_that_do_not_fit_are_refused_without_binding_the_identifier() {
    let id = id::new(now() + MAX_DRIFT + SignedDuration::from_millis(1), &SeededRandom::new(1));
    for (attribute, value) in [
        ("id", json!(id)),
        ("verlooptop", json!(now() - NANO)),
        ("verlooptop", json!(now() + MAX_LIFETIME + NANO)),
        ("time", json!(now() + MAX_DRIFT + SignedDuration::from_secs(1))),
        ("time", json!(now() - MAX_DRIFT - SignedDuration::from_secs(1))),
    ] {
        let refused = refused(receive(&with(attribute, value.clone())));
        assert_eq!(refused, (Reason::WrongTime, false), "{attribute} {value}");
    }
    let drifted = id::new(now() + MAX_DRIFT, &SeededRandom::new(1));
    assert!(receive(&with("id", json!(drifted))).is_ok());
}

#[test]
fn an_envelope_that_cannot_be_read_is_refused_before_anything_in_it_is_believed() {
    for (attribute, value) in [
        ("specversion", json!("0.3")),
        ("id", json!("7c9e6679-7425-40de-944b-e07fc1f90ae7")),
        ("type", json!("nl.sociaaldomein.signalen.onbekend.v1")),
        ("ontvanger", json!("2000")),
        ("verlooptop", json!("2026-12-21")),
        ("loket", json!(null)),
        ("extra", json!(1)),
        ("data", json!([])),
    ] {
        let refused = refused(receive(&with(attribute, value)));
        assert_eq!(refused, (Reason::SchemaInvalid, false), "{attribute}");
    }
    for no_envelope in [&b"{}"[..], b"", b"null", b"\xff\xfe"] {
        let compact = jws::sign(jws::MESSAGE, no_envelope, &signer(1));
        assert_eq!(refused(receive(&compact)), (Reason::SchemaInvalid, false));
    }
}

#[test]
fn data_that_does_not_fit_its_schema_is_refused_once_the_sender_is_known() {
    let other_schema = with("dataschema", "urn:schakel:schema:terugkoppeling:1");
    let next_version = with("dataschema", "urn:schakel:schema:signaal-betalingsachterstand:2");
    let empty = with("data", json!({}));
    let mut data = data();
    data["inhoud"]["bedrag_in_centen"] = json!("508,84");
    for compact in [other_schema, next_version, empty, with("data", data)] {
        let refused = receive(&compact).expect_err("refused");
        assert_eq!(refused.refusal().reason, Reason::SchemaInvalid);
        assert!(refused.id().is_some());
        // What is wrong with it stays out of the answer: it could repeat what is wrong.
        assert!(refused.refusal().about.is_empty());
    }
    // Two members of one name, of which one reader sees the first and another the last.
    let text = payload().to_string();
    let doubled = text.replacen(r#""crisis":false"#, r#""crisis":false,"crisis":true"#, 1);
    assert_ne!(doubled, text);
    let compact = jws::sign(jws::MESSAGE, doubled.as_bytes(), &signer(1));
    assert_eq!(refused(receive(&compact)), (Reason::SchemaInvalid, true));
}

/// One message with every fault, mended one by one: the order is that of the protocol.
#[test]
fn the_first_fault_is_the_reason() {
    let mut payload = payload();
    payload["time"] = json!(now() + SignedDuration::from_hours(2));
    payload["verlooptop"] = json!(now() - SignedDuration::from_hours(2));
    payload["convenant"] = json!(Digest::of(b"another"));
    payload["ontvanger"] = json!(oin(3));
    payload["source"] = json!(oin(3).source_urn());
    payload["doel"] = json!("consultatie");
    payload["data"]["inhoud"]["onbekend"] = json!(true);
    payload["extra"] = json!(1);
    let mut seen = Vec::new();
    let mut step = |payload: &Value, number: u8| {
        let compact = jws::sign(jws::MESSAGE, payload.to_string().as_bytes(), &signer(number));
        seen.push(receive(&compact).err().map(|refused| refused.refusal().reason));
    };
    step(&payload, 3);
    payload.as_object_mut().unwrap().remove("extra");
    step(&payload, 3);
    payload["source"] = json!(corporation().source_urn());
    step(&payload, 3);
    payload["ontvanger"] = json!(municipality());
    step(&payload, 3);
    payload["convenant"] = json!(agreement(&content()).digest());
    step(&payload, 3);
    step(&payload, 1);
    payload["time"] = json!(now() - SignedDuration::from_mins(30));
    payload["verlooptop"] = json!(now() - SignedDuration::from_mins(10));
    step(&payload, 1);
    payload["verlooptop"] = json!(now());
    step(&payload, 1);
    payload["data"]["inhoud"].as_object_mut().unwrap().remove("onbekend");
    step(&payload, 1);
    payload["doel"] = json!(PURPOSE);
    step(&payload, 1);
    assert_eq!(
        seen,
        [
            Some(Reason::SchemaInvalid),
            Some(Reason::WrongSender),
            Some(Reason::NotAddressed),
            Some(Reason::AgreementUnknown),
            Some(Reason::SignatureInvalid),
            Some(Reason::WrongTime),
            Some(Reason::Expired),
            Some(Reason::SchemaInvalid),
            Some(Reason::PurposeNotAllowed),
            None,
        ]
    );
}

#[test]
fn a_refusal_says_what_it_binds() {
    let compact = with("doel", "consultatie");
    let bound = receive(&compact).expect_err("refused");
    let expected = Reception {
        bericht: Digest::of(compact.as_bytes()),
        id: Some(draft().id),
        reden: Some(ReasonCode(Reason::PurposeNotAllowed)),
        regels: None,
        tijd: now(),
        toestemming: None,
        uitkomst: Outcome::Geweigerd,
        van: corporation(),
    };
    assert_eq!(reception(&bound.leaf(now())), expected);
    let conflict = Some(ReasonCode(Reason::DuplicateWithOtherContent));
    assert_eq!(reception(&bound.conflict_leaf(now())), Reception { reden: conflict, ..expected.clone() });

    let unbound = receive("geen bericht").expect_err("refused");
    assert_eq!(
        reception(&unbound.leaf(now())),
        Reception {
            bericht: Digest::of(b"geen bericht"),
            id: None,
            reden: Some(ReasonCode(Reason::SignatureInvalid)),
            ..expected
        }
    );
}

#[test]
fn what_is_known_of_a_consent_counts_on_arrival() {
    let purpose =
        purpose_with(|content| content.berichten[0].grondslagen[0].soort = schemas::BasisKind::Consent);
    let (rulebook, digest) = rulebook_on(purpose);
    let draft = Draft { agreement: digest, ..draft_of(&with_consent(data())) };
    let message = draft.permit(&rulebook, ConsentKnowledge::NothingElse).unwrap().sign(&signer(1)).unwrap();
    let verified = || {
        let received = ReceivedMessage::new(message.compact(), corporation());
        received.verify(municipality(), &rulebook, now()).unwrap()
    };
    let id: Uuid = "7c9e6679-7425-40de-944b-e07fc1f90ae7".parse().unwrap();
    let extract = message.consent().map(|used| Digest::of(used.extract.as_bytes()));
    assert!(extract.is_some());
    let Ok(Entry::Verzending { toestemming, .. }) = Entry::of_leaf(&message.leaf()) else {
        panic!("a sending")
    };
    let admitted = verified().admit(&rulebook, ConsentKnowledge::NothingElse, now()).unwrap();
    assert_eq!((toestemming, reception(&admitted.leaf(now())).toestemming), (extract, extract));
    assert_eq!(reception(&admitted.conflict_leaf(now())).toestemming, None, "it was not admitted on it");
    let consent = ConsentKey { holder: corporation(), id };
    assert_eq!(verified().claimed_consent(), Some(consent));
    let admitted = verified().admit(&rulebook, ConsentKnowledge::NothingElse, now()).unwrap();
    assert_eq!(admitted.consent().map(|used| used.key), Some(consent));
    assert_eq!(message.consent(), admitted.consent(), "sender and receiver file it under the same consent");
    let withdrawn = verified().admit(&rulebook, ConsentKnowledge::Withdrawn, now());
    assert_eq!(refused(withdrawn), (Reason::ConsentWithdrawn, true));

    let without = signed(super::draft());
    let received = ReceivedMessage::new(without.compact(), corporation());
    assert_eq!(received.verify(municipality(), &super::rulebook(), now()).unwrap().claimed_consent(), None);
}

/// A third party of the same agreement cannot send in another's name, nor get what was meant for another.
#[test]
fn a_party_speaks_only_for_itself() {
    let mut content = content();
    content.partijen.push(party(3, crate::organisation::OrganisationKind::HousingCorporation));
    content.afspraken[0].van.push(oin(3));
    content.afspraken[0].naar.push(oin(3));
    let mut agreement = in_force(&content);
    answer(&mut agreement, 3, AnswerKind::Accepted);
    let digest = agreement.digest();
    let rulebook = Rulebook::new([agreement], [purpose()]);
    let draft = Draft { agreement: digest, ..draft() };
    let message = draft.permit(&rulebook, ConsentKnowledge::NothingElse).unwrap().sign(&signer(1)).unwrap();
    let verify = |compact: &str, peer: u8, me: u8| {
        let verified = ReceivedMessage::new(compact, oin(peer)).verify(oin(me), &rulebook, now());
        verified.map(drop).map_err(|refused| refused.refusal().reason)
    };
    assert_eq!(verify(message.compact(), 1, 2), Ok(()));
    assert_eq!(verify(message.compact(), 3, 2), Err(Reason::WrongSender), "passed on");
    assert_eq!(verify(message.compact(), 1, 3), Err(Reason::NotAddressed), "delivered elsewhere");
    let mut payload = payload();
    payload["convenant"] = json!(digest);
    let in_name_of_first = jws::sign(jws::MESSAGE, payload.to_string().as_bytes(), &signer(3));
    assert_eq!(verify(&in_name_of_first, 1, 2), Err(Reason::SignatureInvalid));
    payload["source"] = json!(oin(3).source_urn());
    let with_key_of_first = jws::sign(jws::MESSAGE, payload.to_string().as_bytes(), &signer(1));
    assert_eq!(verify(&with_key_of_first, 3, 2), Err(Reason::SignatureInvalid));
}

proptest! {
    #[test]
    fn any_line_is_refused_without_harm(line in ".{0,300}") {
        prop_assert_eq!(refused(receive(&line)), (Reason::SignatureInvalid, false));
    }

    #[test]
    fn any_payload_is_judged_without_harm(payload in prop::collection::vec(any::<u8>(), 0..300)) {
        let compact = jws::sign(jws::MESSAGE, &payload, &signer(1));
        prop_assert_eq!(refused(receive(&compact)), (Reason::SchemaInvalid, false));
    }

    /// Whatever the sender signs at some moment is admitted by a receiver with the same rules at that moment.
    #[test]
    fn what_is_signed_is_admitted(
        drift in -3_600_000_i64..=3_600_000,
        life in 0..=i64::try_from(MAX_LIFETIME.as_millis()).unwrap(),
        seed: u64,
        desk in prop::option::of("[a-z0-9-]{1,64}"),
        case in any::<u128>().prop_map(|bits| uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid()),
    ) {
        let id = id::new(now() + SignedDuration::from_millis(drift), &SeededRandom::new(seed));
        let expires = now() + SignedDuration::from_millis(life);
        let draft = Draft { id, case, desk, expires, ..draft() };
        let permitted = draft.permit(&rulebook(), ConsentKnowledge::NothingElse).unwrap();
        match permitted.sign(&signer(1)) {
            Ok(message) => prop_assert!(receive(message.compact()).is_ok()),
            Err(held_back) => prop_assert_eq!(held_back.refusal().reason, Reason::WrongTime),
        }
    }
}
