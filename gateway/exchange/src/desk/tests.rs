#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use jiff::civil::{Date, date};
use serde_json::json;

use super::*;

const SIGNAL: &str = "nl.sociaaldomein.signalen.betalingsachterstand.v1";
const WORK: Work<'_> = Work { purpose: "vroegsignalering-huur", message_type: SIGNAL };

fn desk(value: &serde_json::Value) -> Desk {
    let mut whole = json!({ "loket": "huur", "naam": "Huur" });
    for (name, member) in value.as_object().unwrap() {
        whole[name] = member.clone();
    }
    serde_json::from_value(whole).unwrap()
}

fn at(day: Date, hour: i8, minute: i8) -> Timestamp {
    day.at(hour, minute, 0, 0).to_zoned(calendar::dutch_time()).unwrap().timestamp()
}

/// A Monday in a week without holidays.
const MONDAY: Date = date(2026, 11, 23);

fn office() -> serde_json::Value {
    let hours = ["maandag", "dinsdag", "woensdag", "donderdag", "vrijdag"]
        .map(|day| json!({ "dag": day, "van": "09:00", "tot": "17:00" }));
    json!(hours)
}

#[test]
fn what_older_nodes_published_reads_the_same() {
    let old =
        json!({ "loket": "huur", "naam": "Huur", "openingstijden": "ma t/m vr", "contact": "0100-000000" });
    let read: Desk = serde_json::from_value(old.clone()).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), old);
    assert!(read.takes(WORK));
    assert_eq!(read.opening(at(MONDAY, 10, 0)), Opening::Unknown);
    assert_eq!(read.opening_words().as_deref(), Some("ma t/m vr"));
}

#[test]
fn a_desk_takes_what_it_says() {
    let takes = |value| desk(&value).takes(WORK);
    assert!(
        takes(json!({})) && takes(json!({ "doelen": ["vroegsignalering-huur"], "berichttypen": [SIGNAL] }))
    );
    assert!(
        !takes(json!({ "doelen": ["iets-anders"] })) && !takes(json!({ "berichttypen": ["nl.anders.v1"] }))
    );
}

#[test]
fn a_desk_opens_and_closes() {
    let desk = desk(&json!({ "open": office() }));
    let opening = |day, hour| desk.opening(at(day, hour, 0));
    assert_eq!(opening(MONDAY, 8), Opening::Closed { next: Some(at(MONDAY, 9, 0)) });
    assert_eq!(opening(MONDAY, 9), Opening::Open { until: Some(at(MONDAY, 17, 0)) });
    assert_eq!(opening(MONDAY, 17), Opening::Closed { next: Some(at(date(2026, 11, 24), 9, 0)) });
    assert_eq!(opening(date(2026, 11, 28), 12), Opening::Closed { next: Some(at(date(2026, 11, 30), 9, 0)) });
    assert_eq!(desk.opening_words().unwrap(), "maandag tot en met vrijdag 9.00-17.00 uur");
}

/// Christmas is on a Friday.
#[test]
fn holidays_exceptions_and_absence_go_before_the_week() {
    let christmas = date(2026, 12, 25);
    let next = |value: serde_json::Value| {
        let mut whole = value;
        whole["open"] = office();
        desk(&whole).opening(at(christmas, 10, 0))
    };
    let after = |day| Opening::Closed { next: Some(at(day, 9, 0)) };
    assert_eq!(next(json!({})), after(date(2026, 12, 28)));
    let open = Opening::Open { until: Some(at(christmas, 17, 0)) };
    assert_eq!(next(json!({ "ook_op_feestdagen": true })), open);
    let hours = json!([{ "van": "09:30", "tot": "11:00" }]);
    let exception = json!({ "uitzonderingen": [{ "datum": "2026-12-25", "open": hours }] });
    assert_eq!(next(exception), Opening::Open { until: Some(at(christmas, 11, 0)) });
    let closed = json!({ "ook_op_feestdagen": true, "uitzonderingen": [{ "datum": "2026-12-25" }] });
    assert_eq!(next(closed), after(date(2026, 12, 28)));
    let away =
        json!({ "ook_op_feestdagen": true, "afwezig": [{ "van": "2026-12-24", "tot": "2026-12-29" }] });
    assert_eq!(next(away), after(date(2026, 12, 30)));
    assert_eq!(next(json!({ "opgeheven": { "per": "2026-12-25" } })), Opening::Closed { next: None });
}

#[test]
fn a_desk_that_never_closes_is_open() {
    let days = ["maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag"];
    let always = days.map(|day| json!({ "dag": day, "van": "00:00", "tot": "24:00" }));
    let crisis = desk(&json!({ "open": always, "ook_op_feestdagen": true }));
    assert_eq!(crisis.opening(at(MONDAY, 3, 0)), Opening::Open { until: None });
    assert_eq!(crisis.opening_words().unwrap(), "maandag tot en met zondag 0.00-24.00 uur");
    // Open over midnight, until the first holiday.
    let but_holidays = desk(&json!({ "open": always }));
    let end = calendar::midnight(date(2026, 12, 25));
    assert_eq!(but_holidays.opening(at(MONDAY, 3, 0)), Opening::Open { until: end });
}

