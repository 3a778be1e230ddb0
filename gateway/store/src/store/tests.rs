//! What only this database has: files, locks, pages, and what is in them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use ed25519_dalek::SigningKey;
use exchange::{
    digest::Digest, message::Attributes, person::LookupKeys, random::SeededRandom, receipt::Receipt,
};
use jiff::{SignedDuration, Timestamp};
use sqlx::{Connection as _, Row as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;
use uuid::Uuid;

use super::*;
use crate::{
    model::{
        Arrival, BatchLimit, Enqueued, Outgoing, PartnerCheckpoint, Priority, SentOutcome, State, Verdict,
    },
    subject::Tokens,
};

mod access;
mod consent_records;
mod erasing;
mod person;
mod subjects_of_records;
mod submission;

const ALL: BatchLimit = BatchLimit { count: 256, bytes: 4 << 20 };
const SECRET: &str = "zeer-vertrouwelijk";

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn path(&self) -> PathBuf {
        self.file("knooppunt.db")
    }

    fn options(&self) -> Options {
        options(&self.path())
    }

    async fn create(&self) -> Store {
        Store::create(self.options()).await.unwrap()
    }

    async fn open(&self) -> Result<Store, StoreError> {
        Store::open(self.options()).await
    }

    /// The database without the store around it.
    async fn bare(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(self.path());
        SqliteConnection::connect_with(&options).await.unwrap()
    }

    /// Runs a statement on the database while no store has it open.
    async fn tamper(&self, statement: &'static str) {
        let mut bare = self.bare().await;
        sqlx::query(statement).execute(&mut bare).await.unwrap();
        bare.close().await.unwrap();
    }
}

fn us() -> Oin {
    "00000099000000001000".parse().unwrap()
}

fn partner() -> Oin {
    "00000099000000002000".parse().unwrap()
}

fn now() -> Timestamp {
    Timestamp::from_second(1_795_000_000).unwrap()
}

fn options(path: &Path) -> Options {
    let log = LogSigner::new(us().log_origin(), SigningKey::from_bytes(&[7; 32])).unwrap();
    let (key, random) = (StorageKey::from_bytes([5; 32]), Arc::new(SeededRandom::new(1)));
    let options = Options::new(path.to_owned(), us(), key, Arc::new(log), random);
    Options { patience: Some(Duration::from_millis(200)), ..options }
}

/// Not a message that was signed: what is tested here goes by sizes that no schema allows, and by thousands.
fn outgoing(number: u128, bytes: usize) -> Outgoing {
    let jws = format!("{SECRET}{number}{}", "x".repeat(bytes));
    Outgoing {
        to: partner(),
        id: Uuid::from_u128(number),
        case: Uuid::from_u128(number),
        message_type: "nl.sociaaldomein.signalen.zorgsignaal.v1",
        purpose: "vroegsignalering".into(),
        agreement: Digest::of(b"agreement"),
        digest: Digest::of(jws.as_bytes()),
        leaf: Leaf::new(number.to_be_bytes().to_vec()),
        jws,
        created: now(),
        expires: now() + SignedDuration::from_hours(1),
        priority: Priority::Normal,
        row: None,
        keep_until: now() + SignedDuration::from_hours(24 * 30),
        consent: None,
        tells: None,
        step: None,
        subject: LookupKeys::default(),
        tokens: Tokens::default(),
    }
}

fn outgoings(numbers: std::ops::Range<u128>) -> Vec<Outgoing> {
    numbers.map(|number| outgoing(number, 10)).collect()
}

fn arrival(number: u128) -> Arrival {
    let Outgoing { id, case, message_type, purpose, agreement, digest, jws, leaf, created, expires, .. } =
        outgoing(number, 10);
    let message_type = message_type.to_owned();
    let admitted =
        Attributes { case, message_type, purpose, agreement, desk: None, compact: jws, created, expires };
    let conflict_leaf = leaf.clone();
    let verdict = Verdict::Admitted(admitted);
    let keep_until = Some(now() + SignedDuration::from_hours(24 * 30));
    let (subject, tokens) = (LookupKeys::default(), Tokens::default());
    Arrival {
        from: partner(),
        received: now(),
        id: Some(id),
        digest,
        verdict,
        keep_until,
        consent: None,
        event: None,
        step: None,
        leaf,
        conflict_leaf,
        subject,
        tokens,
    }
}

