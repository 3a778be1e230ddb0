//! The report: a table for people, one object for programs.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
    time::Duration,
};

use serde_json::{Value, json};

use super::{
    command::{Outcome, Part, Times},
    measure::{IN_FLIGHT, Memory},
    options::Transport,
    process::cores,
    steps::{Sizes, Steps},
};

/// What the latencies are.
const LATENCY: &str = "From a message being offered to the sender's functions, at its own moment, until its receipt \
    is verified at the sender, so that the message is known to be durable at the receiver; with `settled` until the \
    receipt is durable at the sender too. At 50/s each message is a transaction of its own, three times. compute_* is \
    how long one and the same computation takes on this machine at that pace: that spread is not the nodes' own.";

/// When a message counts.
const DURABILITY: &str = "Both nodes store every message encrypted and logged in SQLite (WAL, synchronous=FULL: one \
    fsync per group of operations, none answered before it). A message counts once its receipt, verified against the \
    receiver's log key, is durable at the sender.";

/// How the limit is made.
const LIMIT: &str = "processors x 1,000,000 / sum of the steps, which is the processor time (user and system, of all \
    threads and both nodes, in microseconds per message) of every primitive on the path of a message, each measured by \
    itself in this run, on the same message and the same disk. Not in the sum: scheduling, waiting, and leasing (reading \
    back what was queued).";

/// Throughput over one carrier.
pub(super) struct Carried {
    pub(super) transport: Transport,
    pub(super) rounds: Vec<Outcome>,
}

/// What is measured over the first carrier only.
pub(super) struct Alone {
    /// At fifty messages per second.
    pub(super) quiet: Outcome,
    /// At half the maximum.
    pub(super) half: Outcome,
    /// Storing very many.
    pub(super) fill: Option<Outcome>,
    /// After kill -9 under load.
    pub(super) restart: Restart,
}

/// A start after kill -9 under load.
#[derive(Debug, Clone, Copy)]
pub(super) struct Restart {
    /// Until it answers a request.
    pub(super) start: Duration,
    /// The longest that a message took over it, ms.
    pub(super) longest_ms: f64,
}

/// All that was measured.
pub(super) struct Report {
    pub(super) carried: Vec<Carried>,
    pub(super) steps: Steps,
    pub(super) sizes: Sizes,
    pub(super) main: Alone,
    pub(super) start: Duration,
    pub(super) idle: Memory,
    pub(super) loaded: Memory,
    pub(super) flush: Times,
    /// How evenly the machine computes.
    pub(super) jitter: Times,
}

impl Carried {
    /// The round with the median rate.
    pub(super) fn median(&self) -> Outcome {
        let mut rounds: Vec<&Outcome> = self.rounds.iter().collect();
        rounds.sort_by(|one, other| one.rate.total_cmp(&other.rate));
        rounds.get(rounds.len() / 2).map_or_else(Outcome::default, |round| (*round).clone())
    }
}

impl Report {
    /// Writes it to standard output.
    pub(super) fn write(&self, json: bool) -> anyhow::Result<()> {
        let mut output = io::stdout();
        if json {
            writeln!(output, "{:#}", self.object())?;
        } else {
            write!(output, "{}", self.table())?;
        }
        Ok(())
    }

    /// The rates of the first carrier and of QUIC against TCP, if both were measured.
    fn quic_to_tcp(&self) -> Option<f64> {
        let rate = |transport| {
            let carried = self.carried.iter().find(|carried| carried.transport == transport)?;
            Some(carried.median().rate)
        };
        Some(rate(Transport::Quic)? / rate(Transport::Tcp)?)
    }

    fn main(&self) -> (Transport, Outcome) {
        self.carried.first().map_or((Transport::Tcp, Outcome::default()), |one| (one.transport, one.median()))
    }

    fn object(&self) -> Value {
        let mut object = self.rates_and_cost();
        if let (Value::Object(object), Value::Object(latency)) = (&mut object, self.latency()) {
            object.extend(latency);
        }
        object
    }

