//! When a task comes again: by the fields of cron in a time zone, or after a span.

use std::str::FromStr;

use cronexpr::Crontab;
use jiff::{
    SignedDuration, Span, SpanRelativeTo, Timestamp, ToSpan as _, Unit,
    civil::DateTime,
    tz::{AmbiguousOffset, Offset, TimeZone},
};

/// What stands for five fields.
const NICKNAMES: &[(&str, &str)] = &[
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
];

/// The shortest and the longest span in seconds.
const SPANS: (i64, i64) = (1, 366 * 86_400);

/// Changes of the clocks, or times that come to one moment, that one look passes.
const LOOKS: u32 = 2000;

/// What was expected of `every`.
const EXPECTED: &str = "five fields such as \"0 9 * * 1-5\", @hourly, @daily, @weekly, @monthly, @yearly, or a span such as 15m";

/// When something comes again.
#[derive(Debug)]
pub(super) enum Every {
    /// After so many seconds, counted from the time before.
    Span(i64),
    /// At the times that five fields name.
    Times(Times),
}

/// The times that five fields name in a time zone.
#[derive(Debug)]
pub(super) struct Times {
    fields: Crontab,
    zone: TimeZone,
    /// Whether they name every hour, or every so many hours: then they go by the time that passes and not by the clock.
    passes: bool,
}

/// What is wrong with when a task is to come again.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    /// The field of the task.
    pub(super) field: &'static str,
    /// What is wrong with it.
    pub(super) reason: String,
    /// What was expected.
    pub(super) expected: &'static str,
}

impl Wrong {
    fn every(reason: impl Into<String>) -> Self {
        Self {
            field: "every",
            reason: reason.into(),
            expected: EXPECTED,
        }
    }

    fn zone(reason: impl Into<String>) -> Self {
        Self {
            field: "time_zone",
            reason: reason.into(),
            expected: "a name of the IANA database such as Europe/Berlin, for fields of cron alone",
        }
    }
}

impl Every {
    /// Reads it as it stands in a task.
    pub(super) fn parse(text: &str, time_zone: Option<&str>) -> Result<Self, Wrong> {
        let text = text.trim();
        let nickname = NICKNAMES.iter().find(|(name, _)| *name == text);
        if nickname.is_none() && text.starts_with('@') {
            return Err(Wrong::every(format!("{text} names no times")));
        }
        let fields = nickname.map_or(text, |(_, fields)| fields);
        let count = fields.split_ascii_whitespace().count();
        let is_span = count < 4
            && fields.starts_with(|c: char| c.is_ascii_digit())
            && fields.contains(|c: char| c.is_ascii_alphabetic());
        if is_span {
            if time_zone.is_some() {
                return Err(Wrong::zone("a span is as long in every time zone"));
            }
            return span(fields).map(Self::Span);
        }
        if count != 5 {
            return Err(Wrong::every(format!(
                "it has {count} fields: minute, hour, day of the month, month and day of the week are wanted"
            )));
        }
        let zone = match time_zone {
            None => TimeZone::UTC,
            Some(name) => TimeZone::get(name)
                .map_err(|_unknown| Wrong::zone(format!("there is no time zone {name:?}")))?,
        };
        let hour = fields.split_ascii_whitespace().nth(1).unwrap_or_default();
        let times = Times {
            passes: hour.starts_with('*'),
            // Which zone the library is told does not matter: it is asked about clocks that never change.
            fields: Crontab::from_str(&format!("{fields} UTC"))
                .map_err(|error| Wrong::every(one_line(&error.to_string())))?,
            zone,
        };
        // Wherever it is looked from, some of the days of eight years are among the times, or none ever are.
        if times.next(Timestamp::UNIX_EPOCH).is_none() {
            return Err(Wrong::every("no day is ever like that"));
        }
        Ok(Self::Times(times))
    }

    /// Returns the first time that is not before another one.
    pub(super) fn first(&self, from: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Span(_) => Some(from),
            Self::Times(times) => times.next(from.checked_sub(1.nanosecond()).ok()?),
        }
    }

    /// Returns the first time behind another one, where the time before was `last`.
    pub(super) fn next(&self, last: Timestamp, behind: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Times(times) => times.next(behind.max(last)),
            Self::Span(seconds) => {
                let passed = behind.as_second().saturating_sub(last.as_second());
                let whole = passed.div_euclid(*seconds).max(0);
                (whole..=whole.saturating_add(2))
                    .filter_map(|count| {
                        let added = SignedDuration::from_secs(seconds.checked_mul(count)?);
                        last.checked_add(added).ok()
                    })
                    .find(|time| *time > behind.max(last))
            }
        }
    }
}

impl Times {
    /// Returns the first of them behind a moment.
    ///
    /// Where clocks are put forward, a time that they leave out comes at the moment of the change; where they are put back, one that
    /// they show twice comes at the first of both. Those of every hour come as if nothing happened to the clocks.
    fn next(&self, behind: Timestamp) -> Option<Timestamp> {
        if self.passes {
            self.by_passing(behind)
        } else {
            self.by_clock(behind)
        }
    }

