//! When receipts arrive: from that moment the sender knows that the messages are durable at the receiver, before it has
//! made the receipt durable itself.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use tracing::{Event, Subscriber, field::Field};
use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, Targets},
    layer::{Context, SubscriberExt as _},
    util::SubscriberInitExt as _,
};

use super::clock;

/// The part of the node that tells, and the field in which it says how many messages the receipt is about.
const TELLER: &str = "node::delivery";
const MESSAGES: &str = "proven";

/// The moments at which receipts arrived, once for each message.
#[derive(Debug, Clone, Default)]
pub(super) struct Proofs(Arc<Mutex<Option<Vec<Instant>>>>);

impl Proofs {
    /// Listens to what the node in this process tells.
    pub(super) fn listen() -> anyhow::Result<Self> {
        let proofs = Self::default();
        let told = Targets::new().with_target(TELLER, LevelFilter::DEBUG);
        tracing_subscriber::registry().with(proofs.clone().with_filter(told)).try_init()?;
        Ok(proofs)
    }

    /// Begins to keep them.
    pub(super) fn start(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Vec::new());
    }

    /// Gives those kept, in their order, and keeps no more.
    pub(super) fn finish(&self) -> Vec<Instant> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default()
    }
}

impl<S: Subscriber> Layer<S> for Proofs {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let now = clock::now();
        if let Some(moments) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            let mut count = |field: &Field, messages: u64| {
                if field.name() == MESSAGES {
                    moments.extend((0..messages).map(|_| now));
                }
            };
            event.record(&mut Visit(&mut count));
        }
    }
}

/// Reads the numbers of an event.
struct Visit<'f>(&'f mut dyn FnMut(&Field, u64));

impl tracing::field::Visit for Visit<'_> {
    fn record_u64(&mut self, field: &Field, value: u64) {
        (self.0)(field, value);
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}
