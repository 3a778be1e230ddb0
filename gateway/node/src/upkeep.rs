//! What a running node does besides delivering: say that it is there, notice rules, partners and certificates that
//! were changed, spread agreements, and erase what may not be kept any longer.

use std::{
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
    time::{Duration, SystemTime},
};

use tokio::task::JoinSet;
use transport::{Identity, Link, Request, Tls, TlsError, Trust};

use crate::{
    agreements, core::Core, directory, drop_folders::Results, matching, partners, retention, subjects,
    witness,
};

pub(crate) const INTERVAL: Duration = Duration::from_secs(1);
/// Parties that could not be reached are tried again this often, in intervals.
const SPREAD_EVERY: u32 = 15;
/// How often to look whether something lapses or may be forgotten, in intervals.
pub(crate) const WARN_EVERY: u32 = 6 * 60 * 60;
/// A certificate that lapses within this many days is worth a warning.
pub(crate) const WARN_DAYS: i64 = 30;
pub(crate) const SECONDS_PER_DAY: i64 = 86_400;
/// Partners that are told at the same time that this node is there.
const ANNOUNCE_AT_ONCE: usize = 8;

/// The certificate files of a node.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The organisation's chain.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// The authorities of the group.
    pub anchors: PathBuf,
    /// Revocation lists.
    pub crls: Vec<PathBuf>,
}

impl TlsFiles {
    /// Reads them.
    pub fn read(&self) -> Result<(Identity, Trust), TlsError> {
        let identity = Identity::from_pem_files(&self.certificate, &self.key)?;
        Ok((identity, Trust::from_files(std::slice::from_ref(&self.anchors), &self.crls)?))
    }

    fn written(&self) -> Vec<Option<SystemTime>> {
        written([&self.certificate, &self.key, &self.anchors].into_iter().chain(&self.crls))
    }
}

/// When each of these files was last written: another answer means that there is something new to read.
pub(crate) fn written<'a>(files: impl IntoIterator<Item = &'a PathBuf>) -> Vec<Option<SystemTime>> {
    files.into_iter().map(|path| std::fs::metadata(path).and_then(|data| data.modified()).ok()).collect()
}

/// Runs until cancelled. What waits for partners runs beside it: one that does not answer holds up nothing.
pub async fn run(core: Arc<Core>, link: Link, (tls, files): (Tls, TlsFiles), results: Results) {
    let mut calls = JoinSet::new();
    calls.spawn(announce(core.clone(), link.clone()));
    calls.spawn(retention::run(core.clone(), results));
    calls.spawn(witness::run(core.clone(), link.clone()));
    calls.spawn(directory::run(core.clone(), link.clone()));
    calls.spawn(subjects::run(core.clone()));
    calls.spawn(matching::run(core.clone()));
    let mut telling = agreements::Telling::new();
    let mut to_spread = true;
    let mut version = None;
    let mut written = files.written();
    let mut rounds: u32 = 0;
    let mut warnings = agreements::outlook::Warnings::default();
    loop {
        match core.store.rules_version().await {
            Ok(current) if version != Some(current) => {
                version = Some(current);
                to_spread = true;
                core.rules_since(current).await;
            }
            Ok(_) => {}
            Err(error) => tracing::error!(%error, "cannot read the store"),
        }
        to_spread |= rounds.is_multiple_of(SPREAD_EVERY) || core.reached.swap(false, Ordering::AcqRel);
        if to_spread || telling.has_more() {
            match telling.start((&core, &link), &mut calls, to_spread).await {
                Ok(()) => to_spread = false,
                Err(error) => tracing::error!(%error, "cannot read who must be told of agreements"),
            }
        }
        let now_written = files.written();
        if now_written != written {
            written = now_written;
            renew(&tls, &files);
        }
        if rounds.is_multiple_of(WARN_EVERY) {
            warn_of_expiry(&core, &tls);
            warn_of_agreements(&core, &mut warnings);
            forget_agreements(&core).await;
        }
        while calls.try_join_next().is_some() {}
        rounds = rounds.wrapping_add(1);
        tokio::time::sleep(INTERVAL).await;
    }
}

/// Says in time that the certificate or a revocation list is about to lapse.
fn warn_of_expiry(core: &Core, tls: &Tls) {
    let days = |until: i64| (until - core.now().as_second()) / SECONDS_PER_DAY;
    let left = days(tls.certificate_expiry());
    if left < WARN_DAYS {
        tracing::warn!(
            days = left,
            "the certificate expires; renew it and put it in its place, a restart is not needed"
        );
    }
    if let Some(left) = tls.revocation_update_due().map(days).filter(|left| *left < 1) {
        tracing::warn!(
            days = left,
            "a revocation list is past its next update, or will be within a day; fetch a new one"
        );
    }
}

/// Says in time that an agreement is about to end without a new version that takes its place.
fn warn_of_agreements(core: &Core, warnings: &mut agreements::outlook::Warnings) {
    for one in warnings.due(&core.rules(), core.me, core.now()) {
        tracing::warn!(
            agreement = agreements::start(one.agreement),
            days = one.days,
            "an agreement ends; propose a new version in time, nothing goes under it after its last day"
        );
    }
}

/// Tells every partner that this node is there, so that what waits for it comes at once. Who does not hear it finds
/// out by trying.
async fn announce(core: Arc<Core>, link: Link) {
    let endpoints: Vec<_> = core.partners().values().map(partners::endpoint_of).collect();
    for some in endpoints.chunks(ANNOUNCE_AT_ONCE) {
        let mut calls = JoinSet::new();
        for endpoint in some.iter().cloned() {
            let link = link.clone();
            calls.spawn(async move {
                let said = link.send(&endpoint, Request::post("/v1/aanwezig", "application/json", "")).await;
                tracing::debug!(partner = %endpoint.oin, heard = said.is_ok(), "announced");
            });
        }
        calls.join_all().await;
    }
}

async fn forget_agreements(core: &Core) {
    match agreements::forget_old(core).await {
        Ok(0) => {}
        Ok(forgotten) => {
            tracing::info!(forgotten, "forgot agreements that expired without ever being accepted");
        }
        Err(error) => tracing::error!(%error, "cannot forget agreements that expired long ago"),
    }
}

/// Takes the new certificates for every connection from now on. When they cannot be used, the old ones stay.
fn renew(tls: &Tls, files: &TlsFiles) {
    let renewed = files.read().and_then(|(identity, trust)| tls.reload(identity, &trust));
    match renewed {
        Ok(()) => tracing::info!("certificates renewed"),
        Err(error) => tracing::error!(%error, "the new certificates cannot be used; the previous ones stay"),
    }
}
