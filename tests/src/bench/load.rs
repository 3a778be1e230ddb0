//! The two ways to offer messages: so many under way ([`closed`]), or so many per second ([`open`]).

mod flow;
mod meter;
mod ticker;

use std::time::Duration;

use anyhow::ensure;

use super::{
    clock,
    command::{Outcome, Times},
    proofs::Proofs,
};
use meter::Meter;
use ticker::Ticker;

pub(super) use flow::{Flow, Source};

/// Before a closed measurement counts: connections, caches and the size of batches settle.
const WARM_UP: Duration = Duration::from_secs(1);
/// The longest a measurement that counts messages takes.
const LONGEST: Duration = Duration::from_hours(2);
/// A measurement that counts messages is reported in so many parts.
const PARTS: u64 = 20;

/// When a measurement is over.
#[derive(Debug, Clone, Copy)]
pub(super) enum Until {
    /// After this long.
    Elapsed(Duration),
    /// After so many messages.
    Settled(u64),
}

/// Keeps `in_flight` messages under way, and measures until it is over. Waits for what is then still under way.
pub(super) async fn closed(
    mut flow: Flow,
    receiver: Option<u32>,
    in_flight: usize,
    until: Until,
) -> anyhow::Result<Outcome> {
    let start = clock::now();
    while start.elapsed() < WARM_UP {
        flow.fill_up(in_flight);
        flow.news().await?;
    }
    let mut meter = Meter::start(receiver)?;
    let (longest, most) = match until {
        Until::Elapsed(time) => (time, u64::MAX),
        Until::Settled(messages) => (LONGEST, messages),
    };
    let part = if most == u64::MAX { most } else { (most / PARTS).max(1) };
    while meter.elapsed() < longest && meter.settled() < most {
        flow.fill_up(in_flight);
        meter.add(&flow.news().await?);
        meter.mark_each(part)?;
    }
    let outcome = meter.finish()?;
    while flow.under_way() > 0 {
        flow.news().await?;
    }
    Ok(outcome)
}

/// Offers `rate` messages per second for so long, each at its own moment however the others fare, and waits until all
/// have settled.
pub(super) async fn open(
    mut flow: Flow,
    proofs: &Proofs,
    rate: f64,
    time: Duration,
) -> anyhow::Result<Outcome> {
    let mut ticker = Ticker::start(rate, time);
    let (mut offered, mut took) = (Vec::new(), Vec::new());
    proofs.start();
    let start = clock::now();
    let mut offering = true;
    while offering || flow.under_way() > 0 {
        tokio::select! {
            due = ticker.due(), if offering => {
                offering = !due.is_empty();
                flow.offer(&due);
                offered.extend(due);
            }
            news = flow.news(), if flow.under_way() > 0 => took.extend(news?),
        }
    }
    let elapsed = start.elapsed();
    let messages = u64::try_from(took.len())?;
    let rate = super::process::per_second(messages, elapsed);
    let proven = proofs.finish();
    ensure!(proven.len() == offered.len(), "{} receipts for {} messages", proven.len(), offered.len());
    // Where two went side by side their order can be another; over all of them that makes no difference.
    let arrived =
        proven.iter().zip(&offered).map(|(proven, offered)| proven.duration_since(*offered)).collect();
    let (settled, proven) = (Times::of(took), Times::of(arrived));
    Ok(Outcome { messages, rate, settled, proven, ..Outcome::default() })
}
