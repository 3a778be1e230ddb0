//! When a desk is open: hours of the week, holidays, exceptions and absence, in Dutch time.

use std::fmt;

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::Desk;
use crate::calendar;

/// So many days is looked ahead for when a desk opens or closes next.
const DAYS_AHEAD: usize = 60;

/// Minutes in a day; as a time of day, its end.
const DAY: u16 = 24 * 60;

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Weekday {
    /// Monday.
    Maandag,
    /// Tuesday.
    Dinsdag,
    /// Wednesday.
    Woensdag,
    /// Thursday.
    Donderdag,
    /// Friday.
    Vrijdag,
    /// Saturday.
    Zaterdag,
    /// Sunday.
    Zondag,
}

impl Weekday {
    const ALL: [Self; 7] = [
        Self::Maandag,
        Self::Dinsdag,
        Self::Woensdag,
        Self::Donderdag,
        Self::Vrijdag,
        Self::Zaterdag,
        Self::Zondag,
    ];

    /// That of a day.
    fn of(day: Date) -> Self {
        match day.weekday() {
            jiff::civil::Weekday::Monday => Self::Maandag,
            jiff::civil::Weekday::Tuesday => Self::Dinsdag,
            jiff::civil::Weekday::Wednesday => Self::Woensdag,
            jiff::civil::Weekday::Thursday => Self::Donderdag,
            jiff::civil::Weekday::Friday => Self::Vrijdag,
            jiff::civil::Weekday::Saturday => Self::Zaterdag,
            jiff::civil::Weekday::Sunday => Self::Zondag,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Maandag => "maandag",
            Self::Dinsdag => "dinsdag",
            Self::Woensdag => "woensdag",
            Self::Donderdag => "donderdag",
            Self::Vrijdag => "vrijdag",
            Self::Zaterdag => "zaterdag",
            Self::Zondag => "zondag",
        }
    }
}

/// A time of day, in whole minutes; `24:00` is the end of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay(u16);

impl TimeOfDay {
    fn parse(text: &str) -> Option<Self> {
        let (hours, minutes) = text.split_once(':')?;
        let two = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        let (true, true) = (two(hours), two(minutes)) else { return None };
        let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
        let time = hours * 60 + minutes;
        (minutes < 60 && time <= DAY).then_some(Self(time))
    }

    /// As people write it.
    fn words(self) -> String {
        format!("{}.{:02}", self.0 / 60, self.0 % 60)
    }

    /// This time on a day. Where the clock skips it, the time after; where it comes twice, the first.
    fn on(self, day: Date) -> Option<Timestamp> {
        if self.0 == DAY {
            return Some(calendar::end(day));
        }
        let hours = i8::try_from(self.0 / 60).ok()?;
        let minutes = i8::try_from(self.0 % 60).ok()?;
        Some(day.at(hours, minutes, 0, 0).to_zoned(calendar::dutch_time()).ok()?.timestamp())
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl Serialize for TimeOfDay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            D::Error::custom(format!("`{text}` is geen tijd; schrijf uren en minuten, zoals 09:00"))
        })
    }
}

/// From when to when a desk is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// From.
    pub van: TimeOfDay,
    /// Until.
    pub tot: TimeOfDay,
}

/// From when to when a desk is open on a day of the week. A day can come more than once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeeklyHours {
    /// The day.
    pub dag: Weekday,
    /// From.
    pub van: TimeOfDay,
    /// Until.
    pub tot: TimeOfDay,
}

/// Whether a desk is open at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// It does not say when it is open.
    Unknown,
    /// It is open.
    Open {
        /// Until then; nothing when that is further away than is looked.
        until: Option<Timestamp>,
    },
    /// It is not open.
    Closed {
        /// It opens then; nothing when that is further away than is looked, or it does not open any more.
        next: Option<Timestamp>,
    },
}