impl Store {
    async fn queue(&self, messages: Vec<Outgoing>) -> Result<Vec<Enqueued>, StoreError> {
        self.enqueue(self.rules_version().await?, messages, Vec::new()).await
    }

    async fn take_in(&self, arrivals: Vec<Arrival>) -> Result<Receipt, StoreError> {
        self.file(self.rules_version().await?, arrivals).await
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn only_the_owner_reads_the_files() {
    let place = Place::new();
    let store = place.create().await;
    store.queue(outgoings(0..1)).await.unwrap();
    store.lease_due(partner(), now(), ALL).await.unwrap();
    for suffix in ["", "-wal", "-shm", "-bezorging", "-sleutels"] {
        assert_eq!(mode(&place.file(&format!("knooppunt.db{suffix}"))), 0o600, "{suffix}");
    }
    store.close().await;
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o644)).unwrap();
    place.open().await.unwrap();
    assert_eq!(mode(&place.path()), 0o600);
}

#[tokio::test]
async fn closing_leaves_one_database_file() {
    let place = Place::new();
    let store = place.create().await;
    store.queue(outgoings(0..10)).await.unwrap();
    store.log_size().await.unwrap();
    store.close().await;
    assert!(!place.file("knooppunt.db-wal").exists());
}

#[tokio::test]
async fn content_is_unreadable_on_disk() {
    let place = Place::new();
    let store = place.create().await;
    store.queue(outgoings(0..20)).await.unwrap();
    store.take_in(vec![arrival(100)]).await.unwrap();
    let contains = |name: &str, text: &str| {
        let bytes = fs::read(place.file(name)).unwrap();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    };
    assert!(contains("knooppunt.db-wal", "zorgsignaal"), "the test looks in the right place");
    assert!(!contains("knooppunt.db-wal", SECRET));
    store.close().await;
    assert!(contains("knooppunt.db", "zorgsignaal"));
    assert!(!contains("knooppunt.db", SECRET));
}

#[tokio::test]
async fn refuses_files_that_are_not_ours() {
    let place = Place::new();
    for content in [&b""[..], b"SQLite format 3\0", b"naam;adres\n1;2\n", &[0xff; 10_000]] {
        fs::write(place.path(), content).unwrap();
        assert!(matches!(place.open().await.err(), Some(StoreError::Corrupt(_))), "{} bytes", content.len());
        assert_eq!(fs::read(place.path()).unwrap(), content, "nothing was written to it");
    }
    fs::remove_file(place.path()).unwrap();
    fs::write(place.path(), b"").unwrap();
    place.tamper("CREATE TABLE somebody (elses INTEGER)").await;
    assert!(matches!(place.open().await.err(), Some(StoreError::Corrupt(_))));
}

#[tokio::test]
async fn refuses_a_newer_version() {
    let place = Place::new();
    place.create().await.close().await;
    place.tamper("INSERT INTO _sqlx_migrations VALUES (9999, 'later', '2030-01-01', TRUE, x'00', 0)").await;
    assert_eq!(place.open().await.err(), Some(StoreError::NewerSchema));
}

#[tokio::test]
async fn refuses_a_log_that_does_not_belong_to_its_head() {
    for statement in [
        "UPDATE log_tile SET hashes = zeroblob(length(hashes))",
        "UPDATE log_tile SET hashes = substr(hashes, 33)",
        "DELETE FROM log_tile",
        "UPDATE log_state SET size = size + 1",
        "UPDATE log_state SET size = size - 1",
        "UPDATE log_state SET roots = zeroblob(length(roots))",
        "UPDATE log_state SET size = -1",
        "DELETE FROM log_state",
    ] {
        let place = Place::new();
        let store = place.create().await;
        store.queue(outgoings(0..300)).await.unwrap();
        store.close().await;
        place.tamper(statement).await;
        let refused = place.open().await.err();
        assert!(matches!(refused, Some(StoreError::Corrupt(_))), "{statement}: {refused:?}");
    }
}

