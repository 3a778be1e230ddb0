//! The steps of a check, each by itself: one that fails does not hide another.

mod consent;
mod force;

use jiff::Timestamp;

use super::{Bundle, NoText, Pins, Report, Step, StepName, StepOutcome};
use crate::{
    agreement::{Agreement, Clause},
    canonical,
    digest::Digest,
    entry::{Entry, Outcome, Reception},
    envelope::{self, Envelope},
    jws,
    oin::Oin,
    purpose::Purpose,
    tlog::{Checkpoint, Cosignature, CosignerVerifier, Leaf, LogVerifier, ProofFile, verify_inclusion},
};

/// What a step found: what is proven, or what is wrong, or why there is nothing to say.
enum Found {
    Proven(String),
    Wrong(String),
    Nothing(String),
}
use Found::{Nothing, Proven, Wrong};

/// The parts of a bundle, as far as each can be read. None of them is believed before a step says so.
struct Parts<'a> {
    bundle: &'a Bundle,
    jws: Option<jws::Unverified<'a>>,
    envelope: Option<Envelope<'a>>,
    reception: Option<Reception>,
    proof: Option<ProofFile>,
    agreement: Option<Agreement>,
    /// Whether every answer in the bundle is one to this agreement.
    answers_hold: bool,
    purposes: Option<Vec<Purpose>>,
}

/// Checks a bundle.
pub(super) fn check(bundle: &Bundle, pins: &Pins) -> Report {
    let jws =
        bundle.bericht.as_deref().and_then(|compact| jws::Unverified::parse(jws::MESSAGE, compact).ok());
    let payload = jws.as_ref().map(|jws| jws.unverified_payload().to_vec()).unwrap_or_default();
    let mut parts = Parts::read(bundle, &payload);
    parts.jws = jws;
    let steps: [(StepName, Found); 12] = [
        (StepName::Vorm, parts.form()),
        (StepName::Convenant, parts.agreement()),
        (StepName::Antwoorden, parts.answers()),
        (StepName::Geldigheid, parts.in_force()),
        (StepName::Bericht, parts.message()),
        (StepName::Doel, parts.purpose()),
        (StepName::Logregel, parts.entry()),
        (StepName::Insluiting, parts.inclusion()),
        (StepName::Controlepunt, parts.checkpoint()),
        (StepName::Getuigen, parts.witnesses()),
        (StepName::Toestemming, parts.consent()),
        (StepName::Sleutels, parts.pinned(pins)),
    ];
    let stappen: Vec<Step> = steps.into_iter().map(|(stap, found)| step(stap, found)).collect();
    let niet_bewezen = parts.not_proven(&stappen);
    let niet_gecontroleerd = parts.not_checked(&stappen);
    Report { stappen, niet_bewezen, niet_gecontroleerd }
}

fn step(stap: StepName, found: Found) -> Step {
    let (uitkomst, uitleg) = match found {
        Proven(text) => (StepOutcome::Bewezen, text),
        Wrong(text) => (StepOutcome::Onjuist, text),
        Nothing(text) => (StepOutcome::NietGecontroleerd, text),
    };
    Step { stap, uitkomst, uitleg }
}

fn wrong(text: &str) -> Found {
    Wrong(text.to_owned())
}

fn nothing(text: &str) -> Found {
    Nothing(text.to_owned())
}

/// What a log entry says of the rules: both digests, each followed by a line feed.
fn rules_of(agreement: Digest, purpose: Digest) -> Digest {
    Digest::of(format!("{agreement}\n{purpose}\n").as_bytes())
}

impl<'a> Parts<'a> {
    fn read(bundle: &'a Bundle, payload: &'a [u8]) -> Self {
        let envelope: Option<Envelope<'a>> =
            serde_json::from_slice(payload).ok().filter(|_| payload.len() <= envelope::MAX_BYTES);
        let leaf = Leaf::new(bundle.blad.clone().into_bytes());
        let reception = match Entry::of_leaf(&leaf) {
            Ok(Entry::Ontvangst(reception)) => Some(reception),
            _ => None,
        };
        let mut agreement =
            bundle.convenant.as_ref().and_then(|value| Agreement::parse(&value.to_string()).ok());
        let answers_hold = agreement.as_mut().is_some_and(|agreement| {
            bundle.antwoorden.iter().all(|answer| agreement.add_answer(answer).is_ok())
        });
        let purpose = |value| Purpose::from_json(&canonical::text(value).ok()?).ok();
        Self {
            bundle,
            jws: None,
            envelope: envelope.filter(Envelope::is_well_formed),
            reception,
            proof: bundle.ontvangstbewijs.parse().ok(),
            agreement,
            answers_hold,
            purposes: bundle.doelen.iter().map(purpose).collect(),
        }
    }

