//! Holding consents against what their holders signed of them, and against what the log says happened to them.

use std::collections::{BTreeMap, HashMap, HashSet};

use exchange::{
    consent::{ConsentKey, Extract, Statement},
    entry::ConsentHappening,
    oin::Oin,
};
use jiff::Timestamp;

use super::{Store, against::Fault, agreements::Agreements};
use crate::{
    error::StoreError,
    sqlite::{
        column::time_to_sql,
        verify_consents::{self as rows, ConsentAsStored},
    },
};

/// Consents that are remembered as checked; past this they are checked again.
const MAX_CHECKED: usize = 1 << 16;

/// Consents that ran out of which is remembered whether the log says so; of more, only what their holders signed is held
/// against them.
const MAX_RUN_OUT: usize = 1 << 18;

/// As they are stored.
const IN_FORCE: i64 = 0;
const WITHDRAWN: i64 = 1;
const EXPIRED: i64 = 2;

/// A message that rests on a consent.
pub(super) struct Resting {
    pub(super) index: u64,
    /// The number of the consent.
    pub(super) consent: i64,
    /// It is kept on another basis.
    pub(super) released: bool,
}

/// Something that the log says happened to a consent.
pub(super) struct Happened {
    pub(super) index: u64,
    pub(super) key: ConsentKey,
    pub(super) what: ConsentHappening,
    pub(super) at: Timestamp,
}

/// Consents, as they are come across.
pub(super) struct Consents {
    me: Oin,
    /// Those that were held against what was signed.
    checked: HashSet<i64>,
    /// Those that ran out.
    run_out: HashMap<ConsentKey, RunOut>,
}

/// A consent that is stored as one that ran out.
struct RunOut {
    /// Where it is come across first.
    index: u64,
    /// When it ran out, in microseconds.
    at: i64,
    /// The log says so.
    is_logged: bool,
}

impl Consents {
    pub(super) fn new(me: Oin) -> Self {
        Self { me, checked: HashSet::new(), run_out: HashMap::new() }
    }

    /// What differs first of the consents that these messages rest on, and that these entries are about.
    pub(super) async fn check(
        &mut self,
        (store, agreements): (&Store, &Agreements),
        (resting, happened): (&[Resting], &[Happened]),
    ) -> Result<Option<Fault>, StoreError> {
        if resting.is_empty() && happened.is_empty() {
            return Ok(None);
        }
        let mut reader = store.0.readers.acquire().await?;
        // Where each is come across first.
        let mut first: BTreeMap<i64, u64> = BTreeMap::new();
        let mut found = Vec::new();
        for one in resting {
            first.entry(one.consent).or_insert(one.index);
        }
        let mut numbers = Vec::with_capacity(happened.len());
        for one in happened {
            let number = rows::number(&mut reader, one.key).await?;
            match number {
                Some(number) => {
                    let at = first.entry(number).or_insert(one.index);
                    *at = one.index.min(*at);
                }
                None => found.push(Fault { index: one.index, what: GONE }),
            }
            numbers.push(number);
        }
        let wanted: Vec<i64> = first.keys().copied().collect();
        let stored = rows::consents(&mut reader, &wanted).await?;
        drop(reader);
        for (number, index) in first {
            let what = match stored.get(&number) {
                None => Some(GONE),
                Some(_) if self.checked.contains(&number) => None,
                Some(consent) => {
                    self.note_run_out(index, consent);
                    self.as_signed(consent, agreements)
                }
            };
            found.extend(what.map(|what| Fault { index, what }));
            if self.checked.len() >= MAX_CHECKED {
                self.checked.clear();
            }
            self.checked.insert(number);
        }
        for one in resting {
            let wrong = stored.get(&one.consent).and_then(|consent| under(one, consent));
            found.extend(wrong.map(|what| Fault { index: one.index, what }));
        }
        for one in happened {
            self.note_happened(one.key, one.what, one.at);
        }
        for (one, number) in happened.iter().zip(numbers) {
            let wrong = number.and_then(|number| stored.get(&number)).and_then(|consent| after(one, consent));
            found.extend(wrong.map(|what| Fault { index: one.index, what }));
        }
        Ok(found.into_iter().min_by_key(|fault| fault.index))
    }

