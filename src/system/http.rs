//! HTTP requests to a forge: bounded in time and size, each sent once.

use std::{io, time::Duration};

pub(crate) use ureq::http::Method;

/// The largest body of an answer, in bytes; a larger one is refused.
const MAX_BODY: u64 = 32 << 20;
/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a request may take, from the look-up of the name to the end of the body.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The method.
    pub(crate) method: Method,
    /// The address.
    pub(crate) url: String,
    /// Headers, in order.
    pub(crate) headers: Vec<(String, String)>,
    /// The body, where there is one.
    pub(crate) body: Option<Vec<u8>>,
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

/// Sends a request once and returns the answer; a redirect and a status of 400 and above are answers too.
///
/// No redirect is followed: it could carry a token to another host, or repeat what takes effect. Who sends the request
/// decides. An error leaves open whether the request arrived.
pub(crate) async fn send(request: Request) -> io::Result<Response> {
    let sent = tokio::task::spawn_blocking(move || exchange(request)).await;
    sent.map_err(io::Error::other)?
}

fn exchange(request: Request) -> io::Result<Response> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(TIMEOUT))
        .timeout_connect(Some(CONNECT_TIMEOUT))
        .max_redirects(0)
        .build()
        .into();
    let mut call = ureq::http::Request::builder()
        .method(request.method)
        .uri(&request.url);
    for (name, value) in &request.headers {
        call = call.header(name, value);
    }
    let answer = match request.body {
        Some(body) => call.body(body).map(|call| agent.run(call)),
        None => call.body(()).map(|call| agent.run(call)),
    };
    let mut answer = answer
        .map_err(io::Error::other)?
        .map_err(io::Error::other)?;
    let headers = answer
        .headers()
        .iter()
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_lowercase(), value)
        })
        .collect();
    let body = answer
        .body_mut()
        .with_config()
        .limit(MAX_BODY)
        .read_to_vec()
        .map_err(io::Error::other)?;
    Ok(Response {
        status: answer.status().as_u16(),
        headers,
        body,
    })
}