    fn name(&self, oin: Oin) -> String {
        let party = self.agreement.as_ref().and_then(|agreement| agreement.party(oin));
        party.map_or_else(|| oin.to_string(), |party| format!("{} ({oin})", party.naam))
    }

    /// Who received, and so whose log it is: the one the message is for, or else whose log key is in the bundle.
    fn receiver(&self) -> Option<Oin> {
        self.envelope
            .as_ref()
            .map(|envelope| envelope.ontvanger)
            .or_else(|| self.bundle.logsleutel.split('+').next()?.strip_prefix("schakel/")?.parse().ok())
    }

    /// When the message was made; when it arrived, if the message is not there.
    fn moment(&self) -> Option<Timestamp> {
        let made = self.envelope.as_ref().map(|envelope| envelope.time);
        made.or_else(|| self.reception.as_ref().map(|reception| reception.tijd))
    }

    fn admitted(&self) -> bool {
        self.reception.as_ref().is_some_and(|reception| reception.uitkomst == Outcome::Toegelaten)
    }

    fn form(&self) -> Found {
        match self.bundle.zonder_tekst {
            None => Proven("Het bestand is een volledig bewijs.".into()),
            // What was let in was kept, whatever became of it.
            Some(NoText::NietBewaard) if self.admitted() => wrong(
                "Het bestand zegt dat het bericht bij aankomst is geweigerd en niet is bewaard, maar volgens de logregel is het toegelaten.",
            ),
            // Nobody signed why it is not there.
            Some(why) => Proven(format!(
                "Het bestand is een bewijs zonder de tekst van het bericht. Volgens wie het maakte: {}.",
                match why {
                    NoText::Gewist => "daar is de tekst gewist",
                    NoText::NietBewaard => "het is bij aankomst geweigerd en niet bewaard",
                    NoText::ToestemmingIngetrokken => "de toestemming van de inwoner is ingetrokken",
                    NoText::ToestemmingVerlopen => "de toestemming van de inwoner is verlopen",
                }
            )),
        }
    }

    fn agreement(&self) -> Found {
        if self.bundle.convenant.is_none() {
            return nothing("Er is geen convenant bij.");
        }
        let Some(agreement) = &self.agreement else { return wrong("Het convenant is niet geldig.") };
        let digest = agreement.digest();
        match &self.envelope {
            Some(envelope) if envelope.convenant != digest => wrong(
                "Het bericht noemt een ander convenant dan dit; dit convenant is veranderd of verwisseld.",
            ),
            Some(_) => Proven(format!("Het bericht is verstuurd onder dit convenant, {digest}.")),
            None => Proven(format!("Het convenant {digest} is geldig van vorm.")),
        }
    }

    fn answers(&self) -> Found {
        let Some(agreement) = &self.agreement else {
            return if self.bundle.antwoorden.is_empty() && self.bundle.convenant.is_none() {
                nothing("Er is geen convenant bij.")
            } else {
                wrong("Er is geen geldig convenant waar de antwoorden bij horen.")
            };
        };
        if !self.answers_hold {
            return wrong("Een van de antwoorden is niet door een partij van dit convenant ondertekend.");
        }
        let parties = &agreement.content().partijen;
        match parties.iter().find(|party| !agreement.is_accepted_by(party.oin)) {
            Some(party) => Wrong(format!("{} heeft het convenant niet aanvaard.", self.name(party.oin))),
            None => Proven(format!(
                "Alle {} partijen hebben het convenant aanvaard, elk met een eigen handtekening.",
                parties.len()
            )),
        }
    }

