#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use super::Reach::{Anywhere, Internal, Public};

fn allowed(address: &str) -> [bool; 3] {
    let address = address.parse().unwrap();
    [Anywhere, Internal, Public].map(|reach| reach.allows(address, true))
}

#[test]
fn what_leads_to_the_machine_or_its_metadata_is_never_asked() {
    for address in [
        "169.254.169.254",
        "169.254.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "fd00:ec2::254",
        "fe80::1",
        "0.0.0.0",
        "0.1.2.3",
        "::",
        "::7f00:1",
        "224.0.0.1",
        "255.255.255.255",
        "ff02::1",
    ] {
        assert_eq!(allowed(address), [true, false, false], "{address}");
    }
}

#[test]
fn what_is_internal_is_asked_when_the_operator_says_so() {
    for address in [
        "127.0.0.1",
        "127.8.8.8",
        "::1",
        "::ffff:127.0.0.1",
        "10.0.0.1",
        "172.16.9.9",
        "192.168.1.1",
        "100.64.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "fd12::1",
        "fec0::1",
        "2001:db8::1",
        "64:ff9b::a00:1",
    ] {
        assert_eq!(allowed(address), [true, true, false], "{address}");
    }
    for address in ["8.8.8.8", "172.15.0.1", "100.128.0.1", "2606:4700::1111"] {
        assert_eq!(allowed(address), [true, true, true], "{address}");
    }
}

#[test]
fn without_tls_this_machine_alone() {
    let allows = |reach: super::Reach, address: &str| reach.allows(address.parse().unwrap(), false);
    assert!(allows(Internal, "127.0.0.1") && allows(Internal, "::1"));
    assert!(!allows(Internal, "10.0.0.1") && !allows(Internal, "8.8.8.8"));
    assert!(!allows(Public, "127.0.0.1") && !allows(Public, "8.8.8.8"));
}
