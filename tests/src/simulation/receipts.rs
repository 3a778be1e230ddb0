//! A message that ended has a proof of its end, which both sides can show.

use anyhow::{Context as _, ensure};
use exchange::{
    delivery::{Delivered, check_receipt},
    digest::Digest,
    entry::Entry,
    evidence::{NoText, Step, StepName, StepOutcome},
    receipt::{Receipt, ReceiptLeaf},
    tlog::{Leaf, ProofFile},
};
use node::{core::Core, evidence};
use store::{State, StoreError};

use super::{checks::Stored, node::extends, operation::Side, world::World};

/// Checks the stored receipt of a message that was sent, the evidence taken from it, and that the receiver's log still
/// says the same in the same place.
pub(super) fn check(world: &World, side: Side, message: &Stored) -> anyhow::Result<()> {
    let (sender, receiver) = (world.at(side), world.at(side.other()));
    let key = receiver.log_key();
    let index = message.row.index;
    let text = sender.steady(async |core| core.store.receipt(index).await)??.context("no receipt is kept")?;
    let receipt: Receipt = serde_json::from_str(&text)?;
    let sent = receipt.leaves.iter().map(digest_in).collect::<anyhow::Result<Vec<Digest>>>()?;
    let (verified, delivered) = check_receipt(&receipt, &sent, sender.oin, &key)?;
    let position = sent.iter().position(|digest| *digest == message.row.digest);
    let position = position.context("the receipt is about other messages")?;
    match (&delivered[position], message.row.state) {
        (Delivered::Admitted, State::Admitted) => {}
        (Delivered::Refused(reason), State::Refused) => {
            ensure!(message.row.reason.as_deref() == Some(reason.code()), "the receipt says {reason}");
        }
        (delivered, _) => anyhow::bail!("the receipt says {delivered:?}"),
    }
    let proof = verified.proof_file(position).context("a proof of the entry")?.to_string();
    let proof: ProofFile = proof.parse()?;
    let leaf = receipt.leaves[position].leaf();
    proof.verify(leaf, &key)?;
    still_in_the_log(world, side.other(), proof.index, leaf)?;
    receiver.steady(async |core| {
        let now = key.open(&core.store.checkpoint().await?)?;
        extends(&core.store, verified.checkpoint(), &now).await
    })??;
    let id = message.line.id;
    let gather = async |core: &Core| {
        // What was refused without binding its identifier has none.
        let Some(row) = core.store.message(id).await? else { return Ok(None) };
        // As somebody would take it, without anybody who does.
        let text = match core.store.payload_for_machine_check(row.index).await {
            Err(StoreError::Erased) => Err(NoText::Gewist),
            Err(StoreError::NotFound(_)) => Err(NoText::NietBewaard),
            text => Ok(text?),
        };
        let (bundle, report) = evidence::gather(core, &row, text).await?;
        // Nodes here may have been hours behind since before they agreed; that only says something of their clocks.
        let wrong = |step: &Step| step.uitkomst == StepOutcome::Onjuist && step.stap != StepName::Geldigheid;
        ensure!(!report.stappen.iter().any(wrong), "the evidence does not hold: {report:?}");
        anyhow::Ok(Some(bundle))
    };
    let evidence = sender.steady(gather)??.context("the message of the evidence")?;
    ensure!(evidence.blad.as_bytes() == leaf.bytes(), "the evidence is about another entry");
    match (receiver.steady(gather)??, message.row.state) {
        (Some(theirs), State::Admitted) => {
            ensure!(theirs.bericht == evidence.bericht, "the receiver shows another message");
        }
        (None, State::Admitted) => anyhow::bail!("the receiver does not know the message"),
        (theirs, _) => {
            let kept = theirs.is_some_and(|theirs| theirs.zonder_tekst != Some(NoText::NietBewaard));
            ensure!(!kept, "the receiver kept what it refused");
        }
    }
    Ok(())
}

fn digest_in(leaf: &ReceiptLeaf) -> anyhow::Result<Digest> {
    match Entry::of_leaf(leaf.leaf())? {
        Entry::Ontvangst(reception) => Ok(reception.bericht),
        other => anyhow::bail!("a receipt with {other:?}"),
    }
}

fn still_in_the_log(world: &World, side: Side, index: u64, leaf: &Leaf) -> anyhow::Result<()> {
    let found = world.at(side).steady(async |core| core.store.leaves(index, 1).await)??;
    ensure!(
        found.first().map(Leaf::bytes) == Some(leaf.bytes()),
        "the log of {side:?} says otherwise at {index}"
    );
    Ok(())
}