    fn by_clock(&self, behind: Timestamp) -> Option<Timestamp> {
        let mut local = self.zone.to_datetime(behind);
        for _ in 0..LOOKS {
            local = self.shown(local)?;
            let time = self.moment(local)?;
            if time > behind {
                return Some(time);
            }
        }
        None
    }

    fn by_passing(&self, behind: Timestamp) -> Option<Timestamp> {
        let mut offset: Offset = self.zone.to_offset(behind);
        let mut from = behind;
        let mut local = offset.to_datetime(behind);
        for _ in 0..LOOKS {
            let time = offset.to_timestamp(self.shown(local)?).ok()?;
            let change = self.zone.following(from).next();
            let Some(change) = change.filter(|change| change.timestamp() <= time) else {
                return Some(time);
            };
            from = change.timestamp();
            offset = change.offset();
            local = offset.to_datetime(from).checked_sub(1.second()).ok()?;
        }
        None
    }

    /// Returns the first of them behind what a clock shows, of a clock that is never changed.
    fn shown(&self, local: DateTime) -> Option<DateTime> {
        let utc = local.to_zoned(TimeZone::UTC).ok()?;
        let found = self.fields.find_next(utc.timestamp()).ok()?;
        Some(found.datetime())
    }

    /// Returns when clocks come to show a time.
    fn moment(&self, local: DateTime) -> Option<Timestamp> {
        let shown = self.zone.to_ambiguous_timestamp(local);
        if let AmbiguousOffset::Gap { after, .. } = shown.offset() {
            let before_change = after.to_timestamp(local).ok()?;
            return Some(self.zone.following(before_change).next()?.timestamp());
        }
        shown.earlier().ok()
    }
}

/// Reads a span in whole seconds.
fn span(text: &str) -> Result<i64, Wrong> {
    let span =
        Span::from_str(text).map_err(|_error| Wrong::every(format!("{text:?} is no span")))?;
    let seconds = span
        .total((Unit::Second, SpanRelativeTo::days_are_24_hours()))
        .map_err(|_error| {
            Wrong::every("months and years have no one length: use @monthly or @yearly")
        })?;
    let (least, most) = SPANS;
    #[expect(clippy::cast_precision_loss, reason = "both are a few million")]
    if seconds.fract() != 0.0 || seconds < least as f64 || seconds > most as f64 {
        return Err(Wrong::every(
            "a span has whole seconds, from one of them to 366 days",
        ));
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "it is a whole number of a few million"
    )]
    Ok(seconds as i64)
}

