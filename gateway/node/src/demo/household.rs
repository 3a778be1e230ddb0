//! A landlord and an energy supplier each signal arrears of one household; the municipality's node sees that they belong
//! together.

use anyhow::bail;
use schemas::SchemaName;
use serde_json::{Value, json};
use store::MultipleSignal;

use super::{
    feedback,
    sending::{Going, submit},
    settled, wait_until,
};
use crate::{node::Node, outbound::Submitted};

/// Cases that are counted at most.
const MAX_COUNTED: usize = 500;

/// Both signal, and hear that it was picked up. Once a month: what was signalled in an earlier run is there already.
pub(super) async fn signal(municipality: &Node, landlord: &Node, supplier: &Node) -> anyhow::Result<()> {
    let signals = [
        (landlord, "vroegsignalering-huur", arrears("huur", 50_884)),
        (supplier, "vroegsignalering-energie", arrears("energie", 21_350)),
    ];
    for (sender, purpose, data) in &signals {
        let month =
            sender.core.now().to_zoned(exchange::calendar::dutch_time()).strftime("%Y-%m").to_string();
        let source_record = Some(format!("demo\nachterstand\n{month}").into_bytes());
        let going = Going { to: municipality.core.me, case: None, purpose, source_record };
        match submit(sender, going, (SchemaName::PaymentArrears, data)).await? {
            Submitted::Queued(_) | Submitted::AlreadyOffered => {}
            other => bail!("een signaal van de demo ging niet zoals bedoeld: {other:?}"),
        }
        settled(sender).await?;
        feedback::give(municipality, sender.core.me).await?;
    }
    settled(municipality).await
}

/// How many cases of several signals the municipality has, once these two are one.
pub(super) async fn joined(municipality: &Node, landlord: &Node, supplier: &Node) -> anyhow::Result<u64> {
    let store = &municipality.core.store;
    let senders = [landlord.core.me, supplier.core.me];
    let is_theirs = |one: &MultipleSignal| {
        senders.iter().all(|sender| one.signals.iter().any(|signal| signal.row.partner == *sender))
    };
    let mut count = 0;
    let joined = wait_until(async || {
        let found = store.multiple_signals(None, municipality.core.now(), MAX_COUNTED).await?;
        count = found.len() as u64;
        Ok(found.iter().any(is_theirs))
    });
    if !joined.await? {
        bail!("de signalen over één huishouden kwamen niet op tijd bij elkaar");
    }
    Ok(count)
}

/// Arrears of somebody who does not exist.
fn arrears(debt: &str, cents: u64) -> Value {
    json!({
        "grondslag": {
            "soort": "wettelijke-verplichting",
            "artikelen": ["Wgs art. 3 lid 1 onder b"],
            "voorwaarden": {
                "persoonlijk-contact": true,
                "gewezen-op-schuldhulp": true,
                "schriftelijke-herinnering": true,
                "aanbod-doorgeven-zonder-bezwaar": true,
            },
        },
        "betrokkene": {
            "naam": { "voorletters": "T.", "voorvoegsel": "van", "achternaam": "Oeverzegge" },
            "geboortedatum": "1979-08-27",
            "adres": { "straat": "Griendpad", "huisnummer": 72, "postcode": "4906ZZ", "woonplaats": "Rivierstad" },
        },
        "inhoud": {
            "soort_schuld": debt,
            "bedrag_in_centen": cents,
            "achterstand_sinds": "2026-10-09",
            "aantal_termijnen": 1,
            "peildatum": "2026-11-16",
            "crisis": false,
        },
    })
}
