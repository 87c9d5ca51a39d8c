//! One command to the host and back: how long it takes, and how far the clocks are apart.

use std::time::Duration;

use jiff::Timestamp;

use super::check::{Check, Subject};
use crate::system::{
    Context, clock,
    machine::{self, Machine},
    reply::Reply,
    script::Script,
};

/// What one command to the host and back measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct RoundTrip {
    /// How long it took, in milliseconds.
    pub(super) milliseconds: f64,
    /// How far the host's clock is ahead, in seconds; none where the host has no `date`.
    pub(super) clock_ahead_s: Option<f64>,
}

/// Runs `date` on the host and measures how long the answer takes.
pub(super) async fn measure(
    context: &Context,
    machine: &Machine,
) -> Result<RoundTrip, machine::Error> {
    let since = clock::instant();
    let before = clock::now();
    let reply = machine
        .run(
            context,
            Script::new("date +%s.%N 2>/dev/null || date +%s 2>/dev/null").look(),
        )
        .await?;
    let took = since.elapsed();
    Ok(RoundTrip {
        milliseconds: took.as_secs_f64() * 1000.0,
        clock_ahead_s: clock_ahead(&reply, before, took),
    })
}

/// Checks that the clocks are close enough for time stamps of both machines to be compared.
pub(super) fn clocks(trip: Option<RoundTrip>) -> Check {
    let Some(ahead) = trip.and_then(|trip| trip.clock_ahead_s) else {
        return Check::unknown(Subject::Clock, "the host did not report the time");
    };
    let word = if ahead < 0.0 { "behind" } else { "ahead" };
    let evidence = format!("the host's clock is {:.1} s {word}", ahead.abs());
    let remediation = "Set the clock of the host, or of this machine.";
    if ahead.abs() > 300.0 {
        Check::fail(Subject::Clock, evidence, remediation)
    } else if ahead.abs() > 5.0 {
        Check::warn(Subject::Clock, evidence, remediation)
    } else {
        Check::pass(Subject::Clock, evidence)
    }
}

/// Computes how far the host's clock is ahead, assuming that it was read in the middle of the round trip.
fn clock_ahead(reply: &Reply, before: Timestamp, took: Duration) -> Option<f64> {
    let there = epoch(reply.text().trim())?;
    let here = before.as_duration().as_secs_f64() + took.as_secs_f64() / 2.0;
    Some(there - here)
}

/// Reads `date +%s.%N`. Where `date` has no `%N` (`BusyBox`, BSD), the middle of the second is assumed.
fn epoch(text: &str) -> Option<f64> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let seconds: u32 = seconds.parse().ok()?;
    let is_fraction = fraction.len() == 9 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let nanoseconds: u32 = if is_fraction {
        fraction.parse().ok()?
    } else {
        500_000_000
    };
    Some(f64::from(seconds) + f64::from(nanoseconds) / 1e9)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;

    use super::{clock_ahead, epoch};
    use crate::system::reply::Reply;

    #[test]
    fn dates_with_and_without_parts_of_a_second() {
        assert_eq!(epoch("1700000000.250000000"), Some(1_700_000_000.25));
        assert_eq!(epoch("1700000000.%N"), Some(1_700_000_000.5));
        assert_eq!(epoch("1700000000.N"), Some(1_700_000_000.5));
        assert_eq!(epoch("1700000000"), Some(1_700_000_000.5));
        assert_eq!(epoch(""), None);
        assert_eq!(epoch("date: not found"), None);
    }

    #[test]
    fn half_of_a_slow_round_trip_is_no_difference_of_clocks() {
        let reply = Reply::of("1700000004.000000000\n");
        let before = Timestamp::from_second(1_700_000_000).expect("a time");
        let ahead = clock_ahead(&reply, before, Duration::from_secs(8)).expect("known");
        assert!(ahead.abs() < 1e-6, "{ahead}");
        let ahead = clock_ahead(&reply, before, Duration::from_secs(0)).expect("known");
        assert!((ahead - 4.0).abs() < 1e-6, "{ahead}");
    }
}
