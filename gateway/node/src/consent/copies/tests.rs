#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use super::*;

const STAGES: [Stage; 10] = [
    Stage::Got,
    Stage::GettingIt,
    Stage::NotArrived,
    Stage::Confirmed,
    Stage::Told,
    Stage::UnderWay,
    Stage::NotReached,
    Stage::ByAnother,
    Stage::Unreachable,
    Stage::NoAgreement,
];

fn standing(stage: Stage, is_overdue: bool) -> Standing {
    let party = "00000099000000002000".parse().unwrap();
    Standing { party, stage, shared: None, notice: None, is_overdue, confirms_to: None }
}

/// A person is asked for what a person can do something about, and for nothing else.
#[test]
fn somebody_is_asked_for_what_can_be_done() {
    for stage in STAGES {
        let why = standing(stage, false).attention();
        let expected = matches!(stage, Stage::NotReached | Stage::Unreachable).then_some(stage.code());
        assert_eq!(why, expected, "{stage:?}");
    }
    assert_eq!(standing(Stage::Told, true).attention(), Some("te-laat"));
    assert_eq!(standing(Stage::NotReached, true).attention(), Some("niet-bereikt"), "what is the matter");
    let reported = |stage, is_late| Reported { stage, is_late }.attention();
    assert_eq!(reported(Report::UnderWay, false), None);
    assert_eq!(reported(Report::Taken, true), Some("melding-te-laat"));
    assert_eq!(reported(Report::NotTaken, true), Some("melding-niet-bereikt"));
}

/// Programs read these words.
#[test]
fn every_word_is_documented() {
    let documented = include_str!("../../../JSON.md");
    for stage in STAGES {
        assert!(documented.contains(&format!("`{}`", stage.code())), "{stage:?}");
    }
    for why in ["te-laat", "melding-te-laat", "melding-niet-bereikt"] {
        assert!(documented.contains(&format!("`{why}`")), "{why}");
    }
}
