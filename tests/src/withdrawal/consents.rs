//! Residents consent, extend and withdraw; organisations send under that.

use anyhow::{bail, ensure};
use exchange::{
    consent::{HowGiven, RecordError},
    oin::Oin,
    organisation::OrganisationKind,
    refusal::Reason,
};
use jiff::{SignedDuration, Timestamp};
use node::{
    consent::{
        register::{self, RegisterError},
        report::{self, Heard},
    },
    outbound::{self, Submission, Submitted},
};
use store::ConsentState;

use super::{
    documents,
    operation::{Ground, Org, Way},
    parties,
    world::World,
};

/// After this the agreement is over.
const LAST_MOMENT: &str = "2029-10-31T22:00:00Z";

impl World {
    /// The resident gives a consent, once.
    pub(super) fn grant(&mut self, consent: usize, hours: u16) -> anyhow::Result<()> {
        let now = self.at(Org::Holder).now();
        let until = now + SignedDuration::from_hours(hours.max(1).into());
        let others: Vec<Oin> = Org::OTHERS.map(|org| self.at(org).oin).into();
        let mut record = documents::record(consent, &others, (now, until));
        record["inhoud"]["id"] = self.given[consent].id.to_string().into();
        let purposes = parties::purposes()?;
        let access = documents::decided(now)?;
        let granted = self.step(Org::Holder, async |core| {
            let rules = (OrganisationKind::Municipality, purposes.as_slice());
            register::grant(core, access, record.to_string().as_bytes(), rules).await
        })?;
        match granted {
            Some(Ok(_)) => {
                ensure!(self.given[consent].until.is_none(), "a consent was recorded twice");
                self.coverage.granted += 1;
            }
            Some(Err(RegisterError::Exists(_))) => ensure!(self.given[consent].until.is_some(), "it was not"),
            Some(Err(error)) => return Err(error.into()),
            None => {}
        }
        self.find_until(consent)
    }

    /// What the holder recorded, also when it died before it could say so.
    fn find_until(&mut self, consent: usize) -> anyhow::Result<()> {
        let key = self.key(consent);
        let known = self.at(Org::Holder).steady(async |core| core.store.consent(key).await)??;
        self.given[consent].until = known.and_then(|known| known.valid_until);
        Ok(())
    }

    /// The resident extends a consent; not one that was withdrawn.
    pub(super) fn extend(&mut self, consent: usize, hours: u16) -> anyhow::Result<()> {
        let until = self.at(Org::Holder).now() + SignedDuration::from_hours(hours.max(1).into());
        let how = HowGiven {
            wijze: "mondeling".into(),
            bewijs_soort: "gespreksverslag".into(),
            bewijs_kenmerk: "GV-1".into(),
        };
        let (id, purposes) = (self.given[consent].id, parties::purposes()?);
        let is_over = self.over.contains(&(Org::Holder, consent));
        let access = documents::decided(self.at(Org::Holder).now())?;
        let extended = self.step(Org::Holder, async |core| {
            let rules = (OrganisationKind::Municipality, purposes.as_slice());
            register::extend(core, (access, id), (until, &how), rules).await
        })?;
        match extended {
            Some(Ok(_)) => {
                ensure!(!is_over, "a consent was extended after its withdrawal");
                self.coverage.extended += 1;
            }
            Some(Err(RegisterError::Withdrawn(_))) => ensure!(is_over, "it was not withdrawn"),
            Some(Err(RegisterError::Unknown(_))) => {
                ensure!(self.given[consent].until.is_none(), "it is known");
            }
            Some(Err(RegisterError::Record(RecordError::NotLonger))) => {
                ensure!(self.given[consent].until.is_some_and(|known| until <= known), "it is longer");
            }
            Some(Err(error)) => return Err(error.into()),
            None => {}
        }
        self.find_until(consent)
    }

