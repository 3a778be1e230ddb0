//! What residents consented to, so that messages under consent are real as well. The organisation of the suite asked for
//! some, and its partners for others.

use std::sync::{Arc, LazyLock};

use anyhow::{Result, anyhow};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use exchange::{
    agreement::{Agreement, AnswerKind, Content},
    consent::{ConsentKey, ConsentRecord, HowGiven, Salts, Statement},
    digest::Digest,
    entry::{ConsentHappening, Entry},
    jws,
    message::{Draft, ReceivedMessage, SignedMessage},
    oin::Oin,
    organisation::OrganisationKind,
    policy::ConsentKnowledge,
    random::SeededRandom,
    rulebook::Rulebook,
    tlog::Leaf,
};
use jiff::{SignedDuration, Timestamp, civil::date};
use schemas::{BasisKind, Document, SchemaName};
use serde_json::{Value, json};
use store::{Outgoing, Store, StoreError};

use super::{
    agreed::{self, Incoming, signer},
    given::{Maker, later, now, partner, us},
};
use crate::simulation::three::parties::among;
use crate::withdrawal::{
    documents::{purpose, record, signal},
    operation::Ground,
    parties::purposes,
};

/// The partners in this agreement.
const PARTNERS: usize = 4;

/// How long a consent holds, in minutes.
pub const HOLDS: i64 = 600;

/// How long after its end the record of a consent is kept, in days.
pub const KEEP_DAYS: u32 = 30;

static RULES: LazyLock<Result<(Rulebook, Digest), String>> =
    LazyLock::new(|| make().map_err(|error| format!("{error:#}")));

fn rules() -> Result<&'static (Rulebook, Digest)> {
    RULES.as_ref().map_err(|error| anyhow!("{error}"))
}

fn make() -> Result<(Rulebook, Digest)> {
    let purposes = purposes()?;
    let everybody: Vec<Oin> =
        std::iter::once(us()).chain((0..PARTNERS).map(partner)).collect::<Result<_>>()?;
    let kind = |oin: &Oin| {
        if us().is_ok_and(|us| us == *oin) {
            OrganisationKind::Municipality
        } else {
            OrganisationKind::Welfare
        }
    };
    let content = Content {
        groep: "rivierland".into(),
        versie: 1,
        partijen: everybody.iter().map(|oin| agreed::party(*oin, kind(oin))).collect::<Result<_>>()?,
        geldig_van: date(2026, 1, 1),
        geldig_tot: date(2027, 12, 31),
        afspraken: purposes.iter().map(|purpose| among(&everybody, purpose)).collect(),
    };
    let mut agreement = Agreement::parse(&serde_json::to_string(&content)?)?;
    for oin in &everybody {
        agreed::answer(&mut agreement, *oin, AnswerKind::Accepted)?;
    }
    let digest = agreement.digest();
    Ok((Rulebook::new([agreement], purposes), digest))
}

/// A consent that somebody asked for.
pub struct Consented {
    maker: Arc<Maker>,
    record: ConsentRecord,
    /// Names it.
    pub key: ConsentKey,
}

impl Consented {
    /// A consent that we asked for.
    pub fn ours(seed: u64) -> Result<Self> {
        Self::of(us()?, seed)
    }

    /// A consent that the first partner asked for.
    pub fn theirs(seed: u64) -> Result<Self> {
        Self::of(partner(0)?, seed)
    }

    fn of(holder: Oin, seed: u64) -> Result<Self> {
        let maker = Maker::new(seed);
        let mut everybody: Vec<Oin> =
            std::iter::once(us()).chain((0..PARTNERS).map(partner)).collect::<Result<_>>()?;
        everybody.retain(|oin| *oin != holder);
        let text = record(0, &everybody, (now(), later(HOLDS))).to_string();
        let salts = Salts::new(&SeededRandom::new(seed));
        let record = ConsentRecord::fill_in(text.as_bytes(), maker.id(), salts)?;
        let key = record.key(holder);
        Ok(Self { maker, record, key })
    }