    fn message(&self) -> Found {
        if self.bundle.bericht.is_none() {
            return nothing("De tekst van het bericht is er niet bij.");
        }
        let (Some(jws), Some(envelope)) = (&self.jws, &self.envelope) else {
            return wrong("Het bericht is geen ondertekend bericht van Schakel.");
        };
        let Some(sender) = envelope.sender() else { return wrong("Het bericht noemt geen afzender.") };
        let key = self.agreement.as_ref().and_then(|agreement| agreement.key(sender, jws.kid()));
        let Some(key) = key else {
            return Wrong(format!("Het convenant geeft {} deze sleutel niet.", self.name(sender)));
        };
        match jws.verify(key) {
            Ok(_) => Proven(format!(
                "{} heeft dit bericht ondertekend, voor {}, van de soort {}.",
                self.name(sender),
                self.name(envelope.ontvanger),
                envelope.message_type
            )),
            Err(_) => wrong("De handtekening onder het bericht klopt niet: het bericht is veranderd."),
        }
    }

    /// The clause that the message goes under; without the message the one that the log entry speaks of.
    fn clause(&self) -> Option<&Clause> {
        let agreement = self.agreement.as_ref()?;
        let mut clauses = agreement.content().afspraken.iter();
        match (&self.envelope, &self.reception) {
            (Some(envelope), _) => {
                let from = envelope.sender()?;
                agreement.clause((from, envelope.ontvanger), &envelope.doel, &envelope.message_type)
            }
            // Without the type any clause with these rules: what carries out a right of the resident goes under each.
            (None, Some(reception)) => {
                let rules = reception.regels?;
                let parties =
                    agreement.party(reception.van).is_some() && agreement.party(self.receiver()?).is_some();
                clauses.find(|clause| parties && rules_of(agreement.digest(), clause.doel_digest) == rules)
            }
            (None, None) => None,
        }
    }

    fn purpose(&self) -> Found {
        let Some(purposes) = &self.purposes else { return wrong("De tekst van een doel is niet geldig.") };
        let Some(clause) = self.clause() else {
            return match (self.admitted(), purposes.is_empty()) {
                (false, true) => nothing("Het convenant heeft geen afspraak over dit bericht."),
                _ => wrong("Het convenant heeft geen afspraak over dit bericht tussen deze organisaties."),
            };
        };
        if purposes.iter().any(|purpose| purpose.digest() != clause.doel_digest) {
            return wrong(
                "De tekst van het doel is een andere dan waar het convenant het controlegetal van noemt.",
            );
        }
        match purposes.first().filter(|purpose| purpose.content().doel == clause.doel) {
            Some(purpose) => Proven(format!(
                "Het doel is {} ({}); de tekst is die welke alle partijen hebben ondertekend.",
                purpose.content().naam,
                clause.doel
            )),
            None => wrong("De tekst van het doel is er niet bij."),
        }
    }

    fn entry(&self) -> Found {
        let Some(said) = &self.reception else { return wrong("De logregel gaat niet over een ontvangst.") };
        let extra = self.proof.as_ref().and_then(|proof| proof.extra.as_deref());
        if extra.is_some_and(|extra| extra != self.bundle.blad.as_bytes()) {
            return wrong("De logregel in het ontvangstbewijs is een andere dan die ernaast.");
        }
        if let Some(compact) = &self.bundle.bericht {
            if said.bericht != Digest::of(compact.as_bytes()) {
                return wrong("De logregel gaat over een ander bericht.");
            }
            let envelope = self.envelope.as_ref();
            if said.id.is_some_and(|id| envelope.is_none_or(|envelope| envelope.id != id)) {
                return wrong("De logregel noemt een ander kenmerk dan het bericht.");
            }
            if envelope.and_then(Envelope::sender) != Some(said.van) {
                return wrong("De logregel noemt een andere afzender dan het bericht.");
            }
        }
        match (said.uitkomst, said.reden) {
            (Outcome::Toegelaten, None) => self.admission(said),
            (Outcome::Geweigerd, Some(reason)) => Proven(format!(
                "De ontvanger heeft het bericht {} van {} op {} geweigerd: {} ({}).",
                said.bericht,
                self.name(said.van),
                said.tijd,
                reason.0,
                reason.0.code()
            )),
            _ => wrong("De logregel zegt niet duidelijk of het bericht is toegelaten."),
        }
    }