/// On the last Sunday of March there is no half past two, and in October two of them.
#[test]
fn hours_stand_while_clocks_change() {
    let night = desk(&json!({ "open": [{ "dag": "zondag", "van": "02:30", "tot": "04:00" }] }));
    let spring = date(2027, 3, 28);
    assert_eq!(night.opening(at(spring, 1, 0)), Opening::Closed { next: Some(at(spring, 3, 30)) });
    let autumn = date(2026, 10, 25);
    let Opening::Closed { next: Some(next) } = night.opening(at(autumn, 1, 0)) else { unreachable!() };
    assert_eq!(at(autumn, 4, 0).duration_since(next).as_mins(), 150);
}

fn town() -> Vec<Desk> {
    let one = |name: &str, value: serde_json::Value| Desk { loket: name.into(), ..desk(&value) };
    vec![
        one("wmo", json!({ "doelen": ["hulp-met-toestemming"] })),
        one("oud", json!({ "opgeheven": { "per": "2026-11-01", "opvolger": "ouder" } })),
        one("ouder", json!({ "opgeheven": { "per": "2026-11-10", "opvolger": "schuldhulp" } })),
        one("weg", json!({ "opgeheven": { "per": "2026-11-01" } })),
        one(
            "schuldhulp",
            json!({ "doelen": ["vroegsignalering-huur"], "afwezig": [{ "van": "2026-12-01", "tot": "2026-12-05", "vervanging": "balie" }] }),
        ),
        one("balie", json!({})),
    ]
}

#[test]
fn a_sender_addresses_a_desk_that_takes_it() {
    let desks = town();
    let now = at(MONDAY, 10, 0);
    for right in [None, Some("schuldhulp"), Some("balie"), Some("oud"), Some("ouder")] {
        assert_eq!(check(&desks, right, WORK, now), Ok(()), "{right:?}");
    }
    for wrong in ["wmo", "weg", "bestaat-niet"] {
        let refusal = check(&desks, Some(wrong), WORK, now).unwrap_err();
        assert_eq!(
            (refusal.reason, refusal.about),
            (Reason::WrongDesk, vec!["schuldhulp".into(), "balie".into()])
        );
    }
    assert_eq!(check(&[], Some("bestaat-niet"), WORK, now), Ok(()));
}

#[test]
fn there_is_no_wrong_door() {
    let desks = town();
    let arrives = |name, day| receive(&desks, Some(name), WORK, at(day, 10, 0));
    for name in ["schuldhulp", "oud", "ouder", "wmo", "weg", "bestaat-niet"] {
        assert_eq!(arrives(name, MONDAY).as_deref(), Some("schuldhulp"), "{name}");
        assert_eq!(arrives(name, date(2026, 12, 1)).as_deref(), Some("balie"), "{name}");
    }
    assert_eq!(arrives("ouder", date(2026, 10, 1)).as_deref(), Some("ouder"), "not closed yet");
    let other = Work { purpose: "iets-anders", ..WORK };
    assert_eq!(receive(&desks, Some("schuldhulp"), other, at(MONDAY, 10, 0)).as_deref(), Some("balie"));
    assert_eq!(receive(&desks[..1], Some("wmo"), WORK, at(MONDAY, 10, 0)), None);
    assert_eq!(receive(&desks, None, WORK, at(MONDAY, 10, 0)), None);
    assert_eq!(receive(&[], Some("wmo"), WORK, at(MONDAY, 10, 0)).as_deref(), Some("wmo"));
}

#[test]
fn successors_that_go_round_lead_nowhere() {
    let mut desks = town();
    desks[4].opgeheven = Some(Closed { per: date(2026, 11, 1), opvolger: Some("oud".into()) });
    assert!(find(&desks, "oud", MONDAY).is_none());
    assert!(mistake(&desks).unwrap().contains("komen bij geen loket uit"));
    assert_eq!(receive(&desks, Some("oud"), WORK, at(MONDAY, 10, 0)).as_deref(), Some("balie"));
}

#[test]
fn mistakes_are_told() {
    assert_eq!(mistake(&town()), None);
    let hours = |hours: serde_json::Value| mistake(&[desk(&json!({ "open": hours }))]).unwrap();
    let monday = |from: &str, to: &str| json!({ "dag": "maandag", "van": from, "tot": to });
    assert!(hours(json!([monday("17:00", "09:00")])).contains("op maandag eindigt"));
    assert!(hours(json!([monday("09:00", "12:00"), monday("11:00", "13:00")])).contains("overlappen"));
    assert!(mistake(&[desk(&json!({})), desk(&json!({}))]).unwrap().contains("twee keer"));
    let told = |value| mistake(&[desk(&value)]).unwrap();
    assert!(told(json!({ "opgeheven": { "per": "2026-12-25", "opvolger": "weg" } })).contains("`weg`"));
    assert!(told(json!({ "opgeheven": { "per": "2026-12-25", "opvolger": "huur" } })).contains("`huur`"));
    let away = json!({ "afwezig": [{ "van": "2026-12-25", "tot": "2026-12-24" }] });
    assert!(told(away).contains("voordat zij begint"));
    for wrong in ["9:00", "24:01", "12:60", "12:5", "+1:00", "12.00", ""] {
        let read = serde_json::from_value::<WeeklyHours>(monday(wrong, "24:00"));
        assert!(read.unwrap_err().to_string().contains("is geen tijd"), "{wrong}");
    }
}
