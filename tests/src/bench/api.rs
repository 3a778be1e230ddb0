//! The local API: how long systems wait for what they read, at a steady pace.
//!
//! The real `schakel serve` with real TLS. Requests begin when they should, however those before them fare, so that one slow
//! answer counts for all that had to wait for it.

use std::{
    io::Write as _,
    thread,
    time::{Duration, Instant},
};

use anyhow::ensure;
use serde_json::json;

use super::{clock, command::Times, options::ApiOptions, tell};
use crate::processes::{
    CORPORATION, MUNICIPALITY, Place, agree,
    api::{System, Systems, address, client, with_api},
};

/// Connections that are kept, as a system with a pool would.
const CONNECTIONS: u32 = 8;
/// Documents in one request.
const BATCH: usize = 256;
/// What is read, by turns: a page, one message, the next page of what is of one system, partners.
const READS: usize = 4;
/// Before what counts.
const WARM_UP: Duration = Duration::from_secs(1);

const SIGNAL: &str = include_str!("../../../schemas/fixtures/valid/signaal-betalingsachterstand/huur.json");

/// Measures it.
pub(super) fn measure(options: &ApiOptions) -> anyhow::Result<()> {
    let place = Place::new();
    let systems = Systems::new(place.path());
    let (source, runs) = (systems.certificate("bron"), systems.certificate("beheer"));
    let municipality = place.node("gemeente", MUNICIPALITY, "gemeente");
    let corporation = place.node("corporatie", CORPORATION, "woningcorporatie");
    let more = client("bron", &source, &["bronsysteem"]) + &client("beheer", &runs, &["beheer"]);
    with_api(&corporation, &systems, &more);
    let _receiving = municipality.serve();
    let serving = corporation.serve();
    agree(&place, &municipality, &corporation);
    let source = System::new(&address(&serving), &systems, Some(&source));
    let runs = System::new(&address(&serving), &systems, Some(&runs));
    let id = fill(&source, options.messages)?;
    corporation.settle();
    tell("everything is delivered; reading begins");
    let paths = [
        "/v1/berichten?limiet=50".to_owned(),
        format!("/v1/berichten/{id}"),
        "/v1/berichten?richting=uit&limiet=20".to_owned(),
        "/v1/partners".to_owned(),
    ];
    let took = read(options, &[&runs, &source], &paths);
    let times = Times::of(took);
    let line = json!({
        "requests_per_second": options.rate, "seconds": options.seconds, "messages": options.messages,
        "p50_ms": times.p50_ms, "p99_ms": times.p99_ms, "max_ms": times.max_ms,
    });
    if options.json {
        writeln!(std::io::stdout(), "{line}")?;
    } else {
        writeln!(
            std::io::stdout(),
            "{} reads per second: p50 {:.1} ms, p99 {:.1} ms, at most {:.1} ms",
            options.rate,
            times.p50_ms,
            times.p99_ms,
            times.max_ms
        )?;
    }
    ensure!(options.most.is_none_or(|most| times.p99_ms <= most), "p99 is above {:?} ms", options.most);
    Ok(())
}

/// Hands so many messages over; gives the identifier of one.
fn fill(source: &System, messages: usize) -> anyhow::Result<String> {
    let mut document: serde_json::Value = serde_json::from_str(SIGNAL)?;
    let mut id = String::new();
    for (request, start) in (0..messages).step_by(BATCH).enumerate() {
        let berichten: Vec<_> = (start..messages.min(start + BATCH))
            .map(|number| {
                document["inhoud"]["bedrag_in_centen"] = json!(10_000 + number);
                json!({
                    "aan": MUNICIPALITY, "doel": "vroegsignalering-huur", "soort": "signaal-betalingsachterstand",
                    "document": document,
                })
            })
            .collect();
        let keyed = source.with("Idempotency-Key", &format!("vullen-{request:04}"));
        let said = keyed.post("/v1/berichten", &json!({ "berichten": berichten }));
        ensure!(said.status == 200, "{}", String::from_utf8_lossy(&said.body));
        said.json()["berichten"][0]["bericht"].as_str().unwrap_or_default().clone_into(&mut id);
    }
    Ok(id)
}

/// How long each read took, from when it should have begun.
fn read(options: &ApiOptions, systems: &[&System], paths: &[String; READS]) -> Vec<Duration> {
    let start = clock::now();
    let between = Duration::from_secs(1) / options.rate;
    let total = options.rate * u32::try_from(options.seconds).unwrap_or(u32::MAX);
    let warm_up = u32::try_from(WARM_UP.as_millis() / between.as_millis().max(1)).unwrap_or(0);
    thread::scope(|scope| {
        let readers: Vec<_> = (0..CONNECTIONS)
            .map(|connection| {
                let system = systems[connection as usize % systems.len()];
                scope.spawn(move || {
                    let mut kept = system.connect();
                    let mut took = Vec::new();
                    for number in (connection..total + warm_up).step_by(CONNECTIONS as usize) {
                        let due: Instant = start + between * number;
                        thread::sleep(due.saturating_duration_since(clock::now()));
                        let turn = (number / CONNECTIONS) as usize % READS;
                        let status = kept.ask_unchecked("GET", &paths[turn]).status;
                        assert_eq!(status, 200, "{}", paths[turn]);
                        if number >= warm_up {
                            took.push(clock::now().saturating_duration_since(due));
                        }
                    }
                    took
                })
            })
            .collect();
        readers.into_iter().flat_map(|reader| reader.join().unwrap_or_default()).collect()
    })
}