impl Desk {
    /// When it is open on a day, in order.
    fn hours_on(&self, day: Date) -> Vec<Hours> {
        if self.is_closed(day) || self.absence(day).is_some() {
            return Vec::new();
        }
        let mut hours = match self.uitzonderingen.iter().find(|exception| exception.datum == day) {
            Some(exception) => exception.open.clone(),
            None if calendar::is_holiday(day) && !self.ook_op_feestdagen => Vec::new(),
            None => self.weekly(Weekday::of(day)),
        };
        hours.sort_unstable();
        hours
    }

    fn weekly(&self, dag: Weekday) -> Vec<Hours> {
        let on_this_day = self.open.iter().filter(|hours| hours.dag == dag);
        let mut hours: Vec<Hours> =
            on_this_day.map(|hours| Hours { van: hours.van, tot: hours.tot }).collect();
        hours.sort_unstable();
        hours
    }

    /// Whether it is open, and until when or when again.
    pub fn opening(&self, now: Timestamp) -> Opening {
        let today = calendar::day(now);
        if self.open.is_empty() && self.uitzonderingen.is_empty() && !self.is_closed(today) {
            return Opening::Unknown;
        }
        let mut until = None;
        for (ahead, day) in calendar::days_from(today).take(DAYS_AHEAD).enumerate() {
            for hours in self.hours_on(day) {
                let (Some(from), Some(to)) = (hours.van.on(day), hours.tot.on(day)) else { continue };
                match until {
                    // Open without a pause, over midnight too.
                    Some(open) if from <= open => until = until.max(Some(to)),
                    Some(open) => return Opening::Open { until: Some(open) },
                    None if to <= now => {}
                    None if from <= now => until = Some(to),
                    None => return Opening::Closed { next: Some(from) },
                }
            }
            if let Some(open) = until.filter(|open| *open < calendar::end(day)) {
                return Opening::Open { until: Some(open) };
            }
            if ahead + 1 == DAYS_AHEAD && until.is_some() {
                return Opening::Open { until: None };
            }
        }
        Opening::Closed { next: None }
    }

    /// When it is open week after week, in Dutch words: said by itself, or made of its hours.
    pub fn opening_words(&self) -> Option<String> {
        if self.open.is_empty() {
            return self.openingstijden.clone();
        }
        let mut parts: Vec<(Weekday, Weekday, Vec<Hours>)> = Vec::new();
        for day in Weekday::ALL {
            let hours = self.weekly(day);
            match parts.last_mut() {
                Some((_, last, same)) if *same == hours => *last = day,
                _ => parts.push((day, day, hours)),
            }
        }
        let words = parts.iter().filter(|(_, _, hours)| !hours.is_empty()).map(|(first, last, hours)| {
            let days = if first == last {
                first.as_str().to_owned()
            } else {
                format!("{} tot en met {}", first.as_str(), last.as_str())
            };
            let times: Vec<String> =
                hours.iter().map(|one| format!("{}-{}", one.van.words(), one.tot.words())).collect();
            format!("{days} {} uur", times.join(" en "))
        });
        Some(words.collect::<Vec<_>>().join(", "))
    }
}

/// What is wrong with the hours of a desk, in Dutch.
pub(super) fn mistake(desk: &Desk) -> Option<String> {
    let days = Weekday::ALL.map(|day| (day.as_str().to_owned(), desk.weekly(day)));
    let exceptions = desk.uitzonderingen.iter().map(|exception| {
        let mut hours = exception.open.clone();
        hours.sort_unstable();
        (exception.datum.to_string(), hours)
    });
    for (day, hours) in days.into_iter().chain(exceptions) {
        if let Some(wrong) = hours.iter().find(|hours| hours.tot <= hours.van) {
            return Some(format!(
                "op {day} eindigt een openingstijd ({}) niet na haar begin ({})",
                wrong.tot, wrong.van
            ));
        }
        if hours.windows(2).any(|pair| pair[1].van < pair[0].tot) {
            return Some(format!("op {day} overlappen openingstijden elkaar"));
        }
    }
    None
}
