//! `/v1/meervoudige-signalen`, `/v1/signaalvoorstellen` and what a person decides about those: which signals of several senders
//! belong together. Nothing of it leaves the node.

use std::{collections::BTreeSet, str::FromStr};

use serde::Deserialize;
use serde_json::{Value, json};
use store::{Access, Deed, MultipleSignal, StoreError, Suggestion};

use super::{
    Api, access,
    call::{Answer, Call, Reply},
    idempotency::{self, Begun},
    messages, pagination,
    problem::Problem,
};
use crate::{listing, signal_terms::Known};

/// The signals that somebody decides about, by their numbers.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Chosen {
    signalen: Vec<u64>,
}

/// What somebody decides about signals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Two belong together.
    Joined,
    /// Two do not.
    KeptApart,
    /// Some do not belong in what they are in.
    Split,
}

impl Verdict {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Joined => "samengevoegd",
            Self::KeptApart => "afgewezen",
            Self::Split => "gesplitst",
        }
    }
}

/// Where a list of suggestions goes on: the older and the newer of a pair.
struct Pair(u64, u64);

impl FromStr for Pair {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (one, other) = text.split_once(' ').ok_or(())?;
        Ok(Self(one.parse().map_err(drop)?, other.parse().map_err(drop)?))
    }
}

pub(super) fn list(api: &Api, call: Call) -> Reply<'_> {
    Box::pin(async move {
        let query = call.query(&["limiet", "cursor"])?;
        let of = pagination::list("meervoudige-signalen", &query);
        let (before, limit) = (pagination::from(&of, &query)?, query.limit()?);
        let found = api.node.core.store.multiple_signals(before, api.node.core.now(), limit).await?;
        let last = found.last().filter(|_| found.len() >= limit);
        let mut shown = Vec::with_capacity(found.len());
        for one in &found {
            shown.push(with_terms(api, one).await?);
        }
        Answer::ok(&json!({
            "meervoudige_signalen": shown,
            "volgende": last.map(|last| pagination::cursor(&of, &last.number.to_string())),
        }))
    })
}

async fn with_terms(api: &Api, one: &MultipleSignal) -> Result<Value, Problem> {
    Ok(listing::multiple_signal(one, &Known::of_joined(&api.node.core, one).await?))
}

async fn find(api: &Api, call: &Call) -> Result<MultipleSignal, Problem> {
    let none = || Problem::not_found("Dit meervoudige signaal");
    let number = call.part(0).parse().map_err(|_| none())?;
    api.node.core.store.multiple_signal(number, api.node.core.now()).await?.ok_or_else(none)
}

pub(super) fn one(api: &Api, call: Call) -> Reply<'_> {
    Box::pin(async move {
        call.query(&[])?;
        Answer::ok(&with_terms(api, &find(api, &call).await?).await?)
    })
}

pub(super) fn content(api: &Api, call: Call) -> Reply<'_> {
    Box::pin(async move {
        call.query(&[])?;
        let access = access::of(api, &call, Deed::Inzien)?;
        let found = find(api, &call).await?;
        let indexes: Vec<u64> = found.signals.iter().map(|signal| signal.row.index).collect();
        let shown = api.node.core.store.view(access, &indexes).await?;
        let contents = shown.iter().map(messages::content_of).collect::<Result<Vec<_>, _>>()?;
        Answer::ok(&json!({ "nummer": found.number, "signalen": contents }))
    })
}

pub(super) fn suggestions(api: &Api, call: Call) -> Reply<'_> {
    Box::pin(async move {
        let query = call.query(&["limiet", "cursor"])?;
        let of = pagination::list("signaalvoorstellen", &query);
        let before = pagination::from::<Pair>(&of, &query)?.map(|pair| (pair.0, pair.1));
        let limit = query.limit()?;
        let found = api.node.core.store.suggestions(before, api.node.core.now(), limit).await?;
        let last = found.last().filter(|_| found.len() >= limit);
        let place = |last: &Suggestion| format!("{} {}", last.one.index, last.other.index);
        Answer::ok(&json!({
            "voorstellen": found.iter().map(listing::suggestion).collect::<Vec<_>>(),
            "volgende": last.map(|last| pagination::cursor(&of, &place(last))),
        }))
    })
}

/// Decides about the signals in the body.
pub(super) fn decide(api: &Api, call: Call, verdict: Verdict) -> Reply<'_> {
    Box::pin(async move {
        call.query(&[])?;
        let request = match idempotency::begin(api, &call, verdict.as_str().as_bytes()).await? {
            Begun::Before(answer) => return Ok(answer),
            Begun::Now(request) => request,
        };
        let access = access::of(api, &call, Deed::Besluit)?;
        let Chosen { signalen } = call.json()?;
        carry_out(api, (verdict, &signalen), access).await?;
        request.answer(&json!({ "signalen": signalen, "stand": verdict.as_str() }), Vec::new()).await
    })
}

async fn carry_out(api: &Api, (verdict, chosen): (Verdict, &[u64]), access: Access) -> Result<(), Problem> {
    let store = &api.node.core.store;
    let done = match (verdict, chosen) {
        (Verdict::Joined, [one, other]) => store.join_signals(access, *one, *other).await,
        (Verdict::KeptApart, [one, other]) => store.keep_signals_apart(access, *one, *other).await,
        (Verdict::Split, [_, ..]) => {
            let taken: BTreeSet<u64> = chosen.iter().copied().collect();
            store.split_signals(access, taken).await
        }
        (Verdict::Joined | Verdict::KeptApart, _) => {
            return Err(Problem::unreadable("Geef in `signalen` de nummers van twee signalen."));
        }
        (Verdict::Split, []) => {
            return Err(Problem::unreadable("Geef in `signalen` het nummer van minstens één signaal."));
        }
    };
    match done {
        Ok(()) => Ok(()),
        Err(StoreError::NotFound(_)) => Err(Problem::conflict(
            "signalen-veranderd",
            "Dit kan niet met deze signalen: één is er niet (meer), of ze horen al bij elkaar of juist niet. Vraag /v1/signaalvoorstellen en /v1/meervoudige-signalen opnieuw op.",
        )),
        Err(StoreError::TooLarge { limit, .. }) => Err(Problem::conflict(
            "te-veel-signalen",
            format!("Er kunnen hooguit {limit} signalen bij elkaar. Splits eerst wat er niet bij hoort."),
        )),
        Err(error) => Err(error.into()),
    }
}
