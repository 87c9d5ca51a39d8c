//! Time: what it is, and waiting.

use std::time::{Duration, Instant};

use jiff::Timestamp;

/// Returns the time now.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that knows the time"
)]
pub(crate) fn now() -> Timestamp {
    Timestamp::try_from(std::time::SystemTime::now()).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Returns the time now as RFC 3339 in UTC, with milliseconds.
pub(crate) fn now_text() -> String {
    text(now())
}

/// Returns a time as RFC 3339 in UTC, with milliseconds.
pub(crate) fn text(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// Returns seconds since 1970 as RFC 3339 in UTC; empty where they are out of range.
pub(crate) fn text_of_epoch(seconds: i64) -> String {
    Timestamp::from_second(seconds)
        .map(text)
        .unwrap_or_default()
}

/// Returns a point to measure from.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that knows the time"
)]
pub(crate) fn instant() -> Instant {
    Instant::now()
}

/// Returns how long this machine has been up: a time that processes can compare, and that setting the clock does not change.
pub(crate) fn uptime() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or(0),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}

/// Waits.
pub(crate) async fn sleep(duration: Duration) {
    tokio::time::sleep(duration).await;
}

/// Waits, blocking the thread.
#[expect(clippy::disallowed_methods, reason = "the one place that waits")]
pub(crate) fn block(duration: Duration) {
    std::thread::sleep(duration);
}

/// Waits for a future at most so long; nothing where it takes longer.
pub(crate) async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(limit, work).await.ok()
}
