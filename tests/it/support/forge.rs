//! A forge on this machine: answers what a test wrote down, and remembers what it was asked.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

/// What a forge answers to one address.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    wait: Duration,
}

impl Reply {
    /// Answers with a body.
    pub(crate) fn of(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            body: body.into(),
            ..Self::default()
        }
    }

    /// Adds a header.
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Answers only after a while.
    pub(crate) fn after(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }
}

/// What a forge was asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// The path, its query included.
    pub(crate) path: String,
    /// Headers, names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
}

#[derive(Debug, Default)]
struct Book {
    replies: BTreeMap<String, Reply>,
    asked: Vec<Asked>,
}

/// A forge, up for as long as the test runs.
#[derive(Clone, Debug)]
pub(crate) struct Forge {
    port: u16,
    book: Arc<Mutex<Book>>,
}

impl Forge {
    /// Starts one that knows nothing.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let forge = Self {
            port,
            book: Arc::default(),
        };
        let serving = forge.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let forge = serving.clone();
                thread::spawn(move || forge.serve(stream));
            }
        });
        forge
    }

    /// Returns the base of its interface.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Sets what it answers to a path, its query included.
    pub(crate) fn answer(&self, path: &str, reply: Reply) {
        let mut book = self.book.lock().expect("the book");
        book.replies.insert(path.to_owned(), reply);
    }

    /// Returns what it was asked since the last time, and forgets it.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.book.lock().expect("the book").asked)
    }

    fn serve(&self, stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().expect("the connection"));
        let mut stream = stream;
        while let Some(asked) = read(&mut reader) {
            let reply = {
                let mut book = self.book.lock().expect("the book");
                book.asked.push(asked.clone());
                book.replies.get(&asked.path).cloned()
            };
            let reply = reply.unwrap_or_else(|| Reply::of(404, r#"{"message":"Not Found"}"#));
            thread::sleep(reply.wait);
            let etag = reply.headers.iter().find(|(name, _)| name == "etag");
            let known = asked.headers.get("if-none-match");
            let unchanged = etag.is_some_and(|(_, etag)| Some(etag) == known);
            let (status, body) = if unchanged {
                (304, &[][..])
            } else {
                (reply.status, reply.body.as_slice())
            };
            let mut head = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\n", body.len());
            for (name, value) in &reply.headers {
                for part in [name, ": ", value, "\r\n"] {
                    head.push_str(part);
                }
            }
            head.push_str("\r\n");
            let sent = stream
                .write_all(head.as_bytes())
                .and_then(|()| stream.write_all(body));
            if sent.is_err() {
                return;
            }
        }
    }
}

/// Reads one request without a body; nothing where the connection is closed.
fn read(reader: &mut impl BufRead) -> Option<Asked> {
    let mut line = String::new();
    reader
        .read_line(&mut line)
        .ok()
        .filter(|&count| count > 0)?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            return Some(Asked { path, headers });
        };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
}