    /// The resident withdraws at the holder: from the moment this returns nothing rests on it there.
    pub(super) fn withdraw(&mut self, consent: usize) -> anyhow::Result<()> {
        let (id, now) = (self.given[consent].id, self.at(Org::Holder).now());
        let access = documents::decided(now)?;
        let withdrawn =
            self.step(Org::Holder, async |core| register::withdraw(core, access, id, now).await)?;
        match withdrawn {
            Some(Ok(is_new)) => {
                self.coverage.withdrawn += u64::from(is_new);
                self.over.insert((Org::Holder, consent));
            }
            Some(Err(RegisterError::Unknown(_))) => {
                ensure!(self.given[consent].until.is_none(), "it is known");
            }
            Some(Err(error)) => return Err(error.into()),
            None => self.find_end(Org::Holder, consent)?,
        }
        Ok(())
    }

    /// The resident withdraws at another, who tells the holder.
    pub(super) fn report(&mut self, consent: usize, by: Org) -> anyhow::Result<()> {
        let (key, now) = (self.key(consent), self.at(by).now());
        let access = documents::decided(now)?;
        match self.step(by, async |core| report::report(core, access, key, now).await)? {
            Some(Ok(heard)) => {
                self.coverage.reported += u64::from(heard == Heard::Now);
                self.over.insert((by, consent));
                Ok(())
            }
            // It has nothing under it.
            Some(Err(RegisterError::Unknown(_))) => {
                let got = self.sent.iter().any(|(id, sent)| {
                    sent.is_under_consent() && sent.consent == consent && self.admitted.contains(&(by, *id))
                });
                ensure!(!got, "it received something under it");
                Ok(())
            }
            Some(Err(error)) => Err(error.into()),
            None => self.find_end(by, consent),
        }
    }

    /// The process died before it could say whether the consent ended.
    fn find_end(&mut self, org: Org, consent: usize) -> anyhow::Result<()> {
        let key = self.key(consent);
        let known = self.at(org).steady(async |core| core.store.consent(key).await)??;
        if known.is_some_and(|known| known.state == ConsentState::Withdrawn || known.reported.is_some()) {
            self.over.insert((org, consent));
        }
        Ok(())
    }

    /// Somebody sends messages about the resident of a consent.
    pub(super) fn send(
        &mut self,
        consent: usize,
        way: Way,
        (ground, count): (Ground, usize),
    ) -> anyhow::Result<()> {
        let submission = Submission {
            to: self.at(way.to).oin,
            purpose: documents::purpose(ground).to_owned(),
            case: Some(self.given[consent].case),
            desk: None,
            document: documents::signal(consent, self.given[consent].id, ground)?,
            source_record: None,
        };
        let may = self.may_send(consent, way, ground)?;
        let submissions = vec![submission; count];
        let Some(outcomes) =
            self.step(way.from, async |core| outbound::submit(core, submissions).await)?.transpose()?
        else {
            return Ok(());
        };
        for outcome in outcomes {
            match (outcome, may) {
                (Submitted::Queued(_), Some(true) | None) => self.count_sent(way, ground),
                (Submitted::HeldBack(refusal), Some(false) | None) => {
                    self.coverage.held_back += u64::from(refusal.reason == Reason::ConsentWithdrawn);
                }
                (outcome, may) => bail!("{outcome:?}, expected {may:?}"),
            }
        }
        Ok(())
    }

    fn count_sent(&mut self, way: Way, ground: Ground) {
        let count = match (ground, way.from) {
            (Ground::Task, _) => &mut self.coverage.on_task,
            (_, Org::Holder) => &mut self.coverage.sent,
            _ => &mut self.coverage.passed_on,
        };
        *count += 1;
    }

    /// Whether the rules let this go, where that is plain.
    fn may_send(&self, consent: usize, way: Way, ground: Ground) -> anyhow::Result<Option<bool>> {
        let now = self.at(way.from).now();
        if self.is_ended || now >= LAST_MOMENT.parse::<Timestamp>()? {
            return Ok(Some(false));
        }
        if ground == Ground::Task {
            return Ok(Some(true));
        }
        if self.over.contains(&(way.from, consent)) {
            return Ok(Some(false));
        }
        let holds = self.given[consent].until.is_some_and(|until| now < until);
        Ok(match way.from {
            Org::Holder => Some(holds),
            // It depends on what it received.
            Org::Care | Org::Welfare if holds => None,
            Org::Care | Org::Welfare => Some(false),
        })
    }
}
