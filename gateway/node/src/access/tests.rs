use super::*;

#[test]
fn an_account_has_its_name_or_else_its_number() {
    let accounts = "root:x:0:0:root:/root:/bin/sh\n\nniet volgens afspraak\n:x:7::\njdevries:x:1001:1001::/home/jdevries:/bin/sh\n";
    assert_eq!(name_of(1001, accounts), "jdevries");
    assert_eq!(name_of(0, accounts), "root");
    assert_eq!(name_of(7, accounts), "uid 7");
    assert_eq!(name_of(4242, accounts), "uid 4242");
}

#[test]
fn somebody_runs_this() {
    let somebody = operator(Some("J. de Vries")).unwrap();
    assert!(!somebody.account().is_empty());
    assert_eq!(somebody.employee(), Some("J. de Vries"));
    assert!(operator(Some("")).is_err());
}