    /// The entry of a message that was let in names the rules by which.
    fn admission(&self, said: &Reception) -> Found {
        let rules = self.agreement.as_ref().zip(self.clause());
        let rules = rules.map(|(agreement, clause)| rules_of(agreement.digest(), clause.doel_digest));
        if rules.is_none() || said.regels != rules {
            return wrong("De logregel noemt andere regels dan dit convenant en dit doel.");
        }
        Proven(format!(
            "De ontvanger heeft het bericht {} van {} op {} toegelaten, volgens dit convenant en dit doel.",
            said.bericht,
            self.name(said.van),
            said.tijd
        ))
    }

    fn head(&self) -> Option<Checkpoint> {
        let (body, _) = self.proof.as_ref()?.checkpoint.rsplit_once("\n\n")?;
        Checkpoint::parse(&format!("{body}\n")).ok()
    }

    fn inclusion(&self) -> Found {
        let (Some(proof), Some(head)) = (&self.proof, self.head()) else {
            return wrong("Het ontvangstbewijs is niet leesbaar.");
        };
        let leaf = Leaf::new(self.bundle.blad.clone().into_bytes());
        match verify_inclusion(proof.index, head.size, &leaf.hash(), &proof.proof, &head.root) {
            Ok(()) => Proven(format!(
                "De logregel staat als nummer {} in het logboek, dat toen {} regels had.",
                proof.index, head.size
            )),
            Err(_) => wrong("De logregel staat niet in het logboek waar het controlepunt over gaat."),
        }
    }

    fn log_key(&self) -> Option<LogVerifier> {
        let receiver = self.receiver()?;
        let named: LogVerifier = self.bundle.logsleutel.parse().ok()?;
        match &self.agreement {
            Some(agreement) => agreement.log_key(receiver).filter(|key| **key == named).cloned(),
            None if self.bundle.convenant.is_some() => None,
            None => Some(named),
        }
    }

    fn checkpoint(&self) -> Found {
        let (Some(receiver), Some(proof)) = (self.receiver(), &self.proof) else {
            return wrong("Het ontvangstbewijs is niet leesbaar, of van wie het logboek is.");
        };
        let Some(key) = self.log_key() else {
            return Wrong(format!(
                "De logsleutel is niet die welke het convenant {} geeft.",
                self.name(receiver)
            ));
        };
        match key.open(&proof.checkpoint) {
            Ok(_) => Proven(format!(
                "{} heeft het logboek met deze regel erin ondertekend, met de logsleutel {}.",
                self.name(receiver),
                if self.agreement.is_some() { "uit het convenant" } else { "die in het bewijs staat" }
            )),
            Err(_) => wrong("Het controlepunt is niet met de logsleutel van de ontvanger ondertekend."),
        }
    }

    /// Every signature besides the log's own must be by a party: what nobody can check does not belong in evidence.
    fn witnesses(&self) -> Found {
        let (Some(proof), Some(head)) = (&self.proof, self.head()) else {
            return wrong("Het ontvangstbewijs is niet leesbaar.");
        };
        let bare = self.log_key().and_then(|key| Some(key.bare(&proof.checkpoint).ok()?.1));
        let signatures = proof.checkpoint.rsplit_once("\n\n").map_or("", |(_, lines)| lines);
        let others = signatures
            .lines()
            .filter(|line| bare.as_deref().is_none_or(|bare| !bare.lines().any(|own| own == *line)));
        // When not even the log's own line is known, the step before this one says so.
        let lines: Vec<&str> = others.skip(usize::from(bare.is_none())).collect();
        let mut seen = Vec::new();
        for line in lines {
            match self.witness(line, &head) {
                Some(by) => seen.push(by),
                None => {
                    return wrong(
                        "Een handtekening bij het controlepunt is niet van een partij van het convenant.",
                    );
                }
            }
        }
        if seen.is_empty() {
            return nothing("Geen andere organisatie heeft dit controlepunt medeondertekend.");
        }
        Proven(format!("Dit controlepunt is ook gezien en ondertekend door {}.", seen.join(" en ")))
    }

