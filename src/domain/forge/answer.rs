//! What an answer means, by its status and headers.

use jiff::Timestamp;

use super::{Error, interface::Forge};
use crate::{contract::text, system::http::Response};

/// What an answer means, where it is no error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// It carries what was asked for.
    Fresh,
    /// What is cached is still so.
    Unchanged,
    /// The thing does not exist, or is not shown with this token.
    Missing {
        /// The reason the forge gives.
        message: String,
    },
}

/// The longest wait that is believed.
const MAX_WAIT_MS: u64 = 2 * 60 * 60 * 1000;
/// The wait where a limit is hit and the forge does not say how long, as GitHub's documentation asks.
const DEFAULT_WAIT_MS: u64 = 60_000;

/// Tells what an answer means.
pub(super) fn judge(
    forge: &'static dyn Forge,
    url: &str,
    response: &Response,
    now: Timestamp,
) -> Result<Meaning, Error> {
    let status = response.status;
    match status {
        200..=299 => return Ok(Meaning::Fresh),
        304 => return Ok(Meaning::Unchanged),
        _ => {}
    }
    let url = url.to_owned();
    let message = message(forge, &response.body);
    if let Some((after_ms, resets_at)) = rate_limited(forge, response, &message, now) {
        return Err(Error::RateLimited {
            url,
            status,
            message,
            after_ms,
            resets_at,
        });
    }
    match status {
        404 | 410 => Ok(Meaning::Missing { message }),
        401 => Err(Error::Unauthenticated {
            url,
            message,
            advice: forge.login_advice(),
        }),
        403 | 451 => Err(Error::Forbidden {
            url,
            status,
            message,
        }),
        _ => Err(Error::Unavailable {
            url,
            status,
            message,
        }),
    }
}

/// Returns how long to wait and when the limit ends, where the answer says that a rate limit is hit.
fn rate_limited(
    forge: &dyn Forge,
    response: &Response,
    message: &str,
    now: Timestamp,
) -> Option<(u64, Option<String>)> {
    let limit = forge.rate_limit(response);
    let retry_after = response
        .header("retry-after")
        .and_then(|text| wait(text.trim(), now));
    let lower = message.to_lowercase();
    let is_limited = response.status == 429
        || response.status == 403
            && (retry_after.is_some()
                || limit.remaining == Some(0)
                || lower.contains("rate limit")
                || lower.contains("abuse detection"));
    let until_reset = limit
        .resets_at
        .filter(|_| limit.remaining == Some(0))
        .map(|reset| until(reset, now));
    let after_ms = retry_after
        .or(until_reset)
        .unwrap_or(DEFAULT_WAIT_MS)
        .clamp(1_000, MAX_WAIT_MS);
    is_limited.then(|| (after_ms, limit.resets_at.map(|reset| reset.to_string())))
}

/// Reads `Retry-After`: seconds, or a date.
fn wait(text: &str, now: Timestamp) -> Option<u64> {
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(seconds.saturating_mul(1000));
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(until(date.timestamp(), now))
}

fn until(then: Timestamp, now: Timestamp) -> u64 {
    u64::try_from(then.as_millisecond() - now.as_millisecond()).unwrap_or(0)
}

/// Returns the reason the forge gives, in one line of at most 500 characters.
fn message(forge: &dyn Forge, body: &[u8]) -> String {
    text::line(&forge.message(body), 500)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{Meaning, judge};
    use crate::{
        contract::{Code, Coded},
        domain::forge::{Error, github::GitHub},
        system::http::Response,
    };

    fn check(status: u16, headers: &[(&str, &str)], body: &str) -> Result<Meaning, Error> {
        let response = Response {
            status,
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            body: body.as_bytes().to_vec(),
        };
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        judge(&GitHub, "https://api.github.com/x", &response, now)
    }

    #[test]
    fn an_answer_means_what_the_interface_says() {
        assert_eq!(check(200, &[], "").unwrap(), Meaning::Fresh);
        assert_eq!(check(304, &[], "").unwrap(), Meaning::Unchanged);
        for status in [404, 410] {
            let missing = check(status, &[], r#"{"message":"words"}"#).unwrap();
            let message = "words".to_owned();
            assert_eq!(missing, Meaning::Missing { message });
        }
        for (status, code) in [
            (401, Code::ForgeUnauthenticated),
            (403, Code::ForgeForbidden),
            (422, Code::ForgeUnavailable),
            (500, Code::ForgeUnavailable),
            (502, Code::ForgeUnavailable),
        ] {
            let error = check(status, &[], r#"{"message":"words"}"#).unwrap_err();
            assert_eq!(error.code(), code, "{status}");
            assert_eq!(error.details().shape(), Some(code.shape()));
        }
    }

    #[test]
    fn a_rate_limit_says_how_long_to_wait() {
        let secondary = r#"{"message":"You have exceeded a secondary rate limit. Please wait."}"#;
        for (status, headers, body, wanted) in [
            (429, &[("retry-after", "7")][..], "", 7_000),
            (403, &[("retry-after", "30")], "", 30_000),
            (
                403,
                &[("retry-after", "Tue, 14 Nov 2023 22:13:30 GMT")],
                "",
                10_000,
            ),
            (
                403,
                &[
                    ("x-ratelimit-remaining", "0"),
                    ("x-ratelimit-reset", "1700000090"),
                ],
                "",
                90_000,
            ),
            (
                403,
                &[
                    ("x-ratelimit-remaining", "0"),
                    ("x-ratelimit-reset", "1600000000"),
                ],
                "",
                1_000,
            ),
            (
                403,
                &[
                    ("x-ratelimit-remaining", "0"),
                    ("x-ratelimit-reset", "1900000000"),
                ],
                "",
                7_200_000,
            ),
            (403, &[("x-ratelimit-remaining", "55")], secondary, 60_000),
            (429, &[], "<html>", 60_000),
        ] {
            let error = check(status, headers, body).unwrap_err();
            assert_eq!(error.code(), Code::ForgeRateLimited);
            assert_eq!(error.retry().after_ms, Some(wanted), "{headers:?}");
        }
    }
}
