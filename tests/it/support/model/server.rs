//! The server that speaks the vendors' interfaces.

use std::{
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use serde_json::{Value, json};

use super::{
    anthropic,
    http::{self, Request},
    responses,
    script::Script,
};
use crate::support::assert_isolated;

const JSON: &str = "application/json";

/// How a model meets its callers.
enum Character {
    /// It follows a script.
    Scripted {
        /// What it says.
        script: Script,
        /// How long it takes before each answer.
        thinking: Duration,
    },
    /// It takes no key for valid.
    Refusing,
}

/// A scripted model on a port of its own; ends when dropped.
pub(crate) struct Model {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    ending: Arc<AtomicBool>,
    listener: Option<JoinHandle<()>>,
}

impl Model {
    /// Starts one. Fails where anything could leave the machine.
    pub(crate) fn start(script: Script) -> Self {
        Self::start_slowly(script, Duration::ZERO)
    }

    /// Starts one that thinks for a while before each answer.
    pub(crate) fn start_slowly(script: Script, thinking: Duration) -> Self {
        Self::open(Character::Scripted { script, thinking })
    }

    /// Starts one that knows no key.
    pub(crate) fn start_refusing() -> Self {
        Self::open(Character::Refusing)
    }

    fn open(character: Character) -> Self {
        assert_isolated();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("its address");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let ending = Arc::new(AtomicBool::new(false));
        let character = Arc::new(character);
        let (log, end) = (Arc::clone(&requests), Arc::clone(&ending));
        let listener = thread::spawn(move || {
            for stream in listener.incoming() {
                if end.load(Ordering::Acquire) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let (character, log) = (Arc::clone(&character), Arc::clone(&log));
                thread::spawn(move || serve(&stream, &character, &log));
            }
        });
        Self {
            address,
            requests,
            ending,
            listener: Some(listener),
        }
    }

    /// Returns its base address, without a trailing slash.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the requests so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Returns whether a text came in the body of any request.
    pub(crate) fn has_read(&self, text: &str) -> bool {
        // In a body the text stands as JSON writes it.
        let written = Value::from(text).to_string();
        let written = written.trim_matches('"');
        self.requests()
            .iter()
            .any(|request| request.body.contains(written))
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::Release);
        // Wakes the listener, which then sees that it is over.
        TcpStream::connect(self.address).ok();
        if let Some(listener) = self.listener.take() {
            listener.join().ok();
        }
    }
}

fn serve(stream: &TcpStream, character: &Character, log: &Mutex<Vec<Request>>) {
    let Some(request) = http::read(stream) else {
        return;
    };
    let body: Value = serde_json::from_str(&request.body).unwrap_or(Value::Null);
    let (method, path) = (request.method.clone(), request.path.clone());
    log.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(request);
    let script = match character {
        Character::Scripted { script, thinking } => {
            thread::sleep(*thinking);
            script
        }
        Character::Refusing => {
            let error = json!({"type": "error", "error": {
                "type": "authentication_error", "message": "invalid x-api-key",
            }});
            return http::answer(stream, "401 Unauthorized", JSON, &error.to_string());
        }
    };
    match (method.as_str(), path.as_str()) {
        ("HEAD", _) => http::answer(stream, "200 OK", JSON, ""),
        ("POST", "/v1/messages") => {
            let text = http::events(&anthropic::stream(script, &body));
            http::answer(stream, "200 OK", "text/event-stream", &text);
        }
        ("POST", "/v1/messages/count_tokens") => {
            let count = anthropic::count_tokens().to_string();
            http::answer(stream, "200 OK", JSON, &count);
        }
        ("POST", "/v1/responses") => {
            let text = http::events(&responses::stream(script, &body));
            http::answer(stream, "200 OK", "text/event-stream", &text);
        }
        _ => {
            let error = json!({"type": "error", "error": {
                "type": "not_found_error", "message": "The scripted model has no such path",
            }});
            http::answer(stream, "404 Not Found", JSON, &error.to_string());
        }
    }
}
