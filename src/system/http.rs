//! HTTP requests to a forge.

use std::{io, time::Duration};

/// An answer larger than this is refused.
const LIMIT: u64 = 32 << 20;

/// A request without a body.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    /// The address.
    pub(crate) url: String,
    /// Headers, in order.
    pub(crate) headers: Vec<(String, String)>,
}

/// An answer, whatever its status.
#[derive(Clone, Debug, Default)]
pub(crate) struct Response {
    /// The status.
    pub(crate) status: u16,
    /// Headers, names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// The body.
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// Returns the first header of a name, given in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

/// Fetches an address; a redirect and a status of 400 and above are answers too.
///
/// A redirect is not followed: whoever asks decides where its headers may go.
pub(crate) async fn get(request: Request) -> io::Result<Response> {
    let fetched = tokio::task::spawn_blocking(move || fetch(&request)).await;
    fetched.map_err(io::Error::other)?
}

fn fetch(request: &Request) -> io::Result<Response> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(60)))
        .timeout_connect(Some(Duration::from_secs(10)))
        .max_redirects(0)
        .build()
        .into();
    let mut call = agent.get(&request.url);
    for (name, value) in &request.headers {
        call = call.header(name, value);
    }
    let mut answer = call.call().map_err(io::Error::other)?;
    let headers = answer
        .headers()
        .iter()
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_lowercase(), value)
        })
        .collect();
    let status = answer.status().as_u16();
    let body = answer
        .body_mut()
        .with_config()
        .limit(LIMIT)
        .read_to_vec()
        .map_err(io::Error::other)?;
    Ok(Response {
        status,
        headers,
        body,
    })
}