#[tokio::test]
async fn notices_damaged_pages() {
    let place = Place::new();
    let store = place.create().await;
    for part in 0..10 {
        store.queue(outgoings(part * 100..part * 100 + 100)).await.unwrap();
    }
    store.close().await;
    let mut bytes = fs::read(place.path()).unwrap();
    for byte in bytes.iter_mut().skip(16 * 1024) {
        *byte = 0x5a;
    }
    fs::write(place.path(), bytes).unwrap();
    assert!(matches!(place.open().await.err(), Some(StoreError::Corrupt(_))));
}

#[tokio::test]
async fn notices_content_that_was_moved() {
    let swap = "UPDATE payload SET sealed = (SELECT sealed FROM payload WHERE idx = 1) WHERE idx = 0";
    let other_digest = "UPDATE message SET digest = zeroblob(32) WHERE idx = 1";
    for statement in [swap, other_digest] {
        let place = Place::new();
        let store = place.create().await;
        store.queue(outgoings(0..2)).await.unwrap();
        store.close().await;
        place.tamper(statement).await;
        let store = place.open().await.unwrap();
        let read = [store.payload_for_machine_check(0).await, store.payload_for_machine_check(1).await];
        assert!(read.iter().any(|read| matches!(read, Err(StoreError::Corrupt(_)))), "{statement}");
    }
}

#[tokio::test]
async fn replaces_what_a_crash_left_of_creating() {
    let place = Place::new();
    fs::write(place.file("knooppunt.db.nieuw"), b"half").unwrap();
    let store = place.create().await;
    assert!(!place.file("knooppunt.db.nieuw").exists());
    assert_eq!(store.log_size().await.unwrap(), 0);
}

#[tokio::test]
async fn does_not_create_over_anything() {
    let place = Place::new();
    fs::write(place.path(), b"a letter").unwrap();
    assert!(matches!(Store::create(place.options()).await.err(), Some(StoreError::AlreadyExists(_))));
    assert_eq!(fs::read(place.path()).unwrap(), b"a letter");
    let nowhere = options(&place.file("no/such/folder/x.db"));
    assert!(matches!(Store::create(nowhere).await.err(), Some(StoreError::Io(_))));
}

#[tokio::test]
async fn says_that_it_is_locked() {
    let place = Place::new();
    place.create().await.close().await;
    let mut other = place.bare().await;
    sqlx::query("PRAGMA locking_mode = EXCLUSIVE").execute(&mut other).await.unwrap();
    sqlx::query("UPDATE node SET rules = rules").execute(&mut other).await.unwrap();
    assert!(matches!(place.open().await.err(), Some(StoreError::Locked(_))));
    other.close().await.unwrap();
    place.open().await.unwrap();
}

#[tokio::test]
async fn goes_on_after_being_locked_out() {
    let place = Place::new();
    let store = place.create().await;
    store.queue(outgoings(0..2)).await.unwrap();
    let lease = store.lease_due(partner(), now(), ALL).await.unwrap().unwrap();
    let mut other = place.bare().await;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    assert!(matches!(store.queue(outgoings(2..3)).await, Err(StoreError::Locked(_))));
    assert!(matches!(admit(&store, &lease).await, Err(StoreError::Locked(_))));
    assert_eq!(store.log_size().await.unwrap(), 2, "reading goes on");
    assert!(store.lease_due(partner(), now(), ALL).await.unwrap().is_none(), "the lease stands");
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    store.queue(outgoings(2..3)).await.unwrap();
    admit(&store, &lease).await.unwrap();
}

async fn admit(store: &Store, lease: &crate::Lease) -> Result<(), StoreError> {
    let outcomes = vec![SentOutcome::Admitted; lease.messages().len()];
    let checkpoint = PartnerCheckpoint { size: 1, note: String::new() };
    store.record_receipt(lease, &outcomes, "{}".into(), checkpoint, now()).await
}

