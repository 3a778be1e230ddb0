//! What a person says about an offer, by a command or by the local API.

use exchange::{
    handover::{Case, Offer},
    oin::Oin,
    refusal::Refusal,
};
use schemas::{Document, ParseError, SchemaName};
use serde_json::{Value, json};
use store::{Access, State, StoreError, StoredStep};
use uuid::Uuid;

use super::answering;
use crate::{
    core::Core,
    outbound::{self, Submission, Submitted},
};

/// Something that a person says about an offer.
#[derive(Debug, Clone)]
pub struct Saying {
    /// The case.
    pub case: Uuid,
    /// The offer; the last one about which this organisation can say it, when absent.
    pub offer: Option<Uuid>,
    /// What kind of thing.
    pub schema: SchemaName,
    /// What the schema calls `inhoud`, without the offer.
    pub content: Value,
    /// Names the request it came with: said again under this name, it is not said twice.
    pub source_record: Option<Vec<u8>>,
}

/// It was said: the message is safe in the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    /// The message.
    pub message: Uuid,
    /// Its place in the log, if that is known.
    pub index: Option<u64>,
    /// Who hears it.
    pub to: Oin,
    /// About which offer it is.
    pub offer: Uuid,
}

/// Why it was not said.
#[derive(Debug, thiserror::Error)]
pub enum SayError {
    /// Nothing of this case was handed over.
    #[error("dit dossier is niet overgedragen. `schakel overdracht lijst` laat zien welke dossiers dat zijn")]
    NotHandedOver,
    /// There is no such offer about which this organisation can say this.
    #[error(
        "er is in dit dossier geen aanbod waarover u dit kunt zeggen. `schakel overdracht tonen {0}` laat zien wat er is"
    )]
    NoOffer(Uuid),
    /// What is said is not valid.
    #[error("{0}")]
    Invalid(ParseError),
    /// There is nothing to say it on: the purpose has no basis for it.
    #[error("het doel laat dit bericht niet toe. Bekijk met `schakel doel tonen` wat er is afgesproken")]
    NotAllowed,
    /// The rules do not let it leave now.
    #[error("dit kan nu niet: {0}")]
    HeldBack(Refusal),
    /// It was offered, and nothing came of it.
    #[error("het bericht is niet aangenomen. Probeer het opnieuw")]
    NotTaken,
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Says it. When this returns, it is durable; who decided it is kept with it.
pub async fn say(core: &Core, saying: Saying, access: &Access) -> Result<Said, SayError> {
    let (known, steps) = super::case(core, saying.case).await?.ok_or(SayError::NotHandedOver)?;
    let offer = offer(core.me, &known, &saying).ok_or(SayError::NoOffer(saying.case))?;
    let to = if offer.from == core.me { offer.to } else { offer.from };
    if let Some(said) = said_before(core, &saying, &steps).await? {
        return Ok(Said { to, offer: offer.id, ..said });
    }
    let submission = submission(core, (&saying, offer.id, to), &steps).await?;
    match outbound::submit_numbered(core, vec![submission], access).await?.pop() {
        Some((Submitted::Queued(message) | Submitted::QueuedWithout { id: message, .. }, index)) => {
            Ok(Said { message, index, to, offer: offer.id })
        }
        Some((Submitted::HeldBack(refusal), _)) => Err(SayError::HeldBack(refusal)),
        Some((Submitted::AlreadyOffered, _)) | None => Err(SayError::NotTaken),
    }
}

/// Whether who made the offer says this, and not who was asked.
const fn is_said_by_offerer(schema: SchemaName) -> bool {
    matches!(schema, SchemaName::HandoverWithdrawn | SchemaName::HandoverSupplemented)
}

/// The offer it is about.
fn offer<'c>(me: Oin, known: &'c Case, saying: &Saying) -> Option<&'c Offer> {
    let is_mine = |offer: &&Offer| {
        let speaks = if is_said_by_offerer(saying.schema) { offer.from } else { offer.to };
        speaks == me && saying.offer.is_none_or(|asked| asked == offer.id)
    };
    known.offers().iter().rev().find(is_mine)
}

/// What came of the same request before. Looked up before deciding: by now the offer is answered, and by this very message.
async fn said_before(core: &Core, saying: &Saying, steps: &[StoredStep]) -> Result<Option<Said>, StoreError> {
    let Some(record) = &saying.source_record else { return Ok(None) };
    let found = core.store.offered_before(core.store.intake_key(record)).await?;
    let step = steps.iter().find(|step| Some(step.index) == found);
    let stands = step.filter(|step| matches!(step.state, State::Waiting | State::Admitted));
    Ok(stands.map(|step| Said {
        message: step.step.message,
        index: found,
        to: step.step.to,
        offer: step.step.offer(),
    }))
}

async fn submission(
    core: &Core,
    (saying, offer, to): (&Saying, Uuid, Oin),
    steps: &[StoredStep],
) -> Result<Submission, SayError> {
    let mut content = saying.content.clone();
    content["aanbod_id"] = json!(offer);
    let index = steps.iter().find(|step| step.step.message == offer).map(|step| step.index);
    let row = core.store.logged(index.ok_or(SayError::NoOffer(saying.case))?).await?;
    let row = row.ok_or(SayError::NoOffer(saying.case))?;
    let Some(document) = answering::document(core, &row, (saying.schema, &content)).await? else {
        // Checked once more on a basis that is always valid, so that what is wrong can be named.
        let value = json!({ "grondslag": { "soort": "publieke-taak" }, "inhoud": content });
        Document::parse(saying.schema, value.to_string().as_bytes()).map_err(SayError::Invalid)?;
        return Err(SayError::NotAllowed);
    };
    Ok(Submission {
        to,
        purpose: row.purpose.unwrap_or_default(),
        case: Some(saying.case),
        desk: None,
        document,
        source_record: saying.source_record.clone(),
    })
}
