//! One try of a delivery: a program is run, or an address is sent to.

use std::{path::Path, time::Duration};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::model::{Delivery, Hook, Target, Try};
use crate::{
    contract::text,
    system::{
        Context, clock, detached, files,
        http::{self, Method, Request},
        process::{self, Invocation},
    },
};

/// Bytes that are read of what a program writes to stdout, which nobody looks at.
const STDOUT_READ: u64 = 1 << 20;

/// Characters of what is kept of stderr or of an answer.
const SHOWN: usize = 2000;

/// Bytes of a file with a secret.
const SECRET_LIMIT: u64 = 4096;

/// What came back.
#[derive(Debug, Default)]
struct Told {
    exit_code: Option<i32>,
    status: Option<u16>,
    error: Option<String>,
    stderr: Option<String>,
}

impl Told {
    fn failed(error: impl Into<String>) -> Self {
        Self {
            error: Some(error.into()),
            ..Self::default()
        }
    }
}

/// Tries to deliver once, and says what came of it.
pub(super) async fn send(context: &Context, hook: &Hook, delivery: &Delivery) -> Try {
    let (at, since) = (clock::now_text(), clock::instant());
    let limit = Duration::from_secs(hook.try_s);
    let body = format!("{}\n", delivery.payload);
    let told = clock::within(limit, async {
        match &hook.target {
            Target::Command(command) => run(hook, delivery, command, body).await,
            Target::Url { url, secret_file } => {
                post(context, delivery, url, secret_file.as_deref(), body).await
            }
        }
    });
    let told = told
        .await
        .unwrap_or_else(|| Told::failed(format!("it took longer than {} s", hook.try_s)));
    let masked = |text: String| {
        let masked = context.redactor().text(&text).into_owned();
        text::excerpt(&masked, SHOWN)
    };
    Try {
        at,
        took_ms: u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX),
        exit_code: told.exit_code,
        status: told.status,
        error: told.error.map(masked),
        stderr: told.stderr.map(masked),
    }
}

async fn run(hook: &Hook, delivery: &Delivery, command: &[String], body: String) -> Told {
    let Some((program, arguments)) = command.split_first() else {
        return Told::failed("there is no program");
    };
    let mut invocation = Invocation::new(program)
        .args(arguments)
        .env("LEGWORK_HOOK", hook.name.as_str())
        .env("LEGWORK_HOOK_EVENT", &delivery.event)
        .env("LEGWORK_HOOK_DELIVERY", &delivery.delivery_id)
        .stdin(body)
        .limit(STDOUT_READ)
        .whole(true);
    for name in detached::OF_THE_CALLER {
        invocation = invocation.without(*name);
    }
    match process::run(invocation).await {
        Ok(exit) => Told {
            exit_code: exit.status,
            error: (!exit.success()).then(|| match exit.status {
                Some(status) => format!("it ended with exit code {status}"),
                None => "a signal ended it".to_owned(),
            }),
            stderr: Some(exit.stderr_text()).filter(|text| !text.is_empty()),
            status: None,
        },
        Err(error) => Told::failed(format!("{program} cannot be run: {error}")),
    }
}

async fn post(
    context: &Context,
    delivery: &Delivery,
    url: &str,
    secret_file: Option<&str>,
    body: String,
) -> Told {
    let mut headers = vec![
        ("content-type".to_owned(), "application/json".to_owned()),
        ("user-agent".to_owned(), "legwork".to_owned()),
        ("x-legwork-event".to_owned(), delivery.event.clone()),
        (
            "x-legwork-delivery".to_owned(),
            delivery.delivery_id.clone(),
        ),
    ];
    if let Some(file) = secret_file {
        match secret(context, Path::new(file)) {
            Ok(secret) => headers.push((
                "x-legwork-signature-256".to_owned(),
                format!("sha256={}", signature(&secret, body.as_bytes())),
            )),
            Err(error) => return Told::failed(error),
        }
    }
    let request = Request {
        method: Method::POST,
        url: url.to_owned(),
        headers,
        body: Some(body.into_bytes()),
    };
    match http::send(request).await {
        Ok(answer) => Told {
            status: Some(answer.status),
            error: (!(200..300).contains(&answer.status))
                .then(|| format!("it answered with status {}", answer.status)),
            stderr: Some(String::from_utf8_lossy(&answer.body).into_owned())
                .filter(|text| !text.is_empty()),
            exit_code: None,
        },
        Err(error) => Told::failed(format!("it cannot be reached: {error}")),
    }
}

/// Reads a secret, which its owner alone may read.
fn secret(context: &Context, path: &Path) -> Result<String, String> {
    if !files::exists(path) {
        return Err(format!("{} is not there", path.display()));
    }
    if !files::is_private(path) {
        return Err(format!("others than its owner may read {}", path.display()));
    }
    let bytes = files::read_regular(path, SECRET_LIMIT)
        .map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    let secret = String::from_utf8_lossy(&bytes).trim().to_owned();
    if secret.is_empty() {
        return Err(format!("{} is empty", path.display()));
    }
    context.learn_secret(&secret);
    Ok(secret)
}

/// Returns the HMAC-SHA256 of a body in hexadecimal.
fn signature(secret: &str, body: &[u8]) -> String {
    // A key of any length is taken.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return String::new();
    };
    mac.update(body);
    let bytes = mac.finalize().into_bytes();
    bytes.iter().fold(String::new(), |mut text, byte| {
        use std::fmt::Write as _;
        // Writing to a text cannot fail.
        let _written = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::signature;

    #[test]
    fn a_body_is_signed_as_rfc_4231_has_it() {
        // Test case 2.
        assert_eq!(
            signature("Jefe", b"what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
