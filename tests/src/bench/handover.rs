//! Taking a case over: from the command being given at one organisation until it has ended and the other shows who holds the
//! case now.
//!
//! The real `schakel serve` twice, and the real command, as a person gives it. The other side is read as its own commands read
//! it, in the database beside its node.

use std::{io::Write as _, sync::Arc, thread, time::Duration};

use anyhow::{Context as _, ensure};
use exchange::clock::Clock as _;
use jiff::{SignedDuration, ToSpan as _, tz::TimeZone};
use node::{
    handover,
    node::Node as Opened,
    system::{SystemClock, SystemRandom},
};
use serde_json::{Value, json};
use tokio::runtime::Handle;
use uuid::Uuid;

use super::{clock, command::Times, message::PURPOSE, options::HandoverOptions, tell};
use crate::{
    offer::offer,
    processes::{MUNICIPALITY, Node, Place, conclude, introduce},
};

const SERVICE: &str = "00000099000000003000";
const KINDS: [&str; 2] = ["aangeboden", "geaccepteerd"];
/// How long an answer has.
const ANSWERED_IN: SignedDuration = SignedDuration::from_hours(24 * 14);
/// How often is looked.
const LOOK: Duration = Duration::from_millis(1);
/// After this it counts as never.
const PATIENCE: Duration = Duration::from_secs(30);
/// Before what counts: connections are made, and everything was read once.
const WARM_UP: usize = 3;

/// Measures it.
pub(super) fn measure(options: &HandoverOptions) -> anyhow::Result<()> {
    let place = Place::new();
    let (municipality, _first) = place.serving("gemeente", MUNICIPALITY, "gemeente");
    let (service, _second) = place.serving("dienst", SERVICE, "sociale-dienst");
    introduce(&[&municipality, &service]);
    conclude(&place, &[&municipality, &service], &agreement(&municipality, &service));
    let beside = Handle::current().block_on(Opened::open(
        &municipality.folder,
        Arc::new(SystemClock),
        Arc::new(SystemRandom),
    ))?;
    tell("both nodes run; handing over begins");
    let (mut whole, mut after) = (Vec::new(), Vec::new());
    for round in 0..options.handovers + WARM_UP {
        let (took, left) = take_over(&place, (&municipality, &service), &beside)?;
        if round >= WARM_UP {
            whole.push(took);
            after.push(left);
        }
    }
    let (whole, after) = (Times::of(whole), Times::of(after));
    let line = json!({
        "handovers": options.handovers,
        "p50_ms": whole.p50_ms, "p99_ms": whole.p99_ms, "max_ms": whole.max_ms,
        "after_command_p50_ms": after.p50_ms, "after_command_p99_ms": after.p99_ms,
    });
    if options.json {
        writeln!(std::io::stdout(), "{line}")?;
    } else {
        writeln!(
            std::io::stdout(),
            "{} cases taken over, from the command to both sides showing it: p50 {:.1} ms, p99 {:.1} ms, at most {:.1} ms; after the command had ended p50 {:.1} ms",
            options.handovers,
            whole.p50_ms,
            whole.p99_ms,
            whole.max_ms,
            after.p50_ms
        )?;
    }
    ensure!(
        options.most.is_none_or(|most| whole.p50_ms <= most),
        "the median is above {:?} ms",
        options.most
    );
    Ok(())
}

/// One case is offered, and taken over: how long that took, and how much of it was after the command.
fn take_over(
    place: &Place,
    (from, to): (&Node, &Node),
    beside: &Opened,
) -> anyhow::Result<(Duration, Duration)> {
    let file = place.file("overdracht.json", offer(SystemClock.now() + ANSWERED_IN).to_string().as_bytes());
    let file = file.to_str().context("a path")?;
    let kind = "overdracht-aangeboden";
    let sent = from.json(&["document", file, "--soort", kind, "--doel", PURPOSE, "--aan", to.oin]);
    let case: Uuid = sent["dossier"].as_str().context("a case")?.parse()?;
    from.settle();
    let (case_text, holder) = (case.to_string(), to.oin.parse()?);
    let begin = clock::now();
    let accepting =
        ["overdracht", "accepteren", &case_text, "--functie", "consulent", "--contact-voor", "2099-01-04"];
    to.cli(&accepting).expect(0);
    let ended = clock::now();
    loop {
        let known = Handle::current().block_on(handover::case(&beside.core, case))?;
        let seen = clock::now();
        if known.is_some_and(|(known, _)| known.holder() == Some(holder)) {
            return Ok((seen.saturating_duration_since(begin), seen.saturating_duration_since(ended)));
        }
        ensure!(seen.saturating_duration_since(ended) < PATIENCE, "the other side does not hear of it");
        thread::sleep(LOOK);
    }
}

fn agreement(municipality: &Node, service: &Node) -> Value {
    let parties = [municipality, service].map(|node| node.json(&["convenant", "partij"]));
    let purposes = parties[0]["doelen"].as_array().into_iter().flatten();
    let digest = purposes.filter(|one| one["doel"] == PURPOSE).map(|one| one["doel_digest"].clone()).next();
    let today = SystemClock.now().to_zoned(TimeZone::UTC).date();
    let everybody = [MUNICIPALITY, SERVICE];
    json!({
        "groep": "werk", "versie": 1, "partijen": parties.each_ref().map(|one| &one["partij"]),
        "geldig_van": today.saturating_sub(2.days()), "geldig_tot": today.saturating_add(90.days()),
        "afspraken": [{
            "doel": PURPOSE, "doel_digest": digest, "van": everybody, "naar": everybody,
            "berichttypen": KINDS.map(|kind| format!("nl.sociaaldomein.overdrachten.{kind}.v1")),
        }],
    })
}