    fn rates_and_cost(&self) -> Value {
        let (transport, outcome) = self.main();
        let Alone { fill, restart, .. } = &self.main;
        json!({
            "transport": transport.name(),
            "messages_per_second": round(outcome.rate),
            "messages_per_second_rounds": self.rates(),
            "messages_per_second_slowest_second": outcome.slowest,
            "messages_per_second_quickest_second": outcome.quickest,
            "quic_to_tcp": self.quic_to_tcp().map(round),
            "cpu_us_per_message": round(outcome.sender_us + outcome.receiver_us),
            "cpu_us_sender": round(outcome.sender_us),
            "cpu_us_receiver": round(outcome.receiver_us),
            "processors": cores(),
            "processors_busy_elsewhere": round(outcome.elsewhere),
            "steps": self.steps,
            "steps_sum_us": round(self.steps.sum()),
            "limit_messages_per_second": round(self.steps.limit()),
            "limit_is": LIMIT,
            "share_of_limit": round(outcome.rate / self.steps.limit()),
            "rss_idle_mb": round(self.idle.0.now),
            "rss_loaded_mb": round(self.loaded.0.peak),
            "rss_sender_idle_mb": round(self.idle.1.now),
            "rss_sender_loaded_mb": round(self.loaded.1.peak),
            "start_ms": round(millis(self.start)),
            "restart_ms": round(millis(restart.start)),
            "restart_longest_message_ms": round(restart.longest_ms),
            "fill": fill.as_ref().map(filled),
            "message_bytes": self.sizes.message,
            "jws_bytes": self.sizes.jws,
            "in_flight": IN_FLIGHT,
            "durability": DURABILITY,
        })
    }

    fn latency(&self) -> Value {
        let Alone { quiet, half, .. } = &self.main;
        let (_, outcome) = self.main();
        json!({
            "latency_is": LATENCY,
            "p50_ms": round(quiet.proven.p50_ms),
            "p99_ms": round(quiet.proven.p99_ms),
            "max_ms": round(quiet.proven.max_ms),
            "p50_settled_ms": round(quiet.settled.p50_ms),
            "p99_settled_ms": round(quiet.settled.p99_ms),
            "max_settled_ms": round(quiet.settled.max_ms),
            "p50_half_ms": round(half.proven.p50_ms),
            "p99_half_ms": round(half.proven.p99_ms),
            "p50_half_settled_ms": round(half.settled.p50_ms),
            "p99_half_settled_ms": round(half.settled.p99_ms),
            "half_messages_per_second": round(half.rate),
            "p50_full_settled_ms": round(outcome.settled.p50_ms),
            "p99_full_settled_ms": round(outcome.settled.p99_ms),
            "disk_flush_p50_ms": round(self.flush.p50_ms),
            "disk_flush_p99_ms": round(self.flush.p99_ms),
            "compute_p50_ms": round(self.jitter.p50_ms),
            "compute_p99_ms": round(self.jitter.p99_ms),
        })
    }

    /// The rate of every round, per carrier.
    fn rates(&self) -> Value {
        let rates =
            |carried: &Carried| -> Value { carried.rounds.iter().map(|round_| round(round_.rate)).collect() };
        Value::Object(self.carried.iter().map(|one| (one.transport.name().to_owned(), rates(one))).collect())
    }

    fn table(&self) -> String {
        let mut lines = Lines(String::new());
        let (transport, outcome) = self.main();
        lines.head(&format!("Throughput over {}, {IN_FLIGHT} in flight", transport.name()));
        lines.row("durable messages", outcome.rate, "/s");
        for carried in &self.carried {
            let rates: Vec<String> =
                carried.rounds.iter().map(|round| format!("{:.0}", round.rate)).collect();
            lines.text(
                &format!("rounds over {}", carried.transport.name()),
                &format!("{} /s", rates.join(", ")),
            );
        }
        if let Some(ratio) = self.quic_to_tcp() {
            lines.row("QUIC to TCP", ratio, "");
        }
        lines.row("processor time, both nodes", outcome.sender_us + outcome.receiver_us, "µs per message");
        lines.row("  sender", outcome.sender_us, "µs");
        lines.row("  receiver", outcome.receiver_us, "µs");
        lines.row("processors busy elsewhere", outcome.elsewhere, &format!("of {}", cores()));
        self.table_steps(&mut lines);
        lines.row("share of the limit reached", outcome.rate / self.steps.limit(), "");
        self.table_rest(&mut lines);
        lines.0
    }