#[tokio::test]
async fn survives_a_full_database() {
    let place = Place::new();
    let store = place.create().await;
    store.queue(outgoings(0..5)).await.unwrap();
    store.close().await;

    let store = Store::open(Options { max_pages: Some(40), ..place.options() }).await.unwrap();
    let lease = store.lease_due(partner(), now(), ALL).await.unwrap().unwrap();
    let large = |number| vec![outgoing(number, 60_000)];
    let mut number = 100;
    let full = loop {
        number += 1;
        if let Err(error) = store.queue(large(number)).await {
            break error;
        }
    };
    assert_eq!(full, StoreError::Full);
    let size = store.log_size().await.unwrap();
    assert_eq!(store.log_state().await.unwrap().size, size, "nothing of it remains");
    assert_eq!(store.queue(large(number + 1)).await, Err(StoreError::Full));
    admit(&store, &lease).await.unwrap();
    drop(lease);
    assert_eq!(store.payload_for_machine_check(0).await.unwrap(), outgoing(0, 10).jws);
    store.close().await;

    let store = place.open().await.unwrap();
    store.queue(large(number + 2)).await.unwrap();
    assert_eq!(store.log_state().await.unwrap().size, size + 1);
}

#[tokio::test]
async fn one_process_delivers() {
    let place = Place::new();
    let (one, two) = (place.create().await, place.open().await.unwrap());
    one.queue(outgoings(0..2)).await.unwrap();
    let lease = one.lease_due(partner(), now(), ALL).await.unwrap();
    assert!(matches!(two.lease_due(partner(), now(), ALL).await, Err(StoreError::Locked(_))));
    assert!(matches!(two.expire(now()).await, Err(StoreError::Locked(_))));
    two.queue(outgoings(2..3)).await.unwrap();
    drop(one);
    let taken_over = two.lease_due(partner(), now(), ALL).await.unwrap().unwrap();
    assert_eq!(taken_over.messages().len(), 3);
    drop(lease);
}

#[tokio::test]
async fn a_crash_loses_nothing_that_was_confirmed() {
    let place = Place::new();
    let store = place.create().await;
    for number in 0..20 {
        store.queue(outgoings(number * 10..number * 10 + 10)).await.unwrap();
        store.take_in(vec![arrival(10_000 + number)]).await.unwrap();
        // The files as they would be found after pulling the plug.
        let after = Place::new();
        for suffix in ["", "-wal", "-sleutels"] {
            let name = format!("knooppunt.db{suffix}");
            fs::copy(place.file(&name), after.file(&name)).unwrap();
        }
        let found = after.open().await.unwrap();
        assert_eq!(found.log_state().await.unwrap(), store.log_state().await.unwrap());
        assert_eq!(found.counts().await.unwrap(), store.counts().await.unwrap());
    }
}

#[tokio::test]
async fn a_commit_cut_short_leaves_nothing() {
    let place = Place::new();
    let store = place.create().await;
    store.queue(outgoings(0..10)).await.unwrap();
    let before =
        (store.log_state().await.unwrap(), fs::metadata(place.file("knooppunt.db-wal")).unwrap().len());
    store.queue(outgoings(10..20)).await.unwrap();
    let wal = fs::read(place.file("knooppunt.db-wal")).unwrap();
    let cut = usize::try_from(before.1).unwrap();
    for length in [cut + 1, cut + (wal.len() - cut) / 2, wal.len() - 1] {
        let after = Place::new();
        for name in ["knooppunt.db", "knooppunt.db-sleutels"] {
            fs::copy(place.file(name), after.file(name)).unwrap();
        }
        fs::write(after.file("knooppunt.db-wal"), &wal[..length]).unwrap();
        let found = after.open().await.unwrap();
        assert_eq!(found.log_state().await.unwrap(), before.0, "cut at {length} of {}", wal.len());
        found.queue(outgoings(10..20)).await.unwrap();
    }
}

