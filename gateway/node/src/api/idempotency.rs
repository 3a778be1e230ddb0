//! `Idempotency-Key`: the same request twice has one outcome.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use store::IntakeKey;

use super::{call::Call, problem::Problem};

const HEADER: &str = "Idempotency-Key";
/// The shortest and longest key, in characters.
const LENGTH: std::ops::RangeInclusive<usize> = 8..=100;

/// The key of a request.
pub(super) fn key(call: &Call) -> Result<&str, Problem> {
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
