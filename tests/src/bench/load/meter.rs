//! Counting what settles, and what it costs meanwhile.

use std::time::{Duration, Instant};

use crate::bench::{
    clock,
    command::{Outcome, Part, Times},
    process::{cpu, machine_cpu, micros_each, own_cpu, per_second},
    tell,
};

/// How often the progress of a long measurement is told.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// What the processors have done up to a moment.
#[derive(Debug, Clone, Copy)]
struct Reading {
    at: Instant,
    settled: u64,
    sender: Duration,
    receiver: Duration,
    machine: Duration,
}

/// A measurement under way.
pub(super) struct Meter {
    receiver: Option<u32>,
    start: Reading,
    settled: u64,
    took: Vec<Duration>,
    /// How many settled in each second.
    seconds: Vec<u64>,
    marks: Vec<Reading>,
    told: Instant,
}

impl Meter {
    /// Starts measuring this process and that of the receiver.
    pub(super) fn start(receiver: Option<u32>) -> anyhow::Result<Self> {
        let start = Reading::now(receiver, 0)?;
        Ok(Self {
            receiver,
            start,
            settled: 0,
            took: Vec::new(),
            seconds: Vec::new(),
            marks: vec![start],
            told: start.at,
        })
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.start.at.elapsed()
    }

    /// How many have settled.
    pub(super) const fn settled(&self) -> u64 {
        self.settled
    }

    /// These took so long.
    pub(super) fn add(&mut self, took: &[Duration]) {
        let second = usize::try_from(self.elapsed().as_secs()).unwrap_or(usize::MAX);
        if second >= self.seconds.len() {
            self.seconds.resize(second + 1, 0);
        }
        let count = took.len() as u64;
        self.seconds[second] += count;
        self.settled += count;
        self.took.extend_from_slice(took);
    }

    /// Takes a reading each so many messages, and tells how far it is.
    pub(super) fn mark_each(&mut self, messages: u64) -> anyhow::Result<()> {
        let marked = self.marks.last().map_or(0, |mark| mark.settled);
        if self.settled - marked >= messages {
            self.marks.push(Reading::now(self.receiver, self.settled)?);
        }
        if self.told.elapsed() >= TELL_EVERY {
            self.told = clock::now();
            tell(&format!(
                "{} messages, {:.0}/s so far",
                self.settled,
                per_second(self.settled, self.elapsed())
            ));
        }
        Ok(())
    }

    /// Ends it.
    pub(super) fn finish(mut self) -> anyhow::Result<Outcome> {
        let end = Reading::now(self.receiver, self.settled)?;
        let whole = self.start.to(&end);
        // The last second is not a whole one.
        self.seconds.pop();
        Ok(Outcome {
            messages: self.settled,
            rate: whole.rate,
            slowest: self.seconds.iter().min().copied().unwrap_or_default(),
            quickest: self.seconds.iter().max().copied().unwrap_or_default(),
            sender_us: whole.sender_us,
            receiver_us: whole.receiver_us,
            elsewhere: whole.elsewhere,
            parts: self.marks.windows(2).map(|pair| pair[0].to(&pair[1])).collect(),
            settled: Times::of(self.took),
            ..Outcome::default()
        })
    }
}

impl Reading {
    fn now(receiver: Option<u32>, settled: u64) -> anyhow::Result<Self> {
        let sender = own_cpu()?;
        let receiver = receiver.map_or(Ok(Duration::ZERO), cpu)?;
        Ok(Self { at: clock::now(), settled, sender, receiver, machine: machine_cpu()? })
    }

    fn to(&self, end: &Self) -> Part {
        let (messages, time) = (end.settled - self.settled, end.at.duration_since(self.at));
        let sender = end.sender.saturating_sub(self.sender);
        let receiver = end.receiver.saturating_sub(self.receiver);
        let elsewhere = end.machine.saturating_sub(self.machine).saturating_sub(sender + receiver);
        Part {
            rate: per_second(messages, time),
            sender_us: micros_each(sender, messages),
            receiver_us: micros_each(receiver, messages),
            elsewhere: elsewhere.as_secs_f64() / time.as_secs_f64().max(f64::MIN_POSITIVE),
        }
    }
}
