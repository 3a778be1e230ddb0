//! What comes in: filing each message once, and saying so.

use std::{collections::HashMap, sync::LazyLock};

use exchange::{
    message::Attributes,
    oin::Oin,
    receipt::ReceiptLeaf,
    tlog::{CompactRange, Hash, Leaf, ProofPlan, plan_inclusion},
};
use sqlx::{Row as _, SqliteConnection};
use uuid::Uuid;

use super::{
    column::{direction_to_sql, from_sql, state_to_sql, time_to_sql, to_sql},
    committer::Writer,
    consent,
    group::{Group, NewMessage},
    handover,
    names::{Missing, Names},
    rows::{Part, Statement},
    tree::{Edge, Nodes},
};
use crate::{
    error::StoreError,
    model::{Arrival, Direction, RulesVersion, State, Verdict},
    store::CONFLICT_REASON,
};

static LEAVES: LazyLock<Statement> =
    LazyLock::new(|| Statement::new(&Part::List("SELECT idx, leaf FROM log_leaf WHERE idx")));

/// A delivery.
pub(crate) struct Filing {
    /// Decided by the rules of this version.
    pub(crate) rules: RulesVersion,
    pub(crate) arrivals: Vec<Arrival>,
}

/// What became of it.
pub(crate) struct Filed {
    /// The log before the batch.
    pub(crate) before: CompactRange,
    /// The size of the log right after the last new leaf of the batch.
    pub(crate) size: u64,
    /// The root of the log at that size.
    pub(crate) root: Hash,
    /// One for each message, in order.
    pub(crate) leaves: Vec<ReceiptLeaf>,
    /// Which of those are about messages that were known, and where: their leaf and proof are still to come.
    known: Vec<(usize, u64)>,
    /// Which messages that are new say something about a consent, and where they are logged.
    pub(super) events: Vec<(usize, u64)>,
    /// The messages that waited and do not any more, with who they were for.
    pub(crate) ended: Vec<(Oin, u64)>,
}

impl Filed {
    /// Whether no leaf or proof is still to come, and nothing is said about a consent.
    pub(super) fn is_complete(&self) -> bool {
        self.known.is_empty() && self.events.is_empty()
    }
}

pub(super) fn missing_names<'o>(names: &Names, filing: &'o Filing, missing: &mut Missing<'o>) {
    missing.word(names, CONFLICT_REASON);
    for arrival in &filing.arrivals {
        missing.party(names, arrival.from);
        match &arrival.verdict {
            Verdict::Admitted(admitted) => {
                missing.word(names, &admitted.message_type);
                missing.word(names, &admitted.purpose);
                missing.agreement(names, admitted.agreement);
            }
            Verdict::Refused(reason) => missing.word(names, reason),
        }
    }
}

/// Files a batch.
pub(super) fn file(writer: &mut Writer, group: &mut Group, filing: &Filing) -> Result<Filed, StoreError> {
    group.check_rules(filing.rules)?;
    let before = writer.edge.range().clone();
    let mut leaves = Vec::with_capacity(filing.arrivals.len());
    let (mut known, mut events) = (Vec::new(), Vec::new());
    for (position, arrival) in filing.arrivals.iter().enumerate() {
        let earlier = arrival.id.and_then(|id| group.known.get(&(arrival.from, id)).copied());
        leaves.push(match earlier {
            Some((digest, index)) if digest == arrival.digest => {
                known.push((position, index));
                // Read once everything is written: it may be in this same transaction.
                ReceiptLeaf::Known { index, leaf: Leaf::new(Vec::new()), proof: Vec::new() }
            }
            Some(_) => ReceiptLeaf::New(file_conflict(writer, group, arrival)?),
            None => {
                let index = file_new(writer, group, arrival)?;
                if arrival.event.is_some() {
                    events.push((position, index));
                }
                ReceiptLeaf::New(arrival.leaf.clone())
            }
        });
    }
    let range = writer.edge.range();
    Ok(Filed { before, size: range.size(), root: range.root(), leaves, known, events, ended: Vec::new() })
}