    /// The same, extended by the resident until so many minutes from now.
    pub fn extended(&self, minutes: i64) -> Result<Self> {
        let how = HowGiven {
            wijze: "mondeling".into(),
            bewijs_soort: "gespreksverslag".into(),
            bewijs_kenmerk: "GV-1".into(),
        };
        let record = self.record.extended(later(minutes), &how, now())?;
        Ok(Self { maker: Arc::clone(&self.maker), record, key: self.key })
    }

    /// Its extract.
    pub fn extract(&self) -> Result<String> {
        Ok(self.record.extract(self.key.holder, &signer(self.key.holder))?)
    }

    /// Until when it holds.
    pub fn until(&self) -> Timestamp {
        self.record.valid_until()
    }

    /// Records it, if it is ours.
    pub async fn record_in(&self, store: &Store) -> Result<Result<u64, StoreError>> {
        let leaf = self.leaf(ConsentHappening::Verleend);
        Ok(store.record_consent((self.key, &self.record), self.extract()?, KEEP_DAYS, leaf).await)
    }

    /// Its withdrawal, as the holder signs it.
    pub fn statement(&self) -> Result<String> {
        let holder = self.key.holder;
        Ok(Statement::sign(self.key.id, holder, now(), &signer(holder))?)
    }

    /// Withdraws it, if it is ours.
    pub async fn withdraw_in(&self, store: &Store) -> Result<bool> {
        let leaf = self.leaf(ConsentHappening::Ingetrokken);
        Ok(store.withdraw_consent(self.key, (self.statement()?, now()), leaf, now()).await?)
    }

    /// What the log says of it.
    pub fn leaf(&self, what: ConsentHappening) -> Leaf {
        Entry::Toestemming {
            bewijs: None,
            gebeurtenis: what,
            houder: self.key.holder,
            tijd: now(),
            toestemming: self.key.id,
            uitkomst: None,
        }
        .leaf()
    }

    fn draft(&self, (from, to): (Oin, Oin), (ground, document): (Ground, Document)) -> Result<Draft> {
        let purpose = purpose(ground).to_owned();
        Ok(Draft { from, to, agreement: rules()?.1, purpose, document, ..self.maker.draft(to)? })
    }

    fn signed(draft: Draft) -> Result<SignedMessage> {
        let from = draft.from;
        Ok(draft.permit(&rules()?.0, ConsentKnowledge::NothingElse)?.sign(&signer(from))?)
    }

    fn resting(&self, ground: Ground) -> Result<Document> {
        let document = signal(0, self.key.id, ground)?;
        Ok(self.record.attach_to(&document, None, (self.key.holder, &signer(self.key.holder)))?)
    }

    /// A message of ours that rests on it.
    pub fn outgoing(&self, to: Oin) -> Result<Outgoing> {
        self.outgoing_on(to, Ground::Consent)
    }

    /// A message of ours that rests on it, for the purpose of this ground.
    pub fn outgoing_on(&self, to: Oin, ground: Ground) -> Result<Outgoing> {
        let draft = self.draft((us()?, to), (ground, self.resting(ground)?))?;
        Ok(Self::signed(draft)?.into())
    }

    /// A message of its holder that rests on it, as it comes in while it is not known to be withdrawn.
    pub fn incoming(&self) -> Result<Incoming> {
        let draft =
            self.draft((self.key.holder, us()?), (Ground::Consent, self.resting(Ground::Consent)?))?;
        Self::taken(draft)
    }

    fn taken(draft: Draft) -> Result<Incoming> {
        Self::taken_knowing(draft, ConsentKnowledge::NothingElse)
    }

    fn taken_knowing(draft: Draft, known: ConsentKnowledge) -> Result<Incoming> {
        let (from, rules) = (draft.from, &rules()?.0);
        let message = Self::signed(draft)?;
        let decided = ReceivedMessage::new(message.compact(), from)
            .verify(us()?, rules, now())
            .and_then(|verified| verified.admit(rules, known, now()));
        Ok(agreed::incoming(decided, now()))
    }

