//! Cases that are handed over, so that the messages of a handover are real as well: between the organisation of the suite and
//! two partners.

use std::sync::{Arc, LazyLock};

use anyhow::{Context as _, Result, anyhow};
use exchange::{
    agreement::{Agreement, AnswerKind, Content},
    digest::Digest,
    handover::{Case, Standing, Step},
    message::{Draft, ReceivedMessage, SignedMessage},
    oin::Oin,
    organisation::OrganisationKind,
    policy::{ConsentKnowledge, Knowledge},
    purpose::Purpose,
    rulebook::Rulebook,
};
use jiff::civil::date;
use schemas::{Document, SchemaName};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    agreed::{self, Incoming, signer},
    given::{Maker, later, now, partner, us},
};
use crate::{
    offer::{about, offer},
    simulation::three::parties::among,
};

const PURPOSE: &str = include_str!("../../../config/doelen/overdracht-werk-en-inkomen.toml");

/// Until when an offer asks for an answer, in minutes: more than the purpose gives.
pub const ANSWERED_IN: i64 = 14 * 24 * 60;

static RULES: LazyLock<Result<(Rulebook, Digest, String), String>> =
    LazyLock::new(|| make().map_err(|error| format!("{error:#}")));

fn rules() -> Result<&'static (Rulebook, Digest, String)> {
    RULES.as_ref().map_err(|error| anyhow!("{error}"))
}

fn make() -> Result<(Rulebook, Digest, String)> {
    let purpose = Purpose::from_toml(PURPOSE)?;
    let everybody = [us()?, partner(0)?, partner(1)?];
    let [ours, service, agency] = everybody;
    let content = Content {
        groep: "werk".into(),
        versie: 1,
        partijen: vec![
            agreed::party(ours, OrganisationKind::Municipality)?,
            agreed::party(service, OrganisationKind::SocialService)?,
            agreed::party(agency, OrganisationKind::Uwv)?,
        ],
        geldig_van: date(2026, 1, 1),
        geldig_tot: date(2027, 12, 31),
        afspraken: vec![among(&everybody, &purpose)],
    };
    let mut agreement = Agreement::parse(&serde_json::to_string(&content)?)?;
    for oin in everybody {
        agreed::answer(&mut agreement, oin, AnswerKind::Accepted)?;
    }
    let (digest, name) = (agreement.digest(), purpose.content().doel.clone());
    Ok((Rulebook::new([agreement], [purpose]), digest, name))
}

/// A case with the messages about it, in the order of our log; all of them stand.
#[derive(Clone)]
pub struct Handed {
    maker: Arc<Maker>,
    /// Which.
    pub case: Uuid,
    /// What its messages do.
    pub steps: Vec<Step>,
}

impl Handed {
    /// A case of which nothing was said yet.
    pub fn new(seed: u64) -> Self {
        let maker = Maker::new(seed);
        let case = maker.id();
        Self { maker, case, steps: Vec::new() }
    }

    /// The case as this organisation knows it, if nothing was refused.
    pub fn known_to(&self, oin: Oin) -> Case {
        Case::replay(oin, self.steps.iter().map(|step| (step, Standing::Stands)))
    }

    fn draft(&self, (from, to): (Oin, Oin), schema: SchemaName, data: &Value) -> Result<Draft> {
        let (_, agreement, purpose) = rules()?;
        let document = Document::parse(schema, data.to_string().as_bytes())?;
        let (agreement, purpose, case) = (*agreement, purpose.clone(), self.case);
        Ok(Draft { from, to, agreement, purpose, case, document, ..self.maker.draft(to)? })
    }

    fn signed(&self, draft: Draft) -> Result<SignedMessage> {
        let (from, case) = (draft.from, self.known_to(draft.from));
        let known =
            Knowledge { consent: ConsentKnowledge::NothingElse, case: Some(&case), ..Knowledge::default() };
        Ok(draft.permit(&rules()?.0, known)?.sign(&signer(from))?)
    }

    fn say(&mut self, to: Oin, schema: SchemaName, data: &Value) -> Result<SignedMessage> {
        let message = self.signed(self.draft((us()?, to), schema, data)?)?;
        self.steps.push(message.step().context("it is part of a handover")?.step.clone());
        Ok(message)
    }

    fn hear(&mut self, from: Oin, schema: SchemaName, data: &Value) -> Result<Incoming> {
        let message = self.signed(self.draft((from, us()?), schema, data)?)?;
        let (rules, case) = (&rules()?.0, self.known_to(us()?));
        let decided =
            ReceivedMessage::new(message.compact(), from).verify(us()?, rules, now()).and_then(|verified| {
                let known = Knowledge {
                    consent: ConsentKnowledge::NothingElse,
                    case: Some(&case),
                    ..Knowledge::default()
                };
                verified.admit(rules, known, now())
            });
        self.steps.push(message.step().context("it is part of a handover")?.step.clone());
        Ok(agreed::incoming(decided, now()))
    }

    /// We offer it.
    pub fn offer(&mut self, to: Oin) -> Result<SignedMessage> {
        let mut data = offer(later(ANSWERED_IN));
        if let Some(root) = self.known_to(us()?).root() {
            data["inhoud"]["eerste_aanbod_id"] = json!(root);
        }
        self.say(to, SchemaName::HandoverOffered, &data)
    }

    /// We take our offer back.
    pub fn withdraw(&mut self, to: Oin) -> Result<SignedMessage> {
        let mut content = json!({ "reden": "andere-oplossing" });
        content["eerste_aanbod_id"] = json!(self.known_to(us()?).root());
        let data = self.about(content)?;
        self.say(to, SchemaName::HandoverWithdrawn, &data)
    }

    /// A partner offers it.
    pub fn offered(&mut self, from: Oin) -> Result<Incoming> {
        self.hear(from, SchemaName::HandoverOffered, &offer(later(ANSWERED_IN)))
    }

    /// A partner takes its offer back.
    pub fn withdrawn(&mut self, from: Oin) -> Result<Incoming> {
        let mut content = json!({ "reden": "andere-oplossing" });
        content["eerste_aanbod_id"] = json!(self.known_to(us()?).root());
        let data = self.about(content)?;
        self.hear(from, SchemaName::HandoverWithdrawn, &data)
    }

    /// A partner takes it over.
    pub fn accepted(&mut self, from: Oin) -> Result<Incoming> {
        let director = json!({ "organisatie": "Sociale Dienst Rivierland", "functie": "consulent" });
        let data = self.about(json!({ "casusregisseur": director, "eerste_contact_voor": "2026-12-15" }))?;
        self.hear(from, SchemaName::HandoverAccepted, &data)
    }

    /// A partner does not.
    pub fn declined(&mut self, from: Oin) -> Result<Incoming> {
        let data = self.about(json!({ "reden": "geen-plek", "toelichting": "Er is nu geen plek." }))?;
        self.hear(from, SchemaName::HandoverDeclined, &data)
    }

    /// Something about the last offer.
    fn about(&self, content: Value) -> Result<Value> {
        let known = self.known_to(us()?);
        Ok(about(known.offers().last().context("nothing was offered")?.id, content))
    }
}
