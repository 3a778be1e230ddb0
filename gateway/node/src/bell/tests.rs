#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::time::Duration;

use super::*;
use crate::agreements::tests::Group;

/// Longer than any machine takes.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_ring_is_heard_also_after_a_crash_and_when_nobody_listens() {
    let folder = tempfile::tempdir().unwrap();
    ring(folder.path());
    let core = Arc::new(Group::new(1).await.cores.remove(0));
    for _ in 0..2 {
        // What the process before left is there still.
        let answering = answer(core.clone(), folder.path()).unwrap();
        // More than fit: who rings does not wait.
        for _ in 0..5000 {
            ring(folder.path());
        }
        let heard = async {
            core.work.notified().await;
            core.handovers.notified().await;
            core.endings.notified().await;
        };
        tokio::time::timeout(PATIENCE, heard).await.unwrap();
        answering.abort();
        assert!(answering.await.unwrap_err().is_cancelled());
    }
    let mode = fs::metadata(folder.path().join(FILE)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, OWNER_ONLY);
}

#[tokio::test]
async fn a_path_that_is_too_long_has_no_bell() {
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("d".repeat(200));
    fs::create_dir(&deep).unwrap();
    let core = Arc::new(Group::new(1).await.cores.remove(0));
    assert!(answer(core, &deep).is_none());
    ring(&deep);
}