#[tokio::test]
async fn counts_what_is_there() {
    let place = Place::new();
    let store = place.create().await;
    store.queue(outgoings(0..30)).await.unwrap();
    for number in 0..5 {
        let room = BatchLimit { count: 5, ..ALL };
        let lease = store.lease_due(partner(), now(), room).await.unwrap().unwrap();
        match number % 3 {
            0 => admit(&store, &lease).await.unwrap(),
            1 => store.record_undeliverable(&lease, "weg", now()).await.unwrap(),
            _ => {}
        }
    }
    store.resend(6, now()).await.unwrap();
    store.take_in(vec![arrival(100), arrival(101), arrival(100)]).await.unwrap();
    store.expire(now() + SignedDuration::from_hours(2)).await.unwrap();
    store.close().await;
    let mut bare = place.bare().await;
    let wrong = sqlx::query(
        "SELECT party, direction, state, coalesce(reason, 0), count(*) FROM message GROUP BY 1, 2, 3, 4 \
         EXCEPT SELECT party, direction, state, reason, count FROM tally",
    );
    assert_eq!(wrong.fetch_all(&mut bare).await.unwrap().len(), 0);
    let totals = sqlx::query("SELECT (SELECT sum(count) FROM tally), (SELECT count(*) FROM message)");
    let totals = totals.fetch_one(&mut bare).await.unwrap();
    assert_eq!(totals.get::<i64, _>(0), totals.get::<i64, _>(1));
}

/// One message that cannot be read must not keep all others from a partner.
#[tokio::test]
async fn gives_up_what_cannot_be_read_and_nothing_else() {
    let place = Place::new();
    let store = place.create().await;
    store.queue(outgoings(0..8)).await.unwrap();
    // As in a copy of the database from before it was erased.
    store.0.vault.entries.destroy(&[0]).unwrap();
    store.close().await;
    for statement in [
        "UPDATE payload SET sealed = zeroblob(200) WHERE idx = 1",
        "DELETE FROM payload WHERE idx = 2",
        "UPDATE message SET \"case\" = x'00' WHERE idx = 3",
        "UPDATE message SET digest = x'00' WHERE idx = 4",
        "UPDATE message SET \"case\" = NULL WHERE idx = 5",
    ] {
        place.tamper(statement).await;
    }
    let store = place.open().await.unwrap();
    let one = BatchLimit { count: 1, ..ALL };
    for expected in [6, 7] {
        let lease = store.lease_due(partner(), now(), one).await.unwrap().unwrap();
        assert_eq!(lease.messages()[0].index, expected);
        admit(&store, &lease).await.unwrap();
    }
    assert!(store.lease_due(partner(), now(), ALL).await.unwrap().is_none());
    assert_eq!(store.due(now(), 10).await.unwrap(), []);
    assert_eq!(store.resend(0, now()).await, Err(StoreError::Erased));
    for index in 1..6 {
        let refused = store.resend(index, now()).await;
        assert!(matches!(refused, Err(StoreError::NotFound(_))), "{index}: {refused:?}");
    }
    let counts: Vec<_> = store
        .counts()
        .await
        .unwrap()
        .into_iter()
        .map(|count| (count.state, count.reason, count.count))
        .collect();
    let gone = |reason: &str, count| (State::Undeliverable, Some(reason.to_owned()), count);
    assert_eq!(counts, [(State::Admitted, None, 2), gone(ERASED_REASON, 1), gone(UNREADABLE_REASON, 5)]);
}

/// Nor when there are more of them than fit in any lease.
#[tokio::test]
async fn gives_up_any_number_that_cannot_be_read() {
    let place = Place::new();
    let store = place.create().await;
    store.queue(outgoings(0..600)).await.unwrap();
    store.close().await;
    place.tamper("UPDATE payload SET sealed = zeroblob(200) WHERE idx < 599").await;
    let store = place.open().await.unwrap();
    let lease = store.lease_due(partner(), now(), ALL).await.unwrap().unwrap();
    assert_eq!(lease.messages().iter().map(|message| message.index).collect::<Vec<_>>(), [599]);
}

#[tokio::test]
async fn refuses_messages_over_the_limit() {
    let place = Place::new();
    let store = place.create().await;
    let of_length = |bytes: usize| {
        let (jws, message) = ("x".repeat(bytes), outgoing(1, 0));
        vec![Outgoing { digest: Digest::of(jws.as_bytes()), jws, ..message }]
    };
    assert!(matches!(store.queue(of_length(MAX_PAYLOAD_BYTES + 1)).await, Err(StoreError::TooLarge { .. })));
    store.queue(of_length(MAX_PAYLOAD_BYTES)).await.unwrap();
    assert_eq!(store.log_size().await.unwrap(), 1);
}

