//! What the benchmark asks of the sending process, and what that answers: one line of JSON each.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What to do.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Command {
    /// Keep so many messages under way, and measure after a second of warming up.
    Closed {
        /// The process of the receiving node, unless it will not live through the measurement.
        receiver: Option<u32>,
        /// Messages under way at any moment.
        in_flight: usize,
        /// How long to measure.
        seconds: u64,
        /// Measure until so many have settled instead.
        messages: Option<u64>,
    },
    /// Offer so many messages per second, however they fare.
    Open {
        /// Messages per second.
        rate: f64,
        /// How long.
        seconds: u64,
    },
}

/// How it went. What a measurement is not about is nothing.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Outcome {
    /// Messages of which the receipt became durable during the measurement.
    pub(super) messages: u64,
    /// How many of those in each second.
    pub(super) rate: f64,
    /// How many in the slowest second.
    pub(super) slowest: u64,
    /// How many in the quickest.
    pub(super) quickest: u64,
    /// Processor time of the sender per message, µs.
    pub(super) sender_us: f64,
    /// Processor time of the receiver per message, µs.
    pub(super) receiver_us: f64,
    /// Processors that something other than the two nodes kept busy.
    pub(super) elsewhere: f64,
    /// Of a measurement that counts messages: the same for each of its parts.
    pub(super) parts: Vec<Part>,
    /// From being offered to the receipt being durable.
    pub(super) settled: Times,
    /// From being offered to the receipt being verified: the message was durable at the receiver before that.
    pub(super) proven: Times,
    /// What carried the messages.
    pub(super) carrier: String,
}

/// How long something takes, ms.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "a unit, in a line of JSON")]
pub(super) struct Times {
    /// Half are quicker.
    pub(super) p50_ms: f64,
    /// 99 of a hundred are quicker.
    pub(super) p99_ms: f64,
    /// The slowest.
    pub(super) max_ms: f64,
}

impl Times {
    /// What these amount to.
    pub(super) fn of(mut took: Vec<Duration>) -> Self {
        took.sort_unstable();
        let of_hundred = |percent: usize| {
            let place = (took.len() * percent).div_ceil(100).saturating_sub(1);
            took.get(place).map_or(0.0, |time| time.as_secs_f64() * 1e3)
        };
        Self { p50_ms: of_hundred(50), p99_ms: of_hundred(99), max_ms: of_hundred(100) }
    }
}

/// A part of a measurement.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(super) struct Part {
    /// Messages per second.
    pub(super) rate: f64,
    /// Processor time of the sender per message, µs.
    pub(super) sender_us: f64,
    /// Processor time of the receiver per message, µs.
    pub(super) receiver_us: f64,
    /// Processors that something other than the two nodes kept busy.
    pub(super) elsewhere: f64,
}
