//! The open, append-only list of failure codes.
//!
//! A code is one row of [`codes!`]: its meaning and its cure in the comment, then its kind, when to try again, the
//! shape of its details, and whether any call (or any call that needs an answer of a host) may fail with it.
//!
//! This file and `details/shape.rs` name each other: a row names a shape, and a shape filled in knows the code it is
//! for, so that details of another code cannot be sent.

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use super::{
    Kind, Retry,
    details::{self, Shape},
};

/// What a row says of a code, its comment aside.
#[derive(Clone, Copy, Debug)]
struct Row {
    kind: Kind,
    retry: Retry,
    shape: Shape,
    scope: Scope,
}

/// Which calls may fail with a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    /// Those whose primitive declares it.
    Declared,
    /// Any.
    AnyCall,
    /// Any that needs an answer of a host.
    AnyHost,
}

/// Makes the enum and all that is known of its variants from the rows.
macro_rules! codes {
    ($(#[$of_enum:meta])* pub enum $enum:ident {
        $($(#[$of_code:meta])* $code:ident: $kind:ident, $retry:expr, $shape:ident $(, any $scope:tt)?;)*
    }) => {
        $(#[$of_enum])*
        pub enum $enum {
            $($(#[$of_code])* $code,)*
        }

        impl $enum {
            /// Lists all codes in the order of their declaration.
            pub const ALL: &'static [Self] = &[$(Self::$code),*];

            const fn row(self) -> Row {
                match self {
                    $(Self::$code => Row {
                        kind: Kind::$kind,
                        retry: $retry,
                        shape: Shape::of::<details::$shape>(),
                        scope: codes!(@scope $($scope)?),
                    },)*
                }
            }
        }
    };
    (@scope) => { Scope::Declared };
    (@scope call) => { Scope::AnyCall };
    (@scope host) => { Scope::AnyHost };
}

codes! {
/// Every failure this program can report.
///
/// Append only: a code is never reused, renamed or given another kind. The errors page is generated from these
/// comments: the first paragraph is the meaning, `## Resolution` the cure.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
#[schemars(transform = open)]
#[non_exhaustive]
pub enum Code {
    /// The input does not match the primitive's input schema, or a flag cannot be read.
    ///
    /// ## Resolution
    ///
    /// Read `details.violations`, all of them at once, and start from `details.skeleton`.
    SpecInvalid: InvalidArgument, Retry::NEVER, Input, any call;
    /// The file given with `--spec` cannot be read, or is not one JSON object in UTF-8.
    ///
    /// ## Resolution
    ///
    /// Check the path in `details.path`; write one JSON object to it.
    SpecUnreadable: InvalidArgument, Retry::AFTER_FIX, File, any call;
    /// There is no primitive with that name.
    ///
    /// ## Resolution
    ///
    /// Use the name in `details.did_you_mean`, or ask `capabilities` for the list.
    UnknownPrimitive: NotFound, Retry::NEVER, Unknown, any call;
    /// The configuration file has an unknown key or a value that does not fit.
    ///
    /// ## Resolution
    ///
    /// Mend the keys named in `details.violations`; `check-config` shows them all.
    ConfigInvalid: FailedPrecondition, Retry::AFTER_FIX, Config, any call;
    /// The configuration file exists and cannot be read.
    ///
    /// ## Resolution
    ///
    /// Check the permissions of the file in `details.path`.
    ConfigUnreadable: FailedPrecondition, Retry::AFTER_FIX, File, any call;
    /// The state folder cannot be made or written.
    ///
    /// ## Resolution
    ///
    /// Set `LEGWORK_HOME` to a folder you can write, or mend the permissions of the one in `details.path`.
    HomeUnwritable: FailedPrecondition, Retry::AFTER_FIX, File, any call;
    /// There is no room left on the disk, here or on the host.
    ///
    /// ## Resolution
    ///
    /// Free room at `details.path`, then send the same call again.
    DiskFull: ResourceExhausted, Retry::AFTER_FIX, File, any call;
    /// Other processes kept the database locked for longer than the call may take.
    ///
    /// ## Resolution
    ///
    /// Send the same call again after `retry.after_ms`.
    StoreBusy: Unavailable, Retry::after(200), Store, any call;
    /// The database is damaged; a copy was set aside and nothing was started over.
    ///
    /// ## Resolution
    ///
    /// Restore the database from your own backup, or move `details.path` away to start afresh; `details.backup` holds what was found.
    StoreDamaged: DataLoss, Retry::AFTER_FIX, Store, any call;
    /// A newer legwork wrote the database; this one will not write over it.
    ///
    /// ## Resolution
    ///
    /// Use the newer legwork, or set `LEGWORK_HOME` to another folder.
    StoreNewer: FailedPrecondition, Retry::AFTER_FIX, Store, any call;
    /// An invariant of this program was broken, or it panicked.
    ///
    /// ## Resolution
    ///
    /// Report the message and the version; it is a bug in legwork.
    Internal: Internal, Retry::NEVER, Nothing, any call;
    /// A signal ended the call.
    ///
    /// ## Resolution
    ///
    /// Send the same call again if it is still wanted; it carries on from where this one stopped.
    Cancelled: Cancelled, Retry::SAME_CALL, Signal, any call;
    /// The time allowed by `timeout_s` ran out.
    ///
    /// ## Resolution
    ///
    /// Send the same call again, with a larger `timeout_s` if it happens again.
    DeadlineExceeded: DeadlineExceeded, Retry::SAME_CALL, Wait, any call;
    /// Another call with the same idempotency key is still under way.
    ///
    /// ## Resolution
    ///
    /// Send the same call again after `retry.after_ms`; it returns the answer of the one under way.
    OperationInProgress: Aborted, Retry::after(1_000), Key;
    /// The idempotency key was used before with another input.
    ///
    /// ## Resolution
    ///
    /// Use a new key, or the input that the key was first used with.
    IdempotencyKeyReused: AlreadyExists, Retry::NEVER, Key;
    /// Some items of a call over many failed; the others are done.
    ///
    /// ## Resolution
    ///
    /// Read `details.items`; `next` holds the call for the failed ones alone.
    PartialFailure: Aborted, Retry::SEQUENCE, Items;
    /// The cursor was not made by this primitive with these filters.
    ///
    /// ## Resolution
    ///
    /// Leave the cursor out to start from the beginning.
    CursorInvalid: InvalidArgument, Retry::NEVER, Unknown;
    /// No host of that name is registered, configured, or an alias in the ssh configuration.
    ///
    /// ## Resolution
    ///
    /// Add it with `add-host`, or use a name from `list-hosts`.
    HostUnknown: NotFound, Retry::AFTER_FIX, Unknown, any host;
    /// A host of that name is registered with another destination.
    ///
    /// ## Resolution
    ///
    /// Remove it first with `remove-host`, or choose another name.
    HostExists: AlreadyExists, Retry::NEVER, Unknown;
    /// Jobs that have not ended stand on the host.
    ///
    /// ## Resolution
    ///
    /// Wait for the jobs in `details.items`, or cancel them.
    HostInUse: FailedPrecondition, Retry::SEQUENCE, Items;
    /// The host did not answer over SSH. What runs there runs on.
    ///
    /// ## Resolution
    ///
    /// Check the network and the host, then send the same call again.
    SshUnreachable: Unavailable, Retry::after(5_000), Host, any host;
    /// The host refused every key offered.
    ///
    /// ## Resolution
    ///
    /// Add your key to the host's `authorized_keys`, or start an ssh-agent and set `SSH_AUTH_SOCK`.
    SshAuthFailed: Unauthenticated, Retry::AFTER_FIX, Host, any host;
    /// The host's key is not in `known_hosts`, so who answers cannot be told.
    ///
    /// ## Resolution
    ///
    /// Check the key's fingerprint with the host's owner, then connect once by hand with `ssh` to accept it.
    SshHostKeyUnknown: FailedPrecondition, Retry::AFTER_FIX, Host, any host;
    /// The host answers with another key than the one known: a new machine, or somebody in between.
    ///
    /// ## Resolution
    ///
    /// Find out why the key changed; then remove the old one with `ssh-keygen -R`.
    SshHostKeyChanged: FailedPrecondition, Retry::AFTER_FIX, Host, any host;
    /// No `ssh` program was found on this machine.
    ///
    /// ## Resolution
    ///
    /// Install the OpenSSH client.
    SshClientMissing: FailedPrecondition, Retry::AFTER_FIX, Tool, any host;
    /// The ssh client rejects its configuration or the destination's name.
    ///
    /// ## Resolution
    ///
    /// Run `ssh -G` with the destination and mend what it names.
    SshConfigInvalid: FailedPrecondition, Retry::AFTER_FIX, Host, any host;
    /// The connection broke before the answer was complete; what was asked may have happened.
    ///
    /// ## Resolution
    ///
    /// Send the same call again: it finds what happened and carries on from there.
    ContactLost: Unavailable, Retry::SAME_CALL, Host, any host;
    /// All SSH sessions this machine may use at once on the host stayed in use.
    ///
    /// ## Resolution
    ///
    /// Send the same call again after `retry.after_ms`.
    HostBusy: ResourceExhausted, Retry::after(1_000), Host, any host;
    /// The host lacks a program that is needed.
    ///
    /// ## Resolution
    ///
    /// Install the program named in `details.tool` on the host; `preflight` shows all that is missing.
    HostToolMissing: FailedPrecondition, Retry::AFTER_FIX, Tool, any host;
    /// The root folder on the host cannot be made or written.
    ///
    /// ## Resolution
    ///
    /// Mend the permissions of `details.path` on the host, or configure another `root` for it.
    HostFolderUnwritable: FailedPrecondition, Retry::AFTER_FIX, File;
    /// A step on the host ended with an error that has no code of its own.
    ///
    /// ## Resolution
    ///
    /// Read `details.stderr`, mend the host, and send the same call again.
    HostScriptFailed: FailedPrecondition, Retry::AFTER_FIX, Step, any host;
    /// No repository of that name is configured and no url was given.
    ///
    /// ## Resolution
    ///
    /// Add it to the configuration under `[repositories.<name>]`, or give `url`.
    RepositoryUnknown: NotFound, Retry::AFTER_FIX, Unknown;
    /// The seed clone on the host was made from another url.
    ///
    /// ## Resolution
    ///
    /// Use another repository name, or remove the folder in `details.path` on the host.
    RepositoryMismatch: FailedPrecondition, Retry::AFTER_FIX, Checkout;
    /// The ref does not exist in the repository.
    ///
    /// ## Resolution
    ///
    /// Check the name; fetch or push it first if it is new.
    RefNotFound: NotFound, Retry::AFTER_FIX, Checkout;
    /// Cloning or fetching the repository failed.
    ///
    /// ## Resolution
    ///
    /// Read `details.stderr`; check the url and the host's access to it, then send the same call again.
    CloneFailed: Unavailable, Retry::after(5_000), Step;
    /// No profile of that name is built in or configured.
    ///
    /// ## Resolution
    ///
    /// Use a name from `list-profiles`, or add it to the configuration under `[profiles.<name>]`.
    ProfileUnknown: NotFound, Retry::AFTER_FIX, Unknown;
    /// A step of making the workspace failed; the steps before it are kept.
    ///
    /// ## Resolution
    ///
    /// Read `details.stderr`, mend the cause, and send the same call again: only missing steps run.
    ProvisionStepFailed: FailedPrecondition, Retry::AFTER_FIX, Step;
    /// There is no workspace for that repository on that host.
    ///
    /// ## Resolution
    ///
    /// Make it with `provision-workspace`.
    WorkspaceNotFound: NotFound, Retry::AFTER_FIX, Unknown;
    /// The workspace exists and is not complete.
    ///
    /// ## Resolution
    ///
    /// Complete it with `provision-workspace`; only missing steps run.
    WorkspaceNotReady: FailedPrecondition, Retry::AFTER_FIX, Step;
    /// git could not make the worktree of the job.
    ///
    /// ## Resolution
    ///
    /// Read `details.stderr`; send the same call again.
    WorktreeFailed: Unavailable, Retry::SAME_CALL, Step;
    /// No agent of that name is built in or configured.
    ///
    /// ## Resolution
    ///
    /// Use a name from `list-agents`, or add it to the configuration under `[agents.<name>]`.
    AgentUnknown: NotFound, Retry::AFTER_FIX, Unknown;
    /// The agent's program was not found on the host.
    ///
    /// ## Resolution
    ///
    /// Install it on the host, or set its full path in the configuration; `preflight` checks it.
    AgentMissing: FailedPrecondition, Retry::AFTER_FIX, Tool;
    /// The agent has no such option.
    ///
    /// ## Resolution
    ///
    /// Leave the option out, or choose an agent that has it: `list-agents` says which.
    AgentOptionUnsupported: InvalidArgument, Retry::NEVER, Unknown;
    /// A secret that the configuration names is not set in the environment.
    ///
    /// ## Resolution
    ///
    /// Set the variable named in `details.name` in the environment of legwork.
    SecretUnavailable: FailedPrecondition, Retry::AFTER_FIX, Unknown;
    /// The issue does not exist, or the token cannot see it.
    ///
    /// ## Resolution
    ///
    /// Check the repository and the number; give a token that can read it.
    IssueNotFound: NotFound, Retry::AFTER_FIX, Forge;
    /// The issue's file is neither readable Markdown nor a JSON issue.
    ///
    /// ## Resolution
    ///
    /// Give a UTF-8 Markdown file, or JSON with at least `title` and `body`.
    IssueInvalid: InvalidArgument, Retry::AFTER_FIX, File;
    /// The forge refused the token, or wants one.
    ///
    /// ## Resolution
    ///
    /// Set `GH_TOKEN`, or log in with `gh auth login`.
    ForgeUnauthenticated: Unauthenticated, Retry::AFTER_FIX, Forge;
    /// The token may not do this.
    ///
    /// ## Resolution
    ///
    /// Give a token with the needed scope.
    ForgeForbidden: PermissionDenied, Retry::AFTER_FIX, Forge;
    /// The forge's rate limit is used up.
    ///
    /// ## Resolution
    ///
    /// Send the same call again after `retry.after_ms`; a token raises the limit.
    ForgeRateLimited: ResourceExhausted, Retry::after(60_000), Forge;
    /// The forge did not answer, or not with what its interface describes.
    ///
    /// ## Resolution
    ///
    /// Send the same call again after `retry.after_ms`.
    ForgeUnavailable: Unavailable, Retry::after(5_000), Forge;
    /// A prompt template does not parse or asks for a variable that is not given.
    ///
    /// ## Resolution
    ///
    /// Mend the template in `details.path`; `render-prompt` shows what it makes of it.
    TemplateInvalid: FailedPrecondition, Retry::AFTER_FIX, File;
    /// No prompt template of that name is built in or configured.
    ///
    /// ## Resolution
    ///
    /// Use a name from `details.known`, or add the file to the templates folder.
    TemplateUnknown: NotFound, Retry::AFTER_FIX, Unknown;
    /// The prompt exceeds its cap even with all that may be dropped left out.
    ///
    /// ## Resolution
    ///
    /// Shorten the message, or raise `max_bytes`.
    PromptTooLarge: InvalidArgument, Retry::AFTER_FIX, Size;
    /// There is no such job.
    ///
    /// ## Resolution
    ///
    /// Use an id from `list-jobs`.
    JobNotFound: NotFound, Retry::NEVER, Unknown;
    /// The job has not ended, and this needs an ended one.
    ///
    /// ## Resolution
    ///
    /// Wait for it with `wait-job`, then send the call again.
    JobNotEnded: FailedPrecondition, Retry::SEQUENCE, Job;
    /// The job's host does not answer, so its state is not known; it may well run on.
    ///
    /// ## Resolution
    ///
    /// Send the same call again after `retry.after_ms`.
    JobUnreachable: Unavailable, Retry::after(5_000), Job;
    /// The supervisor did not start on the host; no agent ran.
    ///
    /// ## Resolution
    ///
    /// Read `details.stderr`; run `preflight` for the host.
    LaunchFailed: FailedPrecondition, Retry::AFTER_FIX, Step;
    /// The job had not ended when the time to wait was over; it runs on.
    ///
    /// ## Resolution
    ///
    /// Send the same call again to wait longer.
    WaitTimedOut: DeadlineExceeded, Retry::SAME_CALL, Job;
    /// The job ended, and not as `require` demands.
    ///
    /// ## Resolution
    ///
    /// Read the report and `details`; launch again with a new `idempotency_key` if another try is wanted.
    RequirementUnmet: FailedPrecondition, Retry::NEVER, Requirement;
    /// Some processes of the job did not end even when killed.
    ///
    /// ## Resolution
    ///
    /// Send the same call again; look at `details.pids` on the host if it happens again.
    ProcessesSurvived: Aborted, Retry::after(2_000), Survivors;
    /// The job has no such artifact.
    ///
    /// ## Resolution
    ///
    /// Look at `check-artifacts` for what there is.
    ArtifactMissing: NotFound, Retry::SEQUENCE, Artifact;
    /// What the host sent has a name, type or size that is not taken.
    ///
    /// ## Resolution
    ///
    /// Look at the file on the host by hand; it was not written here.
    ArtifactRefused: PermissionDenied, Retry::AFTER_FIX, Artifact;
    /// A file changed while it travelled, so its digest does not match.
    ///
    /// ## Resolution
    ///
    /// Send the same call again.
    ArtifactChanged: Unavailable, Retry::SAME_CALL, Artifact;
    /// The diff changes nothing.
    ///
    /// ## Resolution
    ///
    /// Read the agent's report; there is nothing to apply or verify.
    DiffEmpty: FailedPrecondition, Retry::AFTER_FIX, Diff;
    /// The file is not a unified diff that git can read.
    ///
    /// ## Resolution
    ///
    /// Make the diff with `git diff --binary --full-index`.
    DiffInvalid: InvalidArgument, Retry::AFTER_FIX, Diff;
    /// The diff touches what it must not: `.git`, paths outside, links, submodules or CI files.
    ///
    /// ## Resolution
    ///
    /// Read `details.findings`; allow a rule by name in `allow` if the change is wanted.
    DiffRefused: PermissionDenied, Retry::AFTER_FIX, Diff;
    /// The diff does not apply to the commit it is put on.
    ///
    /// ## Resolution
    ///
    /// Put it on its own base commit, or ask for `three_way`; `details.files` names the hunks.
    DiffConflict: FailedPrecondition, Retry::AFTER_FIX, Conflict;
    /// The checkout has uncommitted changes; nothing was touched.
    ///
    /// ## Resolution
    ///
    /// Commit or stash what `details.files` names, then send the same call again.
    DirtyTree: FailedPrecondition, Retry::AFTER_FIX, Checkout;
    /// The path is not a git checkout that can be used.
    ///
    /// ## Resolution
    ///
    /// Give the path of a git working tree in `checkout`.
    CheckoutInvalid: FailedPrecondition, Retry::AFTER_FIX, Checkout;
    /// The commit the diff was made on is not in the checkout.
    ///
    /// ## Resolution
    ///
    /// Fetch it from the repository the job worked on, then send the same call again.
    BaseMissing: FailedPrecondition, Retry::AFTER_FIX, Checkout;
    /// A branch of that name exists with other content; it was not moved.
    ///
    /// ## Resolution
    ///
    /// Choose another `branch`, or remove that one yourself.
    BranchExists: AlreadyExists, Retry::AFTER_FIX, Checkout;
    /// Somebody moved the branch while the call was under way.
    ///
    /// ## Resolution
    ///
    /// Send the same call again.
    BranchMoved: Aborted, Retry::SAME_CALL, Checkout;
    /// No `git` program was found on this machine.
    ///
    /// ## Resolution
    ///
    /// Install git.
    GitMissing: FailedPrecondition, Retry::AFTER_FIX, Tool;
    /// git ended with an error that has no code of its own.
    ///
    /// ## Resolution
    ///
    /// Read `details.stderr`.
    GitFailed: FailedPrecondition, Retry::AFTER_FIX, Step;
    /// There is neither a `verify` command nor a repro to judge the fix by.
    ///
    /// ## Resolution
    ///
    /// Give `verify`, the command that fails without the fix and passes with it.
    VerifyUnspecified: FailedPrecondition, Retry::AFTER_FIX, Job;
    /// A step of a composed job did not end well.
    ///
    /// ## Resolution
    ///
    /// Read `details`, mend the cause and send the same call again.
    StepFailed: FailedPrecondition, Retry::AFTER_FIX, Step;
    /// The primitive changes something, and the server was started without `--allow-mutations`.
    ///
    /// ## Resolution
    ///
    /// Have whoever runs the server add `--allow-mutations` if such calls are wanted.
    MutationNotAllowed: PermissionDenied, Retry::AFTER_FIX, Nothing, any call;
    /// A file or block that would be written is not as legwork left it: a person edited it, or something else is in its place.
    ///
    /// ## Resolution
    ///
    /// Look at what `details.items` names; name it in `overwrite` to give it up, or leave it.
    AssetEdited: FailedPrecondition, Retry::AFTER_FIX, Items;
    /// There is no asset of a path that is named in `overwrite`.
    ///
    /// ## Resolution
    ///
    /// Use the paths in `details.known`, which `dry_run` shows too.
    AssetUnknown: NotFound, Retry::AFTER_FIX, Unknown;
    /// A folder or file that assets go into cannot be read or written.
    ///
    /// ## Resolution
    ///
    /// Mend what `details.path` names, then send the same call again.
    AssetUnwritable: FailedPrecondition, Retry::AFTER_FIX, File;
    /// A program that calls legwork breaks the contract of harnesses, and `require` demands that it does not.
    ///
    /// ## Resolution
    ///
    /// Mend what `details.findings` names, first to last; each names the scenario that shows it.
    HarnessNonconforming: FailedPrecondition, Retry::AFTER_FIX, Conformance;
    /// The stand-in for legwork cannot be set up, or the harness cannot be started at all.
    ///
    /// ## Resolution
    ///
    /// Make the folder in `details.path` one in which programs can be written and run, or set `TMPDIR` to another.
    HarnessUncheckable: FailedPrecondition, Retry::AFTER_FIX, File;
    /// No schema of that name is published.
    ///
    /// ## Resolution
    ///
    /// Use the name in `details.did_you_mean`, or ask `show-schema` without a name for the list.
    SchemaUnknown: NotFound, Retry::NEVER, Unknown;
    /// The job's folder is gone from its host, so that nothing of the job can be read or verified there.
    ///
    /// ## Resolution
    ///
    /// Restore the folder on the host, or launch again with a new `idempotency_key`; what was fetched before is still here.
    JobFolderMissing: FailedPrecondition, Retry::AFTER_FIX, Job;
    /// Too little is left of what the system allows this process: open files, processes, memory, or the size of files.
    ///
    /// ## Resolution
    ///
    /// Raise the limit in `details.limit` (see `ulimit`), or end what uses it up, then send the same call again.
    LimitsReached: ResourceExhausted, Retry::AFTER_FIX, Limit, any call;
}
}

/// Lets the schema take codes that are added later: whoever reads with an older schema falls back on the kind.
fn open(schema: &mut Schema) {
    if let Some(known) = schema.remove("oneOf") {
        let any = serde_json::json!({
            "title": "LaterCode",
            "type": "string",
            "pattern": "^[a-z][a-z0-9_]*$",
            "description": "A code that was added later; fall back on the kind.",
        });
        schema.insert(
            "anyOf".to_owned(),
            serde_json::json!([
                {"title": "KnownCode", "oneOf": known, "description": "A code that is known."},
                any,
            ]),
        );
    }
}

impl Code {
    /// Lists the codes that any call may fail with, declared or not.
    pub fn universal() -> impl Iterator<Item = Self> {
        Self::of_scope(Scope::AnyCall)
    }

    /// Lists the codes that any call which needs an answer of a host may fail with.
    pub fn of_hosts() -> impl Iterator<Item = Self> {
        Self::of_scope(Scope::AnyHost)
    }

    fn of_scope(scope: Scope) -> impl Iterator<Item = Self> {
        Self::ALL
            .iter()
            .copied()
            .filter(move |code| code.row().scope == scope)
    }

    /// Returns whether any primitive may fail with it, declared or not.
    pub fn is_universal(self) -> bool {
        self.row().scope == Scope::AnyCall
    }

    /// Returns the name as it stands in envelopes.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Returns the closed class of the failure.
    pub const fn kind(self) -> Kind {
        self.row().kind
    }

    /// Returns when to try again, unless the failing operation knows better.
    pub const fn retry(self) -> Retry {
        self.row().retry
    }

    /// Returns the fixed shape of the details.
    pub const fn shape(self) -> Shape {
        self.row().shape
    }
}

#[cfg(test)]
mod tests {
    use super::Code;

    #[test]
    fn a_code_has_the_name_that_it_is_written_with() {
        for code in Code::ALL {
            assert_eq!(serde_json::to_value(code).expect("a text"), code.name());
        }
    }
}
