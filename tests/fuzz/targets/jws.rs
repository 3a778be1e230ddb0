//! Lines of a delivery: nothing a partner sends may panic, and what is not signed by a known key stays out.

#![no_main]

use exchange::{envelope::Envelope, jws, message::ReceivedMessage, rulebook::Rulebook};
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(jws) = jws::Unverified::parse(jws::MESSAGE, text) {
        let _ = serde_json::from_slice::<Envelope<'_>>(jws.unverified_payload());
    }
    let me = "00000099000000001000".parse().expect("an OIN");
    let peer = "00000099000000002000".parse().expect("an OIN");
    let now = "2026-11-21T09:30:00Z".parse().expect("an instant");
    assert!(ReceivedMessage::new(text, peer).verify(me, &Rulebook::default(), now).is_err());
});
