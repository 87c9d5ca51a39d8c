//! As much HTTP/1.1 as the agents' clients speak: one request a connection, bodies of a known length.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
};

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The method.
    pub(crate) method: String,
    /// The path without its query.
    pub(crate) path: String,
    /// The header lines as they came.
    pub(crate) headers: Vec<String>,
    /// The body.
    pub(crate) body: String,
}

impl Request {
    /// Returns the value of a header.
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// Reads one request; nothing where the client went away.
pub(super) fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end().to_owned();
        if line.is_empty() {
            break;
        }
        lines.push(line);
    }
    let first = lines.first()?.clone();
    let mut words = first.split(' ');
    let mut request = Request {
        method: words.next()?.to_owned(),
        path: words.next()?.split('?').next()?.to_owned(),
        headers: lines.split_off(1),
        body: String::new(),
    };
    let length: usize = request
        .header("content-length")
        .map_or(Some(0), |value| value.parse().ok())?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    request.body = String::from_utf8_lossy(&body).into_owned();
    Some(request)
}

/// Answers and closes. A client that has gone away is its own business.
pub(super) fn answer(mut stream: &TcpStream, status: &str, content_type: &str, body: &str) {
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n",
        body.len()
    );
    stream
        .write_all(head.as_bytes())
        .and_then(|()| stream.write_all(body.as_bytes()))
        .and_then(|()| stream.flush())
        .ok();
}

/// Writes server-sent events.
pub(super) fn events(items: &[serde_json::Value]) -> String {
    let mut text = String::new();
    for item in items {
        let name = item
            .get("type")
            .and_then(serde_json::Value::as_str)
            .unwrap_or("message");
        text.push_str("event: ");
        text.push_str(name);
        text.push_str("\ndata: ");
        text.push_str(&item.to_string());
        text.push_str("\n\n");
    }
    text
}
