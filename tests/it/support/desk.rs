//! A world in which calls wait for a person, who has a key.

use std::process::Command;

use rusqlite::Connection;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Call, World, fed, json_lines};

/// The person's key.
pub(crate) const KEY: &str = "a-key-of-the-person-0123456789";

/// The variable that it is given in.
pub(crate) const KEY_VARIABLE: &str = "LEGWORK_AUTHORIZATION_KEY";

/// Returns the SHA-256 of bytes in lower-case hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    let bytes: Vec<String> = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    bytes.concat()
}

/// A way in for calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Surface {
    CommandLine,
    Batch,
    Mcp,
}

/// A world in which calls wait for a person.
pub(crate) struct Desk {
    world: World,
}

impl Desk {
    /// Makes one where calls of these scopes need a grant.
    pub(crate) fn requiring(scopes: &[&str]) -> Self {
        let desk = Self::usual();
        desk.require(scopes);
        desk
    }

    /// Makes one that needs what is needed where nothing is said, and where a person has a key.
    pub(crate) fn usual() -> Self {
        let world = World::new();
        world.configure(&format!(
            "[authorization]\nkey_sha256 = '{}'\n",
            sha256(KEY.as_bytes())
        ));
        Self { world }
    }

    /// Says which scopes need a grant from now on.
    pub(crate) fn require(&self, scopes: &[&str]) {
        self.world
            .configure(&format!("[authorization]\nrequire = {scopes:?}\n"));
    }

    /// Returns the world.
    pub(crate) const fn world(&self) -> &World {
        &self.world
    }

    /// Returns the world, to change its variables.
    pub(crate) const fn world_mut(&mut self) -> &mut World {
        &mut self.world
    }

    /// Prepares a call of somebody who has no key.
    pub(crate) fn command(&self, primitive: &str, input: &Value) -> Command {
        self.world
            .legwork_command([primitive, "--json", &input.to_string()])
    }

    /// Calls as somebody who has no key.
    #[track_caller]
    pub(crate) fn call(&self, primitive: &str, input: &Value) -> Call {
        Call::read(
            &self
                .command(primitive, input)
                .output()
                .expect("legwork starts"),
        )
    }

    /// Calls as the person, by the key.
    #[track_caller]
    pub(crate) fn as_person(&self, primitive: &str, input: &Value) -> Call {
        let mut command = self.command(primitive, input);
        let output = command.env(KEY_VARIABLE, KEY).output();
        Call::read(&output.expect("legwork starts"))
    }

    /// Sends a call that needs leave and has none, and returns the id of its request.
    #[track_caller]
    pub(crate) fn refused(&self, primitive: &str, input: &Value) -> String {
        let refused = self.call(primitive, input);
        assert_eq!(
            refused.error_code(),
            "authorization_required",
            "{}",
            refused.line()
        );
        assert_eq!(refused.effect(), "none");
        let id = refused.details()["request_id"].as_str();
        id.expect("the id of a request").to_owned()
    }

    /// Lets the call of a request through, as the person.
    #[track_caller]
    pub(crate) fn approve(&self, request_id: &str) -> String {
        let input = json!({"request_id": request_id});
        let granted = self.as_person("grant-authorization", &input).ok();
        granted.text("/authorization/authorization_id")
    }

    /// Lets so many calls of a scope through, as the person.
    #[track_caller]
    pub(crate) fn grant(&self, scope: &str, uses: u32, note: &str) -> String {
        let input = json!({"scope": scope, "uses": uses, "note": note});
        let granted = self.as_person("grant-authorization", &input).ok();
        granted.text("/authorization/authorization_id")
    }

    /// Sends a call over a surface, and returns its envelope.
    #[track_caller]
    pub(crate) fn over(&self, surface: Surface, primitive: &str, input: &Value) -> Value {
        match surface {
            Surface::CommandLine => {
                let output = self.command(primitive, input).output();
                let output = output.expect("legwork starts");
                serde_json::from_slice(&output.stdout).expect("an envelope")
            }
            Surface::Batch => {
                let line = json!({"id": 1, "primitive": primitive, "input": input});
                let mut batch = self.world.legwork_command(["batch"]);
                let answers = json_lines(&fed(&mut batch, format!("{line}\n")));
                answers.into_iter().next().expect("an answer")
            }
            Surface::Mcp => {
                let lines = [
                    json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
                        "protocolVersion": "2025-06-18", "capabilities": {},
                        "clientInfo": {"name": "hand", "version": "1"}}}),
                    json!({"jsonrpc": "2.0", "method": "notifications/initialized"}),
                    json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
                        "name": primitive, "arguments": input}}),
                ];
                let lines: Vec<String> = lines.iter().map(|line| format!("{line}\n")).collect();
                let input = lines.concat();
                let mut server = self
                    .world
                    .legwork_command(["serve-mcp", "--allow-mutations"]);
                let answers = json_lines(&fed(&mut server, input));
                let answer = answers.iter().find(|answer| answer["id"] == 1);
                answer.expect("an answer")["result"]["structuredContent"].clone()
            }
        }
    }

    /// Returns the database of the world.
    pub(crate) fn database(&self) -> Connection {
        Connection::open(self.world.path("state/legwork/legwork.db")).expect("the database")
    }

    /// Returns the events of the audit log about one thing, oldest first.
    #[track_caller]
    pub(crate) fn events(&self, subject: &str) -> Vec<String> {
        let listed = self.call("list-audit", &json!({"limit": 500})).ok();
        let entries = listed.at("/entries");
        let mut events: Vec<String> = entries
            .as_array()
            .into_iter()
            .flatten()
            .filter(|entry| entry["subject"] == subject)
            .map(|entry| entry["event"].as_str().expect("an event").to_owned())
            .collect();
        events.reverse();
        events
    }
}