#[tokio::test]
async fn every_error_says_what_to_do() {
    let errors = [
        StoreError::NoDatabase("x".into()),
        StoreError::AlreadyExists("x".into()),
        StoreError::OtherOrganisation { found: us(), expected: partner() },
        StoreError::WrongKey,
        StoreError::NoKeyFile("x".into()),
        StoreError::OtherKeyFile("x".into()),
        StoreError::NewerSchema,
        StoreError::Corrupt("x".into()),
        StoreError::Locked("x".into()),
        StoreError::Full,
        StoreError::Io("x".into()),
        StoreError::Conflict("x".into()),
        StoreError::TooLarge { what: "x", found: 2, limit: 1 },
        StoreError::NotFound("x"),
        StoreError::Erased,
        StoreError::RulesChanged,
        StoreError::Closed,
    ];
    for error in errors {
        assert!(error.remedy().ends_with('.') && !error.to_string().is_empty(), "{error:?}");
    }
    assert!(StoreError::Full.is_temporary() && !StoreError::WrongKey.is_temporary());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_write_ahead_log_does_not_grow_for_ever() {
    let place = Place::new();
    let store = place.create().await;
    let mut longest = 0;
    for part in 0..50 {
        let messages = (part * 100..part * 100 + 100).map(|number| outgoing(number, 60_000)).collect();
        store.queue(messages).await.unwrap();
        longest = longest.max(fs::metadata(place.file("knooppunt.db-wal")).unwrap().len());
    }
    assert!(fs::metadata(place.path()).unwrap().len() > 200 << 20, "it was copied meanwhile");
    // Somebody who reads keeps it from starting anew; after that it does.
    let mut other = place.bare().await;
    let mut reading = other.begin().await.unwrap();
    sqlx::query("SELECT size FROM log_state").fetch_one(&mut *reading).await.unwrap();
    for part in 50..60 {
        store
            .queue((part * 100..part * 100 + 100).map(|number| outgoing(number, 60_000)).collect())
            .await
            .unwrap();
    }
    reading.rollback().await.unwrap();
    other.close().await.unwrap();
    assert!(longest < 160 << 20, "the log was {} MiB", longest >> 20);
    store.close().await;
    assert_eq!(place.open().await.unwrap().log_state().await.unwrap().size, 6000);
}

/// A file system that is full, and then is not. Needs the right to mount one; without it there is nothing to see.
#[tokio::test]
async fn goes_on_when_the_disk_has_room_again() {
    let folder = Place::new();
    let Some(_disk) = SmallDisk::mount(folder.0.path()) else { return };
    let place = Place(tempfile::tempdir_in(folder.0.path()).unwrap());
    let store = place.create().await;
    store.queue(outgoings(0..5)).await.unwrap();
    let lease = store.lease_due(partner(), now(), ALL).await.unwrap().unwrap();
    let filler = place.file("filler");
    let mut content = vec![0_u8; 32 << 20];
    while fs::write(&filler, &content).is_err() && content.len() > 4096 {
        content.truncate(content.len() * 9 / 10);
    }
    let mut number = 100;
    let failed = loop {
        number += 1;
        if let Err(error) = store.queue(vec![outgoing(number, 90_000)]).await {
            break error;
        }
    };
    assert_eq!(failed, StoreError::Full);
    assert_eq!(store.payload_for_machine_check(0).await.unwrap(), outgoing(0, 10).jws);
    let size = store.log_size().await.unwrap();

    fs::remove_file(filler).unwrap();
    store.queue(vec![outgoing(number, 90_000)]).await.unwrap();
    admit(&store, &lease).await.unwrap();
    assert_eq!(store.log_state().await.unwrap().size, size + 1);
    store.close().await;
    assert_eq!(place.open().await.unwrap().log_size().await.unwrap(), size + 1);
}

struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path) -> Option<Self> {
        let options = ["-t", "tmpfs", "-o", "size=12m", "schakel-test"];
        let mounted = std::process::Command::new("mount").args(options).arg(at).output();
        mounted.is_ok_and(|output| output.status.success()).then(|| Self(at.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
