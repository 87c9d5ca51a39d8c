//! The lines of standard input and output as the protocol's messages.

use std::{
    collections::HashSet,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rmcp::{
    RoleServer,
    model::{ClientNotification, JsonRpcMessage, RequestId},
    service::TxJsonRpcMessage,
    transport::{StdioReader, StdioWriter, Transport, stdio_pipes},
};
use tokio::{
    io::{AsyncWriteExt as _, BufReader},
    sync::{Mutex, mpsc, watch},
};

use super::message::{self, Message};
use crate::{
    contract::text,
    surfaces::lines::{LONGEST, read_line},
    system::{clock, standard_output},
};

/// Messages that wait to be taken; with more than these, no further line is read.
const WAITING: usize = 16;

/// How often to look whether anybody reads the answers that are still to come after the end of the input.
const LOOK: Duration = Duration::from_millis(500);

/// Standard input and output.
pub(super) struct Lines {
    messages: mpsc::Receiver<Message>,
    output: Arc<Mutex<StdioWriter>>,
    calls: Calls,
}

/// The requests that are still to be answered.
#[derive(Clone)]
pub(super) struct Calls {
    waiting: Arc<watch::Sender<HashSet<RequestId>>>,
    unreadable: Arc<AtomicBool>,
}

impl Calls {
    /// Waits until all are answered.
    pub(super) async fn answered(&self) {
        let mut waiting = self.waiting.subscribe();
        // It fails only where the sender is gone, and this is one.
        let _sender_is_here = waiting.wait_for(HashSet::is_empty).await.is_ok();
    }

    /// Returns whether the input could not be read to its end.
    pub(super) fn ended_unread(&self) -> bool {
        self.unreadable.load(Ordering::Relaxed)
    }

    fn asked(&self, message: &Message) {
        match message {
            JsonRpcMessage::Request(request) => {
                self.waiting.send_modify(|waiting| {
                    waiting.insert(request.id.clone());
                });
            }
            // A call that the client cancels has no answer.
            JsonRpcMessage::Notification(notification) => {
                if let ClientNotification::CancelledNotification(cancelled) =
                    &notification.notification
                    && let Some(id) = &cancelled.params.request_id
                {
                    self.done(id);
                }
            }
            JsonRpcMessage::Response(_) | JsonRpcMessage::Error(_) => {}
        }
    }

    fn done(&self, id: &RequestId) {
        self.waiting.send_modify(|waiting| {
            waiting.remove(id);
        });
    }
}

impl Lines {
    /// Begins to read.
    pub(super) fn open() -> Self {
        let (input, output) = stdio_pipes();
        let output = Arc::new(Mutex::new(output));
        let (sender, messages) = mpsc::channel(WAITING);
        let calls = Calls {
            waiting: Arc::new(watch::Sender::new(HashSet::new())),
            unreadable: Arc::new(AtomicBool::new(false)),
        };
        let _reads_to_the_end =
            tokio::spawn(read(input, sender, Arc::clone(&output), calls.clone()));
        Self {
            messages,
            output,
            calls,
        }
    }

    /// Returns what is still to be answered.
    pub(super) fn calls(&self) -> Calls {
        self.calls.clone()
    }
}

/// Reads to the end of the input, and on until what was asked is answered: with the end of this the connection ends.
async fn read(
    input: StdioReader,
    messages: mpsc::Sender<Message>,
    output: Arc<Mutex<StdioWriter>>,
    calls: Calls,
) {
    let mut input = BufReader::with_capacity(1 << 16, input);
    loop {
        let error = match read_line(&mut input, LONGEST).await {
            Ok(None) => break,
            Ok(Some(line)) => match message::read(&line) {
                Ok(None) => continue,
                Ok(Some(message)) => {
                    calls.asked(&message);
                    if messages.send(message).await.is_err() {
                        return;
                    }
                    continue;
                }
                Err(error) => error,
            },
            Err(error) => {
                tracing::error!(%error, "cannot read the requests");
                calls.unreadable.store(true, Ordering::Relaxed);
                // Where it cannot be written either, the exit code says it.
                let _unread = write(&output, message::unreadable(&error)).await;
                break;
            }
        };
        if write(&output, error).await.is_err() {
            break;
        }
    }
    while clock::within(LOOK, calls.answered()).await.is_none() {
        if !standard_output::has_reader() {
            break;
        }
    }
}

async fn write(output: &Mutex<StdioWriter>, message: impl serde::Serialize) -> io::Result<()> {
    let mut line = text::json(serde_json::to_string(&message)?);
    line.push('\n');
    let mut output = output.lock().await;
    output.write_all(line.as_bytes()).await?;
    output.flush().await
}

impl Transport<RoleServer> for Lines {
    type Error = io::Error;

    fn send(
        &mut self,
        message: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = io::Result<()>> + Send + 'static {
        let (output, calls) = (Arc::clone(&self.output), self.calls.clone());
        async move {
            let id = match &message {
                JsonRpcMessage::Response(response) => Some(response.id.clone()),
                JsonRpcMessage::Error(error) => error.id.clone(),
                JsonRpcMessage::Request(_) | JsonRpcMessage::Notification(_) => None,
            };
            let written = write(&output, message).await;
            if let Some(id) = id {
                calls.done(&id);
            }
            written
        }
    }

    async fn receive(&mut self) -> Option<Message> {
        self.messages.recv().await
    }

    async fn close(&mut self) -> io::Result<()> {
        Ok(())
    }
}
