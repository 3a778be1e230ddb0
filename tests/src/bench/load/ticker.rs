//! Moments at a steady pace. Tokio's timer counts in whole milliseconds, as much as half of what is measured with it;
//! a thread that sleeps wakes within some tens of microseconds.

use std::{
    thread,
    time::{Duration, Instant},
};

use tokio::sync::mpsc;

use crate::bench::clock;

/// Moments that wait to be fetched, at most: what is offered in one go after a stall.
const WAITING: usize = 100_000;

/// Tells when the next message is due.
pub(super) struct Ticker(mpsc::Receiver<Instant>);

impl Ticker {
    /// Begins now, `rate` times a second for so long.
    pub(super) fn start(rate: f64, time: Duration) -> Self {
        let (due, ticks) = mpsc::channel(WAITING);
        thread::spawn(move || {
            let start = clock::now();
            for number in 0_u32.. {
                let after = Duration::from_secs_f64(f64::from(number) / rate);
                if after >= time {
                    break;
                }
                thread::sleep(after.saturating_sub(start.elapsed()));
                if due.blocking_send(start + after).is_err() {
                    break;
                }
            }
        });
        Self(ticks)
    }

    /// Waits for what is due; nothing when that was all.
    pub(super) async fn due(&mut self) -> Vec<Instant> {
        let mut due = Vec::new();
        self.0.recv_many(&mut due, WAITING).await;
        due
    }
}
