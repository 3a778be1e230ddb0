#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use exchange::{digest::Digest, message::Draft, organisation::OrganisationKind, purpose::Purpose};
use jiff::{SignedDuration, Timestamp};
use schemas::SchemaName;
use serde_json::json;
use store::{Access, Actor, Deed, Filter, Reason, Why};
use uuid::Uuid;

use super::*;
use crate::{
    agreements::tests::{Group, oin, purpose, signer},
    assets::PURPOSES,
    inbound,
    outbound::LIFETIME,
};

fn access(core: &Core) -> Access {
    let why = Why::new(Reason::Dossier, None, None).unwrap();
    Access { who: Actor::person("balie", None).unwrap(), what: Deed::Besluit, why, when: core.now() }
}

/// A consent that organisation 0 asks for, so that 1 may have something, given an hour ago.
async fn grant(core: &Core) -> Uuid {
    let (_, text) = PURPOSES.iter().find(|(name, _)| *name == "hulp-met-toestemming.toml").unwrap();
    let record = json!({
        "betrokkene": {
            "naam": { "voorletters": "E.", "voorvoegsel": "van den", "achternaam": "Brouwer" },
            "geboortedatum": "1974-01-20",
            "adres": { "straat": "Lindelaan", "huisnummer": 19, "postcode": "4906AN", "woonplaats": "Rivierstad" },
        },
        "inhoud": {
            "verleend_aan": [oin(1)], "doelen": ["hulp-met-toestemming"],
            "gegevens": { "categorieen": ["identificatie"], "leefgebieden": [] },
            "verleend_op": core.now() - SignedDuration::from_hours(1),
            "geldig_tot": core.now() + SignedDuration::from_hours(24),
            "wijze": "schriftelijk",
            "vrijheid": {
                "gevolg_van_weigeren": "Geen.", "hulp_hangt_ervan_af": false, "taal": "nl", "steun_aanwezig": true,
                "uitgelegd_door": { "organisatie": "Gemeente", "functie": "consulent" }, "gewezen_op_intrekken": true,
            },
            "bewijs": { "soort": "formulier", "kenmerk": "TF-1" },
        },
    });
    let purposes = [Purpose::from_toml(text).unwrap()];
    let rules = (OrganisationKind::Municipality, purposes.as_slice());
    register::grant(core, access(core), record.to_string().as_bytes(), rules).await.unwrap().id()
}

/// A partner may have said when the resident withdrew it, which cannot be before it was given or after now.
#[tokio::test]
async fn a_withdrawal_is_of_when_it_can_be() {
    let group = Group::new(1).await;
    let core = &group.cores[0];
    let hour = SignedDuration::from_hours(1);
    for (said, believed) in [(-2, -1), (0, 0), (5, 0)] {
        let id = grant(core).await;
        let at = |hours: i32| core.now() + hour * hours;
        assert!(register::withdraw(core, access(core), id, at(said)).await.unwrap());
        let known = core.store.consent(ConsentKey { holder: core.me, id }).await.unwrap().unwrap();
        assert_eq!((known.ended, known.withdrawn), (Some(at(believed)), Some(core.now())), "{said}");
    }
}

/// What an organisation says that it did, delivered to organisation 0; gives why it was refused.
async fn confirm(group: &Group, agreement: Digest, (by, id): (usize, Uuid)) -> Option<String> {
    let (core, sender) = (&group.cores[0], &group.cores[by]);
    let now: Timestamp = sender.now();
    let content = json!({
        "toestemming_id": id, "houder": core.me, "verwerkt_op": now, "uitkomst": "gewist",
    });
    let draft = Draft {
        id: sender.new_id(),
        from: sender.me,
        to: core.me,
        agreement,
        purpose: purpose().content().doel.clone(),
        case: sender.new_id(),
        desk: None,
        time: now,
        expires: now + LIFETIME,
        document: ending::about(SchemaName::ConsentProcessed, &content).unwrap(),
    };
    let permitted = draft.permit(&core.rules(), ConsentKnowledge::NothingElse).unwrap();
    let message = permitted.sign(&signer(by)).unwrap();
    inbound::receive(core, sender.me, message.compact().as_bytes()).await.unwrap();
    let rows = core.store.messages(Filter { limit: 100, ..Filter::default() }).await.unwrap();
    rows.into_iter().last().unwrap().reason
}

/// Only whom the consent names says what it did, of a consent that there is.
#[tokio::test]
async fn a_confirmation_is_for_who_may_have_something() {
    let group = Group::new(3).await;
    let agreement = group.agreed().await;
    let core = &group.cores[0];
    let id = grant(core).await;
    register::withdraw(core, access(core), id, core.now()).await.unwrap();
    let refused = Some("toestemming-onbevoegd".to_owned());
    assert_eq!(confirm(&group, agreement, (2, id)).await, refused, "2 was not named");
    assert_eq!(confirm(&group, agreement, (1, core.new_id())).await, refused, "there is none");
    let key = ConsentKey { holder: core.me, id };
    assert!(core.store.consent_notices(key).await.unwrap().is_empty());
    assert_eq!(confirm(&group, agreement, (1, id)).await, None);
    let notices = core.store.consent_notices(key).await.unwrap();
    assert_eq!(notices.iter().map(|notice| notice.party).collect::<Vec<_>>(), [oin(1)]);
}