    fn witness(&self, line: &str, head: &Checkpoint) -> Option<String> {
        let cosignature: Cosignature = line.parse().ok()?;
        let oin: Oin = cosignature.cosigner().strip_prefix("schakel/")?.parse().ok()?;
        let party = self.agreement.as_ref()?.party(oin)?;
        let holds = |key| {
            let verifier = CosignerVerifier::of(&oin.log_origin(), key).ok()?;
            verifier.verify(head, &cosignature).ok()
        };
        let at = party.sleutels.iter().find_map(holds)?;
        Some(format!("{} op {at}", self.name(oin)))
    }

    /// What is wrong is only so when the receiver let the message in.
    fn unless_admitted(&self, text: &str) -> Found {
        if self.admitted() { wrong(text) } else { nothing(text) }
    }

    fn pinned(&self, pins: &Pins) -> Found {
        if pins.agreement.is_none() && pins.keys.is_empty() {
            return nothing("U hebt niet gezegd welk convenant of welke sleutels u kent.");
        }
        let digest = self.agreement.as_ref().map(Agreement::digest);
        if pins.agreement.is_some() && pins.agreement != digest {
            return wrong("Het convenant is een ander dan u opgaf.");
        }
        for (oin, key) in &pins.keys {
            let agreed = self.agreement.as_ref();
            let known = agreed.and_then(|agreement| agreement.key(*oin, key)).is_some()
                || agreed
                    .and_then(|agreement| agreement.log_key(*oin))
                    .is_some_and(|log| log.to_string() == *key)
                || (agreed.is_none() && self.receiver() == Some(*oin) && self.bundle.logsleutel == *key);
            if !known {
                return Wrong(format!(
                    "De sleutel die u opgaf is niet die van {} in dit bewijs.",
                    self.name(*oin)
                ));
            }
        }
        Proven("Wat u opgaf is wat in het bewijs staat.".into())
    }

    /// What is not there to check.
    fn not_checked(&self, steps: &[Step]) -> Vec<String> {
        let text = self.bundle.bericht.is_none();
        let text = text.then(|| "de tekst van het bericht, want die is er niet bij".to_owned());
        let consent = steps.iter().find(|step| step.stap == StepName::Toestemming);
        let consent = consent.and_then(|step| self.consent_not_checked(step.uitkomst)).map(str::to_owned);
        text.into_iter().chain(consent).collect()
    }

    fn not_proven(&self, steps: &[Step]) -> Vec<String> {
        let outcome = |name| steps.iter().find(|step| step.stap == name).map(|step| step.uitkomst);
        let mut list = vec!["Dat wat in het bericht staat waar is.".to_owned()];
        if outcome(StepName::Sleutels) != Some(StepOutcome::Bewezen) {
            list.push("Dat de sleutels in het convenant van deze organisaties zelf zijn. Vergelijk het controlegetal van het convenant met wat een van de partijen zegt, en geef het op met --convenant.".into());
        }
        list.push("Op welk moment precies: de tijden zijn van de klokken van afzender en ontvanger.".into());
        if outcome(StepName::Getuigen) != Some(StepOutcome::Bewezen) {
            list.push("Dat de ontvanger aan anderen hetzelfde logboek laat zien: niemand anders heeft dit controlepunt ondertekend.".into());
        }
        if self.bundle.convenant.is_some() {
            list.push("Dat het convenant niet is opgezegd: wie dit bewijs maakte kan een opzegging hebben weggelaten. De andere partijen weten het.".into());
        }
        let on_consent = self.reception.as_ref().is_some_and(|said| said.toestemming.is_some());
        if on_consent && self.bundle.intrekking.is_none() {
            list.push("Dat de inwoner de toestemming later niet heeft ingetrokken: wie dit bewijs maakte kan de intrekking hebben weggelaten, of kende haar nog niet. Wie om de toestemming vroeg weet het.".into());
        }
        if self.bundle.bericht.is_none() {
            list.push("Wat er in het bericht stond. Wie de tekst nog heeft, vergelijkt SHA-256 daarvan met de logregel.".into());
        }
        list
    }
}