/// Returns what a message of several lines says, in one.
fn one_line(message: &str) -> String {
    let words: Vec<&str> = message.split_whitespace().collect();
    words.join(" ").chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::{Every, Timestamp};

    fn every(text: &str, zone: Option<&str>) -> Every {
        Every::parse(text, zone).unwrap_or_else(|wrong| panic!("{text}: {wrong:?}"))
    }

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    /// The next so many times behind one.
    fn after(every: &Every, from: &str, count: usize) -> Vec<String> {
        let mut last = at(from);
        let mut found = Vec::new();
        while found.len() < count {
            last = every.next(last, last).expect("another time");
            found.push(last.to_string());
        }
        found
    }

    #[test]
    fn fields_and_nicknames_name_times() {
        for (text, zone, from, first) in [
            (
                "*/15 * * * *",
                None,
                "2026-01-01T00:00:00Z",
                "2026-01-01T00:15:00Z",
            ),
            (
                "0 9 * * 1-5",
                None,
                "2026-11-27T09:00:00Z",
                "2026-11-30T09:00:00Z",
            ),
            (
                "0 9 * * mon-fri",
                None,
                "2026-11-27T09:00:00Z",
                "2026-11-30T09:00:00Z",
            ),
            (
                "0 0 * * 7",
                None,
                "2026-11-27T00:00:00Z",
                "2026-11-29T00:00:00Z",
            ),
            // Where both kinds of days are named, either will do.
            (
                "0 0 13 * 5",
                None,
                "2026-11-27T00:00:00Z",
                "2026-12-04T00:00:00Z",
            ),
            (
                "0 0 29 2 *",
                None,
                "2026-01-01T00:00:00Z",
                "2028-02-29T00:00:00Z",
            ),
            (
                "@hourly",
                None,
                "2026-01-01T00:30:00Z",
                "2026-01-01T01:00:00Z",
            ),
            (
                "@daily",
                None,
                "2026-01-01T00:30:00Z",
                "2026-01-02T00:00:00Z",
            ),
            (
                "@weekly",
                None,
                "2026-11-27T00:00:00Z",
                "2026-11-29T00:00:00Z",
            ),
            (
                "@monthly",
                None,
                "2026-01-01T00:30:00Z",
                "2026-02-01T00:00:00Z",
            ),
            (
                "@yearly",
                None,
                "2026-01-01T00:30:00Z",
                "2027-01-01T00:00:00Z",
            ),
            (
                "0 9 * * *",
                Some("Europe/Berlin"),
                "2026-01-01T00:00:00Z",
                "2026-01-01T08:00:00Z",
            ),
            (
                "0 9 * * *",
                Some("Asia/Kathmandu"),
                "2026-01-01T00:00:00Z",
                "2026-01-01T03:15:00Z",
            ),
        ] {
            assert_eq!(
                after(&every(text, zone), from, 1),
                [first],
                "{text} {zone:?}"
            );
        }
        let hourly = every("@hourly", None);
        assert_eq!(
            hourly.first(at("2026-01-01T01:00:00Z")),
            Some(at("2026-01-01T01:00:00Z"))
        );
    }

    #[test]
    fn spans_are_counted_from_the_time_before_and_do_not_drift() {
        let quarter = every("15m", None);
        let last = at("2026-01-01T00:00:00.250Z");
        assert_eq!(quarter.first(last), Some(last));
        for (behind, next) in [
            ("2026-01-01T00:00:00.250Z", "2026-01-01T00:15:00.250Z"),
            ("2026-01-01T00:15:00.100Z", "2026-01-01T00:15:00.250Z"),
            ("2026-01-01T00:15:00.250Z", "2026-01-01T00:30:00.250Z"),
            ("2026-01-01T05:01:00Z", "2026-01-01T05:15:00.250Z"),
            ("2025-12-31T00:00:00Z", "2026-01-01T00:15:00.250Z"),
        ] {
            assert_eq!(quarter.next(last, at(behind)), Some(at(next)), "{behind}");
        }
        let odd = every("1h30m", None);
        assert_eq!(
            after(&odd, "2026-01-01T00:00:00Z", 1),
            ["2026-01-01T01:30:00Z"]
        );
        assert_eq!(
            after(&every("2d", None), "2026-01-01T00:00:00Z", 1),
            ["2026-01-03T00:00:00Z"]
        );
    }

    #[test]
    fn a_time_that_the_clocks_leave_out_comes_at_the_change_and_one_shown_twice_comes_once() {
        let berlin = Some("Europe/Berlin");
        // 02:00 becomes 03:00 on March 29 at 01:00 UTC.
        let half_past_two = every("30 2 * * *", berlin);
        assert_eq!(
            after(&half_past_two, "2026-03-28T00:00:00Z", 3),
            [
                "2026-03-28T01:30:00Z",
                "2026-03-29T01:00:00Z",
                "2026-03-30T00:30:00Z"
            ]
        );
        let twice = every("0,30 2 * * *", berlin);
        assert_eq!(
            after(&twice, "2026-03-29T00:00:00Z", 2),
            ["2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"]
        );
        // 03:00 becomes 02:00 on October 25 at 01:00 UTC.
        assert_eq!(
            after(&half_past_two, "2026-10-24T12:00:00Z", 2),
            ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]
        );
    }

    #[test]
    fn times_of_every_hour_pass_whatever_the_clocks_do() {
        let berlin = Some("Europe/Berlin");
        let half_hours = every("*/30 * * * *", berlin);
        assert_eq!(
            after(&half_hours, "2026-03-29T00:30:00Z", 3),
            [
                "2026-03-29T01:00:00Z",
                "2026-03-29T01:30:00Z",
                "2026-03-29T02:00:00Z"
            ]
        );
        assert_eq!(
            after(&half_hours, "2026-10-25T00:00:00Z", 4),
            [
                "2026-10-25T00:30:00Z",
                "2026-10-25T01:00:00Z",
                "2026-10-25T01:30:00Z",
                "2026-10-25T02:00:00Z"
            ]
        );
        // A zone whose clocks go by half an hour.
        let lord_howe = every("@hourly", Some("Australia/Lord_Howe"));
        assert_eq!(
            after(&lord_howe, "2026-04-04T14:00:00Z", 3),
            [
                "2026-04-04T15:30:00Z",
                "2026-04-04T16:30:00Z",
                "2026-04-04T17:30:00Z"
            ]
        );
    }

    #[test]
    fn what_names_no_times_is_refused_with_its_field() {
        for (text, zone, field) in [
            ("", None, "every"),
            ("* * * *", None, "every"),
            ("0 0 * * * *", None, "every"),
            ("61 * * * *", None, "every"),
            ("0 24 * * *", None, "every"),
            ("0 0 0 * *", None, "every"),
            ("0 0 30 2 *", None, "every"),
            ("0 0 * * 8", None, "every"),
            ("5-1 * * * *", None, "every"),
            ("*/0 * * * *", None, "every"),
            ("a b c d e", None, "every"),
            ("@reboot", None, "every"),
            ("15", None, "every"),
            ("15x", None, "every"),
            ("0s", None, "every"),
            ("-5m", None, "every"),
            ("1.5s", None, "every"),
            ("2mo", None, "every"),
            ("400d", None, "every"),
            ("0 9 * * *", Some("Europe/Nowhere"), "time_zone"),
            ("15m", Some("Europe/Berlin"), "time_zone"),
        ] {
            let wrong = Every::parse(text, zone).expect_err(text);
            assert_eq!(wrong.field, field, "{text}: {wrong:?}");
            assert!(
                !wrong.reason.is_empty() && !wrong.reason.contains('\n'),
                "{wrong:?}"
            );
        }
    }
}
