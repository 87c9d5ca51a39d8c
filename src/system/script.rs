//! Shell programs that are sent to a machine.

use base64::{Engine, engine::general_purpose::STANDARD};

use super::quote::quote;

/// A POSIX shell program with arguments and payloads.
///
/// It is sent over standard input, so that no login shell ever parses any part of it, as one compound command, so
/// that a program cut off on its way does nothing at all.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    body: String,
    arguments: Vec<String>,
    payloads: Vec<Vec<u8>>,
    path: Vec<String>,
    root: String,
    subshell: bool,
    limit: u64,
    look: bool,
}

/// Bytes that are read of an answer unless the program is known to print more.
const ANSWER_LIMIT: u64 = 64 << 20;

impl Script {
    /// Creates a program of `body`, which sees its arguments as `$1`, `$2` and so on.
    pub(crate) fn new(body: impl Into<String>) -> Self {
        Self {
            body: body.into(),
            arguments: Vec::new(),
            payloads: Vec::new(),
            path: Vec::new(),
            root: String::from("legwork"),
            subshell: true,
            limit: ANSWER_LIMIT,
            look: false,
        }
    }

    /// Adds the next argument.
    #[must_use]
    pub(crate) fn argument(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub(crate) fn arguments<T: Into<String>>(
        mut self,
        arguments: impl IntoIterator<Item = T>,
    ) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Adds bytes that the program can write out with `payload N`, counted from 1.
    #[must_use]
    pub(crate) fn payload(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.payloads.push(bytes.into());
        self
    }

    /// Saves the program a process of its own. It must not exit: one that does is never acknowledged.
    #[must_use]
    pub(crate) fn without_subshell(mut self) -> Self {
        self.subshell = false;
        self
    }

    /// Sets how many bytes are read of the answer; a longer one is refused.
    #[must_use]
    pub(crate) fn answer_limit(mut self, bytes: u64) -> Self {
        self.limit = bytes;
        self
    }

    /// Says that it changes nothing, so that it may be ended at any moment.
    #[must_use]
    pub(crate) fn look(mut self) -> Self {
        self.look = true;
        self
    }

    /// Returns whether it may be ended at any moment.
    pub(crate) fn is_look(&self) -> bool {
        self.look
    }

    /// Returns how many bytes are read of the answer.
    pub(crate) fn limit(&self) -> u64 {
        self.limit
    }

    /// Puts folders in front of PATH.
    #[must_use]
    pub(crate) fn with_path(mut self, path: &[String]) -> Self {
        self.path = path.to_vec();
        self
    }

    /// Sets the folder that the program sees as `$LEGWORK_ROOT`: absolute, or below the home of the user there.
    #[must_use]
    pub(crate) fn with_root(mut self, root: &str) -> Self {
        root.clone_into(&mut self.root);
        self
    }

    /// Writes the whole program, which marks the beginning and the end of its answer with `nonce`.
    pub(crate) fn render(&self, nonce: &str) -> String {
        // A start-up file may have put another shell in the place of the one that was asked for. zsh reads its input
        // byte by byte, so that the rest of it is still there for a shell that understands it.
        let mut text = String::from(
            "[ -z \"${ZSH_VERSION-}\" ] || exec /bin/sh\nlegwork_all() {\nunset CDPATH IFS; umask 077\n",
        );
        text.push_str(&path_assignment(&self.path));
        text.push_str("LEGWORK_ROOT=");
        let below_home = !self.root.starts_with('/') && !self.root.starts_with("~/");
        if below_home {
            text.push_str("\"${HOME:-}\"/");
        }
        text.push_str(&folder_expression(&self.root));
        text.push_str("\npayload() {\ncase \"$1\" in\n");
        for (index, payload) in self.payloads.iter().enumerate() {
            text.push_str(&(index + 1).to_string());
            text.push_str(") base64 -d <<'LEGWORK_PAYLOAD'\n");
            let encoded = STANDARD.encode(payload);
            for line in encoded.as_bytes().chunks(4096) {
                text.push_str(&String::from_utf8_lossy(line));
                text.push('\n');
            }
            text.push_str("LEGWORK_PAYLOAD\n;;\n");
        }
        text.push_str("*) return 64 ;;\nesac\n}\nlegwork_body() {\n");
        text.push_str(&self.body);
        text.push_str("\n}\n");
        // The words and the nonce of a mark stand apart here: a shell that shows what it reads does not print the mark.
        text.push_str("printf '\\nlegwork-begin %s\\n' ");
        text.push_str(nonce);
        text.push('\n');
        text.push_str(if self.subshell { "( " } else { "{ " });
        text.push_str("legwork_body ");
        for argument in &self.arguments {
            text.push_str(&quote(argument));
            text.push(' ');
        }
        text.push_str(if self.subshell { ")" } else { "; }" });
        text.push_str(" </dev/null\nprintf '\\nlegwork-ack %s %s\\n' ");
        text.push_str(nonce);
        text.push_str(" \"$?\"\nexit 0\n}\nlegwork_all\n");
        text
    }
}

/// Writes the lines that put folders in front of PATH, the first of them first, and the usual folders behind it.
///
/// A shell that is no login shell may have no more than its system's shortest PATH. Every program that runs on a machine
/// looks for others by these lines, so that what one finds there the next one finds too.
pub(crate) fn path_assignment(folders: &[String]) -> String {
    let mut text = String::from("PATH=");
    for folder in folders {
        text.push_str(&folder_expression(folder));
        text.push(':');
    }
    text.push_str(
        "\"$PATH:${HOME:-/}/.local/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin\"\nexport PATH\n",
    );
    text
}

/// Quotes a folder in which a leading `~/` stands for the home of the user who runs the program.
fn folder_expression(folder: &str) -> String {
    match folder.strip_prefix("~/") {
        Some(rest) => format!("\"${{HOME:-/}}\"/{}", quote(rest)),
        None => quote(folder),
    }
}