    fn table_steps(&self, lines: &mut Lines) {
        let Steps { sender, receiver, link, lease_not_counted } = &self.steps;
        lines.head("Steps, processor time per message");
        for (name, time) in [
            ("parse (sender)", sender.parse),
            ("schema (sender)", sender.schema),
            ("policy (sender)", sender.policy),
            ("sign and log entry", sender.sign),
            ("enqueue, 128 in a commit", sender.enqueue),
            ("link, both ends", *link),
            ("parse (receiver)", receiver.parse),
            ("schema (receiver)", receiver.schema),
            ("verify, strict", receiver.verify),
            ("policy (receiver)", receiver.policy),
            ("digest and log entry (receiver)", receiver.log_entry),
            ("file, 128 in a commit", receiver.file),
            ("make receipt", receiver.receipt_make),
            ("check receipt", sender.receipt_check),
            ("record receipt, 128 in a commit", sender.record_receipt),
        ] {
            lines.row(name, time, "µs");
        }
        lines.row("sum", self.steps.sum(), "µs");
        lines.row("lease (not counted)", *lease_not_counted, "µs");
        lines.row("limit of this machine", self.steps.limit(), "/s");
    }

    fn table_rest(&self, lines: &mut Lines) {
        let Alone { quiet, half, fill, restart } = &self.main;
        lines.head("Latency, from being offered");
        for (at, outcome) in [("50/s", quiet), ("half the maximum", half)] {
            lines.text(&format!("{at}, durable at the receiver"), &times(&outcome.proven));
            lines.text(&format!("{at}, receipt durable at the sender"), &times(&outcome.settled));
        }
        lines.text("one flush of this disk (of three)", &times(&self.flush));
        lines.text("the same computation on this machine", &times(&self.jitter));
        lines.head("Memory and start-up");
        lines.row("receiver idle", self.idle.0.now, "MB");
        lines.row("receiver loaded (peak)", self.loaded.0.peak, "MB");
        lines.row("sender idle", self.idle.1.now, "MB");
        lines.row("sender loaded (peak, with load)", self.loaded.1.peak, "MB");
        lines.row("start until it answers", millis(self.start), "ms");
        lines.row("start after kill -9 under load", millis(restart.start), "ms");
        lines.row("longest message over that", restart.longest_ms, "ms");
        if let Some(fill) = fill {
            lines.head(&format!("Storing {} messages", fill.messages));
            let (first, last) = ends(fill);
            lines.row("first twentieth", first.rate, "/s");
            lines.row("last twentieth", last.rate, "/s");
            lines.row("last to first", last.rate / first.rate, "");
            let each = |part: &Part| part.sender_us + part.receiver_us;
            lines.row("processor time, first", each(&first), "µs per message");
            lines.row("processor time, last", each(&last), "µs per message");
        }
        lines.head("About");
        lines.text("message", &format!("{} bytes, signed {} bytes", self.sizes.message, self.sizes.jws));
        lines.text("durability", DURABILITY);
        lines.text("limit", LIMIT);
    }
}

/// The first and the last part.
fn ends(fill: &Outcome) -> (Part, Part) {
    let part = |part: Option<&Part>| part.copied().unwrap_or_default();
    (part(fill.parts.first()), part(fill.parts.last()))
}

fn filled(fill: &Outcome) -> Value {
    let (first, last) = ends(fill);
    json!({
        "messages": fill.messages,
        "messages_per_second": round(fill.rate),
        "parts": fill.parts,
        "last_to_first": round(last.rate / first.rate),
    })
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Three digits after the point say more than the measurement knows.
fn times(times: &Times) -> String {
    format!("p50 {:.2} ms, p99 {:.2} ms, at most {:.2} ms", times.p50_ms, times.p99_ms, times.max_ms)
}

fn round(number: f64) -> f64 {
    (number * 1e3).round() / 1e3
}

/// Lines of the table.
struct Lines(String);

impl Lines {
    fn head(&mut self, what: &str) {
        let _ = write!(self.0, "\n{what}\n");
    }

    fn row(&mut self, what: &str, number: f64, unit: &str) {
        let number = if number >= 1000.0 { format!("{number:.0}") } else { format!("{number:.2}") };
        self.text(what, &format!("{number:>8} {unit}"));
    }

    fn text(&mut self, what: &str, text: &str) {
        let _ = writeln!(self.0, "  {what:<34} {text}");
    }
}