fn file_new(writer: &mut Writer, group: &mut Group, arrival: &Arrival) -> Result<u64, StoreError> {
    let consent = consent::check(group, arrival.consent.as_ref())?;
    let index = group.log(&mut writer.edge, &arrival.leaf);
    let step = arrival.step.as_ref().map(|(step, case)| handover::take(group, *case, step)).transpose()?;
    if let Some(id) = arrival.id {
        group.known.insert((arrival.from, id), (arrival.digest, index));
    }
    let names = &writer.names;
    match &arrival.verdict {
        Verdict::Admitted(admitted) => {
            group.add(index, NewMessage { consent, step, ..admitted_row(names, arrival, admitted)? });
            group.seal(writer, index, &arrival.digest, &admitted.compact)?;
        }
        Verdict::Refused(reason) => {
            group.add(index, refused_row(names, arrival, reason, arrival.id)?);
        }
    }
    consent::note_end(group, arrival);
    Ok(index)
}

/// The identifier stays with the message that had it first: the row of this one goes without.
fn file_conflict(writer: &mut Writer, group: &mut Group, arrival: &Arrival) -> Result<Leaf, StoreError> {
    let index = group.log(&mut writer.edge, &arrival.conflict_leaf);
    group.add(index, refused_row(&writer.names, arrival, CONFLICT_REASON, None)?);
    Ok(arrival.conflict_leaf.clone())
}

fn admitted_row(names: &Names, arrival: &Arrival, admitted: &Attributes) -> Result<NewMessage, StoreError> {
    Ok(NewMessage {
        direction: direction_to_sql(Direction::Inbound),
        party: names.party(arrival.from)?,
        id: arrival.id,
        case: Some(admitted.case),
        message_type: Some(names.word(&admitted.message_type)?),
        purpose: Some(names.word(&admitted.purpose)?),
        agreement: Some(names.agreement(&admitted.agreement)?),
        digest: arrival.digest.as_bytes().to_vec(),
        state: state_to_sql(State::Admitted),
        created: time_to_sql(admitted.created),
        expires: Some(time_to_sql(admitted.expires)),
        finished: Some(time_to_sql(arrival.received)),
        bytes: admitted.compact.len(),
        desk: admitted.desk.clone(),
        keep_until: arrival.keep_until.map(time_to_sql),
        subject: arrival.tokens,
        ..NewMessage::default()
    })
}

fn refused_row(
    names: &Names,
    arrival: &Arrival,
    reason: &str,
    id: Option<Uuid>,
) -> Result<NewMessage, StoreError> {
    Ok(NewMessage {
        direction: direction_to_sql(Direction::Inbound),
        party: names.party(arrival.from)?,
        id,
        digest: arrival.digest.as_bytes().to_vec(),
        state: state_to_sql(State::Refused),
        reason: Some(names.word(reason)?),
        created: time_to_sql(arrival.received),
        finished: Some(time_to_sql(arrival.received)),
        ..NewMessage::default()
    })
}

/// Completes the answer with the leaves of messages that were known, and proofs in the tree as of this batch.
pub(super) async fn prove_known(
    connection: &mut SqliteConnection,
    edge: &Edge,
    filed: &mut Filed,
) -> Result<(), StoreError> {
    if filed.known.is_empty() {
        return Ok(());
    }
    let plans: Vec<ProofPlan> = filed
        .known
        .iter()
        .map(|(_, index)| plan_inclusion(*index, filed.size))
        .collect::<Result<_, _>>()
        .map_err(|error| StoreError::Corrupt(format!("the log: {error}")))?;
    let nodes = plans.iter().flat_map(|plan| plan.nodes().iter().copied());
    let nodes = Nodes::fetch_beyond(edge, connection, nodes).await?;
    let rows = LEAVES
        .list(connection, &filed.known, |(_, index), values| {
            values.add(to_sql(*index));
        })
        .await?;
    let mut leaves: HashMap<u64, Vec<u8>> = HashMap::with_capacity(rows.len());
    for row in rows {
        leaves.insert(from_sql(row.try_get(0)?)?, row.try_get(1)?);
    }
    for ((position, index), plan) in filed.known.drain(..).zip(&plans) {
        let leaf =
            leaves.get(&index).cloned().ok_or_else(|| StoreError::Corrupt("the log misses a leaf".into()))?;
        filed.leaves[position] =
            ReceiptLeaf::Known { index, leaf: Leaf::new(leaf), proof: nodes.prove(plan)? };
    }
    Ok(())
}
