#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use super::*;

/// The example of the Standard Webhooks libraries.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const BODY: &[u8] = br#"{"test": 2432232314}"#;
const SIGNED: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

#[test]
fn signs_as_the_specification_does() {
    let secrets = Secrets::of(SECRET).unwrap();
    assert_eq!(secrets.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, BODY), SIGNED);
}

#[test]
fn signs_with_both_secrets_while_one_takes_the_place_of_the_other() {
    let other = format!("whsec_{}", STANDARD.encode([7; 32]));
    let secrets = Secrets::of(&format!("{other}\n\n  {SECRET}\n")).unwrap();
    let signed = secrets.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, BODY);
    let (first, second) = signed.split_once(' ').unwrap();
    assert!(first.starts_with("v1,") && first != second);
    assert_eq!(second, SIGNED);
}

#[test]
fn refuses_what_is_no_secret() {
    let short = format!("whsec_{}", STANDARD.encode([7; 23]));
    let long = format!("whsec_{}", STANDARD.encode([7; 65]));
    for text in ["", "\n", "geheim", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_%%", &short, &long] {
        assert!(Secrets::of(text).is_err(), "{text}");
    }
    assert!(Secrets::of(&[SECRET; 3].join("\n")).is_err());
    assert!(Secrets::read(Path::new("/bestaat-niet")).is_err());
}
