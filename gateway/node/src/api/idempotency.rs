//! `Idempotency-Key`: the same request twice has one outcome.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use serde::Serialize;
use store::{Answered, IntakeKey, Submitter};

use super::{
    Api,
    call::{Answer, Call},
    problem::Problem,
};

const HEADER: &str = "Idempotency-Key";
/// The shortest and longest key, in characters.
const LENGTH: std::ops::RangeInclusive<usize> = 8..=100;

/// The key of a request.
fn key(call: &Call) -> Result<&str, Problem> {
    let given = call.header(HEADER)?.map(|given| {
        // As a string of structured headers (RFC 9651) or bare.
        given.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(given)
    });
    given.filter(|key| is_key(key)).ok_or_else(|| {
        Problem::unreadable(format!(
            "Geef in de kopregel {HEADER} een sleutel van {} tot en met {} letters, cijfers, `-`, `_`, `.` of `~`: een nieuwe voor elk verzoek, dezelfde als u het opnieuw stuurt.",
            LENGTH.start(),
            LENGTH.end()
        ))
    })
}

fn is_key(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    LENGTH.contains(&text.len()) && text.bytes().all(fits)
}

/// A request that either was answered before or is to be carried out now.
pub(super) enum Begun<'a> {
    /// What was answered then.
    Before(Answer),
    /// It is new.
    Now(Request<'a>),
}

/// A request that is carried out once.
pub(super) struct Request<'a> {
    api: &'a Api,
    by: Submitter,
    key: IntakeKey,
    content: IntakeKey,
    name: Vec<u8>,
    _turn: Turn<'a>,
}

/// Begins a request. What it is about beside its body belongs to its content: the same key with another is refused.
pub(super) async fn begin<'a>(api: &'a Api, call: &Call, about: &[u8]) -> Result<Begun<'a>, Problem> {
    let (client, given, core) = (call.client()?, key(call)?, &api.node.core);
    let by = core.store.submitter(&client.key);
    let (key, content) =
        (core.store.request_key(by, given), core.store.intake_key(&[about, &call.body].concat()));
    let Some(turn) = api.under_way.begin(key) else {
        let detail = "Dit verzoek wordt al verwerkt. Vraag het straks opnieuw met dezelfde sleutel.";
        return Err(Problem::conflict("al-bezig", detail).retry_after(1));
    };
    if let Some(earlier) = core.store.earlier_answer(key, core.now()).await? {
        if earlier.content == content {
            return Ok(Begun::Before(Answer::written(earlier.answer)));
        }
        let detail = "Deze Idempotency-Key hoort bij een verzoek met een andere inhoud. Geef elk nieuw verzoek een nieuwe sleutel.";
        return Err(Problem::conflict("sleutel-al-gebruikt", detail));
    }
    let name = format!("api\0{}\0{given}\0", client.key).into_bytes();
    Ok(Begun::Now(Request { api, by, key, content, name, _turn: turn }))
}

impl Request<'_> {
    /// Names a row of the request, so that what was queued is recognised when the answer did not become durable. Another
    /// content under the same key and place is another row.
    pub(super) fn row(&self, place: &str, content: &[u8]) -> Vec<u8> {
        [&self.name, format!("{place}\0").as_bytes(), content].concat()
    }

    /// Answers it, and remembers the answer with the messages that came of it.
    pub(super) async fn answer(self, answer: &impl Serialize, messages: Vec<u64>) -> Result<Answer, Problem> {
        let answer = serde_json::to_string(answer).map_err(|_| Problem::failed())?;
        let core = &self.api.node.core;
        let (by, request, content) = (self.by, self.key, self.content);
        let answered = Answered { by, request, content, answer: answer.clone(), messages, when: core.now() };
        core.store.remember_answer(answered).await?;
        Ok(Answer::written(answer))
    }
}

/// Requests that are being carried out now. No more than there are requests.
#[derive(Debug, Default)]
pub(super) struct UnderWay(Mutex<HashSet<IntakeKey>>);

/// A request that is being carried out, until dropped.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    under_way: &'a UnderWay,
    request: IntakeKey,
}

impl UnderWay {
    /// Begins to carry out a request; not while it is being carried out already.
    pub(super) fn begin(&self, request: IntakeKey) -> Option<Turn<'_>> {
        let mut requests = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        requests.insert(request).then_some(Turn { under_way: self, request })
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.under_way.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.request);
    }
}

#[cfg(test)]
mod tests;