    fn about(&self, schema: SchemaName, mut content: Value) -> Result<Document> {
        content["toestemming_id"] = json!(self.key.id);
        content["houder"] = json!(self.key.holder);
        let basis = json!({ "soort": BasisKind::LegalObligation, "artikelen": ["AVG art. 7 lid 3"] });
        let text = json!({ "grondslag": basis, "inhoud": content }).to_string();
        Ok(Document::parse(schema, text.as_bytes())?)
    }

    /// What tells a partner that it was withdrawn.
    pub fn notice(&self, to: Oin) -> Result<Outgoing> {
        let content = json!({ "ingetrokken_op": now(), "verklaring": self.statement()? });
        let document = self.about(SchemaName::ConsentWithdrawn, content)?;
        let draft = self.draft((us()?, to), (Ground::Consent, document))?;
        Ok(Outgoing::from(Self::signed(draft)?).that_tells(self.key))
    }

    /// The withdrawal, as its holder sends it to us.
    pub fn withdrawal(&self) -> Result<Incoming> {
        let content = json!({ "ingetrokken_op": now(), "verklaring": self.statement()? });
        let document = self.about(SchemaName::ConsentWithdrawn, content)?;
        Self::taken(self.draft((self.key.holder, us()?), (Ground::Consent, document))?)
    }

    /// What a partner sends that signs the withdrawal itself and is not the holder.
    pub fn forged_withdrawal(&self, from: Oin) -> Result<Incoming> {
        let statement = Statement::sign(self.key.id, self.key.holder, now(), &signer(from))?;
        let content = json!({ "ingetrokken_op": now(), "verklaring": statement });
        let document = self.about(SchemaName::ConsentWithdrawn, content)?;
        let draft = self.draft((from, us()?), (Ground::Consent, document.clone()))?;
        // A node with its own program would not let it go; so one with another program signs it.
        let honest = self.about(
            SchemaName::ConsentWithdrawn,
            json!({
                "ingetrokken_op": now(), "verklaring": self.statement()?,
            }),
        )?;
        let message = Self::signed(Draft { document: honest, ..draft })?;
        let payload = message.compact().split('.').nth(1).unwrap_or_default();
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(payload)?)?;
        let forged = text.replace(&self.statement()?, &statement);
        anyhow::ensure!(forged != text && document.json().contains(&statement), "nothing was forged");
        let line = jws::sign(jws::MESSAGE, forged.as_bytes(), &signer(from));
        agreed::receive(&line, from, &rules()?.0, now())
    }

    /// What a partner says when the resident withdrew it there.
    pub fn report(&self, from: Oin) -> Result<Incoming> {
        let content = json!({ "ingetrokken_op": now(), "uittreksel": self.extract()? });
        let document = self.about(SchemaName::ConsentWithdrawn, content)?;
        Self::taken(self.draft((from, us()?), (Ground::Consent, document))?)
    }

    /// What tells its holder that the resident withdrew it here.
    pub fn told_holder(&self) -> Result<Outgoing> {
        let content = json!({ "ingetrokken_op": now(), "uittreksel": self.extract()? });
        let document = self.about(SchemaName::ConsentWithdrawn, content)?;
        let draft = self.draft((us()?, self.key.holder), (Ground::Consent, document))?;
        Ok(Outgoing::from(Self::signed(draft)?).that_tells(self.key))
    }

    /// What a partner says that it did, so many minutes from now.
    pub fn confirmation(&self, from: Oin, said: (&str, i64)) -> Result<Incoming> {
        self.confirmation_with(from, said, &[])
    }

    /// The same, when it passed something on to these.
    pub fn confirmation_with(
        &self,
        from: Oin,
        (done, minutes): (&str, i64),
        passed_to: &[Oin],
    ) -> Result<Incoming> {
        let mut content = json!({ "verwerkt_op": later(minutes), "uitkomst": done });
        if !passed_to.is_empty() {
            content["doorgestuurd_aan"] = json!(passed_to);
        }
        let document = self.about(SchemaName::ConsentProcessed, content)?;
        let draft = self.draft((from, us()?), (Ground::Consent, document))?;
        Self::taken_knowing(draft, ConsentKnowledge::ValidUntil(self.until()))
    }

    /// The moment at which it has run out.
    pub fn after(&self) -> Timestamp {
        self.until() + SignedDuration::from_secs(1)
    }
}