    fn note_run_out(&mut self, index: u64, consent: &ConsentAsStored) {
        let ran_out = consent.key.zip(consent.ended).filter(|_| consent.state == EXPIRED);
        if let Some((key, at)) = ran_out.filter(|_| self.run_out.len() < MAX_RUN_OUT) {
            self.run_out.entry(key).or_insert(RunOut { index, at, is_logged: false });
        }
    }

    /// The log says what happened to a consent. That it ran out before it was extended says nothing of the last time.
    pub(super) fn note_happened(&mut self, key: ConsentKey, what: ConsentHappening, at: Timestamp) {
        if let Some(run_out) = self.run_out.get_mut(&key) {
            run_out.is_logged |= what == ConsentHappening::Verlopen && time_to_sql(at) >= run_out.at;
        }
    }

    /// The first that ran out without the log saying so, as far as it was read.
    pub(super) fn unlogged(&self) -> Option<Fault> {
        let unlogged = self.run_out.values().filter(|one| !one.is_logged);
        unlogged.map(|one| Fault { index: one.index, what: UNLOGGED }).min_by_key(|fault| fault.index)
    }

    /// What of a consent is otherwise than its holder signed.
    fn as_signed(&self, consent: &ConsentAsStored, agreements: &Agreements) -> Option<&'static str> {
        let Some(key) = consent.key else { return Some(GONE) };
        let ours = key.holder == self.me;
        match (&consent.extract, consent.valid_until) {
            (None, None) => {}
            (Some(extract), Some(until)) => {
                let claims = Extract::claims(extract).map(|(key, until)| (key, time_to_sql(until)));
                let signed = || agreements.signed(|agreement| Extract::read(extract, agreement).ok());
                // What was recorded here has its digest in the log.
                if claims != Some((key, until)) || (!ours && signed().is_none()) {
                    return Some(EXTRACT);
                }
            }
            _ => return Some(EXTRACT),
        }
        let statement = match &consent.statement {
            None => None,
            Some(text) => {
                let signed = agreements.signed(|agreement| Statement::read(text, agreement).ok());
                match signed {
                    Some(statement) if statement.key() == key => Some(time_to_sql(statement.at())),
                    _ => return Some(STATEMENT),
                }
            }
        };
        let same = match consent.state {
            IN_FORCE => statement.is_none() && consent.ended.is_none(),
            WITHDRAWN => statement.is_some() && consent.ended == statement,
            EXPIRED => statement.is_none() && consent.ended.is_some() && consent.ended == consent.valid_until,
            _ => false,
        };
        let withdrawn_here = ours && consent.state == WITHDRAWN;
        (!same || consent.withdrawn.is_some() != withdrawn_here).then_some(STATE)
    }
}

/// What is wrong with a message that rests on a consent as that is.
fn under(message: &Resting, consent: &ConsentAsStored) -> Option<&'static str> {
    let is_over = consent.state != IN_FORCE || consent.reported;
    if consent.extract.is_none() {
        Some(EXTRACT)
    } else if message.released && !(consent.kept && is_over) {
        Some(RELEASED)
    } else {
        None
    }
}

/// What is wrong with a consent after what happened to it.
fn after(happened: &Happened, consent: &ConsentAsStored) -> Option<&'static str> {
    let ran_out = happened.what == ConsentHappening::Verlopen && consent.state == IN_FORCE;
    // Unless it was extended.
    let until = consent.valid_until.unwrap_or_default();
    (ran_out && until <= time_to_sql(happened.at)).then_some(STATE)
}

const GONE: &str = "de toestemming waar deze regel over gaat ontbreekt";

const EXTRACT: &str = "het uittreksel van de toestemming waar deze regel over gaat is een ander dan de houder heeft ondertekend";

const STATEMENT: &str = "de intrekking van de toestemming waar deze regel over gaat is een andere dan de houder heeft ondertekend";

const STATE: &str =
    "de toestemming waar deze regel over gaat heeft een andere stand of tijd dan de houder heeft ondertekend";

const UNLOGGED: &str = "de toestemming waar deze regel over gaat heet verlopen, maar het logboek zegt nergens dat zij is verlopen";

const RELEASED: &str = "het bericht bij deze regel heet op een andere grondslag bewaard, maar bij de toestemming staat daar niets over";
