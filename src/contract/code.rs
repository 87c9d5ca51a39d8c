//! The open, append-only list of failure codes.
//!
//! A code is one row of [`codes!`]: its meaning as the comment, its kind, when to try again, the shape of its details,
//! whether any call (or any call that needs an answer of a host) may fail with it, and its remediation. The errors page and the
//! comments in the schemas are made of meaning and remediation.
//!
//! The table is long because the contract has that many codes. Rows stand in the order in which they came, for a code is
//! only ever added at the end.
//!
//! This file and `details/shape.rs` name each other: a row names a shape, and a shape filled in knows the code it is
//! for, so that details of another code cannot be sent.

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use super::{
    Kind, Retry,
    details::{self, Shape},
};

/// What a row says of a code.
#[derive(Clone, Copy, Debug)]
struct Row {
    meaning: &'static str,
    remediation: &'static str,
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
        $(
            #[doc = $meaning:tt]
            $code:ident: $kind:ident, $retry:expr, $shape:ident $(, any $scope:tt)? => $remediation:tt;
        )*
    }) => {
        $(#[$of_enum])*
        pub enum $enum {
            $(
                #[doc = $meaning]
                ///
                /// ## Resolution
                ///
                #[doc = $remediation]
                $code,
            )*
        }

        impl $enum {
            /// Lists all codes in the order of their declaration.
            pub const ALL: &'static [Self] = &[$(Self::$code),*];

            const fn row(self) -> Row {
                match self {
                    $(Self::$code => Row {
                        meaning: $meaning,
                        remediation: $remediation,
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
/// Codes are only ever added: none is reused, renamed or given another kind.
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
    SpecInvalid: InvalidArgument, Retry::NEVER, Input, any call =>
        "Read `details.violations`, all of them at once, and start from `details.skeleton`.";
    /// The file given with `--spec` cannot be read, or is not one JSON object in UTF-8.
    SpecUnreadable: InvalidArgument, Retry::AFTER_FIX, File, any call =>
        "Check the path in `details.path`; write one JSON object to it.";
    /// There is no primitive with that name.
    UnknownPrimitive: NotFound, Retry::NEVER, Unknown, any call =>
        "Use the name in `details.did_you_mean`, or ask `capabilities` for the list.";
    /// The configuration file has an unknown key or a value that does not fit.
    ConfigInvalid: FailedPrecondition, Retry::AFTER_FIX, Config, any call =>
        "Correct the keys named in `details.violations`; `check-config` shows them all.";
    /// The configuration file exists and cannot be read.
    ConfigUnreadable: FailedPrecondition, Retry::AFTER_FIX, File, any call =>
        "Check the permissions of the file in `details.path`.";
    /// The state folder cannot be made or written.
    HomeUnwritable: FailedPrecondition, Retry::AFTER_FIX, File, any call =>
        "Set `LEGWORK_HOME` to a folder you can write, or fix the permissions of the one in `details.path`.";
    /// There is no room left on the disk, here or on the host.
    DiskFull: ResourceExhausted, Retry::AFTER_FIX, File, any call =>
        "Free room at `details.path`, then send the same call again.";
    /// Other processes kept the database locked for longer than the call may take.
    StoreBusy: Unavailable, Retry::after(200), Store, any call =>
        "Send the same call again after `retry.after_ms`.";
    /// The database is damaged; a copy was set aside and nothing was started over.
    StoreDamaged: DataLoss, Retry::AFTER_FIX, Store, any call =>
        "Restore the database from your own backup, or move `details.path` away to start afresh; `details.backup` holds what was found.";
    /// A newer legwork wrote the database; this one will not write over it.
    StoreNewer: FailedPrecondition, Retry::AFTER_FIX, Store, any call =>
        "Use the newer legwork, or set `LEGWORK_HOME` to another folder.";
    /// An invariant of this program was broken, or it panicked.
    Internal: Internal, Retry::NEVER, Nothing, any call =>
        "Report the message and the version; it is a bug in legwork.";
    /// A signal ended the call.
    Cancelled: Cancelled, Retry::SAME_CALL, Signal, any call =>
        "Send the same call again if it is still wanted; it carries on from where this one stopped.";
    /// The time allowed by `timeout_s` ran out.
    DeadlineExceeded: DeadlineExceeded, Retry::SAME_CALL, Wait, any call =>
        "Send the same call again, with a larger `timeout_s` if it happens again.";
    /// Another call with the same idempotency key is still under way.
    OperationInProgress: Aborted, Retry::after(1_000), Key =>
        "Send the same call again after `retry.after_ms`; it returns the answer of the one under way.";
    /// The idempotency key was used before with another input.
    IdempotencyKeyReused: AlreadyExists, Retry::NEVER, Key =>
        "Use a new key, or the input that the key was first used with.";
    /// Some items of a call over many failed; the others are done.
    PartialFailure: Aborted, Retry::SEQUENCE, Items =>
        "Read `details.items`; `next` holds the call for the failed ones alone.";
    /// The cursor was not made by this primitive with these filters.
    CursorInvalid: InvalidArgument, Retry::NEVER, Unknown =>
        "Leave the cursor out to start from the beginning.";
    /// No host of that name is registered, configured, or an alias in the ssh configuration.
    HostUnknown: NotFound, Retry::AFTER_FIX, Unknown, any host =>
        "Add it with `add-host`, or use a name from `list-hosts`.";
    /// A host of that name is registered with another destination.
    HostExists: AlreadyExists, Retry::NEVER, Unknown =>
        "Remove it first with `remove-host`, or choose another name.";
    /// Jobs that have not ended stand on the host.
    HostInUse: FailedPrecondition, Retry::SEQUENCE, Items =>
        "Wait for the jobs in `details.items`, or cancel them.";
    /// The host did not answer over SSH. What runs there runs on.
    SshUnreachable: Unavailable, Retry::after(5_000), Host, any host =>
        "Check the network and the host, then send the same call again.";
    /// The host refused every key offered.
    SshAuthFailed: Unauthenticated, Retry::AFTER_FIX, Host, any host =>
        "Add your key to the host's `authorized_keys`, or start an ssh-agent and set `SSH_AUTH_SOCK`.";
    /// The host's key is not in `known_hosts`, so the host cannot be identified.
    SshHostKeyUnknown: FailedPrecondition, Retry::AFTER_FIX, Host, any host =>
        "Check the key's fingerprint with the host's owner, then connect once by hand with `ssh` to accept it.";
    /// The host answers with another key than the one known: a new machine, or somebody in between.
    SshHostKeyChanged: FailedPrecondition, Retry::AFTER_FIX, Host, any host =>
        "Find out why the key changed; then remove the old one with `ssh-keygen -R`.";
    /// No `ssh` program was found on this machine.
    SshClientMissing: FailedPrecondition, Retry::AFTER_FIX, Tool, any host =>
        "Install the OpenSSH client.";
    /// The ssh client rejects its configuration or the destination's name.
    SshConfigInvalid: FailedPrecondition, Retry::AFTER_FIX, Host, any host =>
        "Run `ssh -G` with the destination and correct what it names.";
    /// The connection broke before the answer was complete; what was asked may have happened.
    ContactLost: Unavailable, Retry::SAME_CALL, Host, any host =>
        "Send the same call again: it finds what happened and carries on from there.";
    /// All SSH sessions this machine may use at once on the host stayed in use.
    HostBusy: ResourceExhausted, Retry::after(1_000), Host, any host =>
        "Send the same call again after `retry.after_ms`.";
    /// The host lacks a program that is needed.
    HostToolMissing: FailedPrecondition, Retry::AFTER_FIX, Tool, any host =>
        "Install the program named in `details.tool` on the host; `preflight` shows all that is missing.";
    /// The root folder on the host cannot be made or written.
    HostFolderUnwritable: FailedPrecondition, Retry::AFTER_FIX, File =>
        "Fix the permissions of `details.path` on the host, or configure another `root` for it.";
    /// A step on the host ended with an error that has no code of its own.
    HostScriptFailed: FailedPrecondition, Retry::AFTER_FIX, Step, any host =>
        "Read `details.stderr`, fix the host, and send the same call again.";
    /// No repository of that name is configured and no url was given.
    RepositoryUnknown: NotFound, Retry::AFTER_FIX, Unknown =>
        "Add it to the configuration under `[repositories.<name>]`, or give `url`.";
    /// The seed clone on the host was made from another url.
    RepositoryMismatch: FailedPrecondition, Retry::AFTER_FIX, Checkout =>
        "Use another repository name, or remove the folder in `details.path` on the host.";
    /// The ref does not exist in the repository.
    RefNotFound: NotFound, Retry::AFTER_FIX, Checkout =>
        "Check the name; fetch or push it first if it is new.";
    /// Cloning or fetching the repository failed.
    CloneFailed: Unavailable, Retry::after(5_000), Step =>
        "Read `details.stderr`; check the url and the host's access to it, then send the same call again.";
    /// No profile of that name is built in or configured.
    ProfileUnknown: NotFound, Retry::AFTER_FIX, Unknown =>
        "Use a name from `list-profiles`, or add it to the configuration under `[profiles.<name>]`.";
    /// A step of making the workspace failed; the steps before it are kept.
    ProvisionStepFailed: FailedPrecondition, Retry::AFTER_FIX, Step =>
        "Read `details.stderr`, fix the cause, and send the same call again: only missing steps run.";
    /// There is no workspace for that repository on that host.
    WorkspaceNotFound: NotFound, Retry::AFTER_FIX, Unknown =>
        "Make it with `provision-workspace`.";
    /// The workspace exists and is not complete.
    WorkspaceNotReady: FailedPrecondition, Retry::AFTER_FIX, Step =>
        "Complete it with `provision-workspace`; only missing steps run.";
    /// git could not make the worktree of the job.
    WorktreeFailed: Unavailable, Retry::SAME_CALL, Step =>
        "Read `details.stderr`; send the same call again.";
    /// No agent of that name is built in or configured.
    AgentUnknown: NotFound, Retry::AFTER_FIX, Unknown =>
        "Use a name from `list-agents`, or add it to the configuration under `[agents.<name>]`.";
    /// The agent's program was not found on the host.
    AgentMissing: FailedPrecondition, Retry::AFTER_FIX, Tool =>
        "Install it on the host, or set its full path in the configuration; `preflight` checks it.";
    /// The agent has no such option.
    AgentOptionUnsupported: InvalidArgument, Retry::NEVER, Unknown =>
        "Leave the option out, or choose an agent that has it: `list-agents` says which.";
    /// A secret that the configuration names is not set in the environment.
    SecretUnavailable: FailedPrecondition, Retry::AFTER_FIX, Unknown =>
        "Set the variable named in `details.name` in the environment of legwork.";
    /// The issue does not exist, or the token cannot see it.
    IssueNotFound: NotFound, Retry::AFTER_FIX, Forge =>
        "Check the repository and the number; give a token that can read it.";
    /// The issue's file is neither readable Markdown nor a JSON issue.
    IssueInvalid: InvalidArgument, Retry::AFTER_FIX, File =>
        "Give a UTF-8 Markdown file, or JSON with at least `title` and `body`.";
    /// The forge refused the token, or wants one.
    ForgeUnauthenticated: Unauthenticated, Retry::AFTER_FIX, Forge =>
        "Set `GH_TOKEN`, or log in with `gh auth login`.";
    /// The token may not do this.
    ForgeForbidden: PermissionDenied, Retry::AFTER_FIX, Forge =>
        "Give a token with the needed scope.";
    /// The forge's rate limit is used up.
    ForgeRateLimited: ResourceExhausted, Retry::after(60_000), Forge =>
        "Send the same call again after `retry.after_ms`; a token raises the limit.";
    /// The forge did not answer, or not with what its interface describes.
    ForgeUnavailable: Unavailable, Retry::after(5_000), Forge =>
        "Send the same call again after `retry.after_ms`.";
    /// A prompt template does not parse or asks for a variable that is not given.
    TemplateInvalid: FailedPrecondition, Retry::AFTER_FIX, File =>
        "Correct the template in `details.path`; `render-prompt` shows what it makes of it.";
    /// No prompt template of that name is built in or configured.
    TemplateUnknown: NotFound, Retry::AFTER_FIX, Unknown =>
        "Use a name from `details.known`, or add the file to the templates folder.";
    /// The prompt exceeds its cap even with all that may be dropped left out.
    PromptTooLarge: InvalidArgument, Retry::AFTER_FIX, Size =>
        "Shorten the message, or raise `max_bytes`.";
    /// There is no such job.
    JobNotFound: NotFound, Retry::NEVER, Unknown =>
        "Use an id from `list-jobs`.";
    /// The job has not ended, and this needs an ended one.
    JobNotEnded: FailedPrecondition, Retry::SEQUENCE, Job =>
        "Wait for it with `wait-job`, then send the call again.";
    /// The job's host does not answer, so its state is not known; it may well run on.
    JobUnreachable: Unavailable, Retry::after(5_000), Job =>
        "Send the same call again after `retry.after_ms`.";
    /// The supervisor did not start on the host; no agent ran.
    LaunchFailed: FailedPrecondition, Retry::AFTER_FIX, Step =>
        "Read `details.stderr`; run `preflight` for the host.";
    /// The job had not ended when the time to wait was over; it runs on.
    WaitTimedOut: DeadlineExceeded, Retry::SAME_CALL, Job =>
        "Send the same call again to wait longer.";
    /// The job ended, and not as `require` demands.
    RequirementUnmet: FailedPrecondition, Retry::NEVER, Requirement =>
        "Read the report and `details`; launch again with a new `idempotency_key` if another try is wanted.";
    /// Some processes of the job did not end even when killed.
    ProcessesSurvived: Aborted, Retry::after(2_000), Survivors =>
        "Send the same call again; look at `details.pids` on the host if it happens again.";
    /// The job has no such artifact.
    ArtifactMissing: NotFound, Retry::SEQUENCE, Artifact =>
        "Look at `check-artifacts` for what there is.";
    /// What the host sent has a name, type or size that is not taken.
    ArtifactRefused: PermissionDenied, Retry::AFTER_FIX, Artifact =>
        "Look at the file on the host by hand; it was not written here.";
    /// A file changed while it travelled, so its digest does not match.
    ArtifactChanged: Unavailable, Retry::SAME_CALL, Artifact =>
        "Send the same call again.";
    /// The diff changes nothing.
    DiffEmpty: FailedPrecondition, Retry::AFTER_FIX, Diff =>
        "Read the agent's report; there is nothing to apply or verify.";
    /// The file is not a unified diff that git can read.
    DiffInvalid: InvalidArgument, Retry::AFTER_FIX, Diff =>
        "Make the diff with `git diff --binary --full-index`.";
    /// The diff touches what it must not: `.git`, paths outside, links, submodules or CI files.
    DiffRefused: PermissionDenied, Retry::AFTER_FIX, Diff =>
        "Read `details.findings`; allow a rule by name in `allow` if the change is wanted.";
    /// The diff does not apply to the commit it is put on.
    DiffConflict: FailedPrecondition, Retry::AFTER_FIX, Conflict =>
        "Put it on its own base commit, or ask for `three_way`; `details.files` names the hunks.";
    /// The checkout has uncommitted changes; nothing was touched.
    DirtyTree: FailedPrecondition, Retry::AFTER_FIX, Checkout =>
        "Commit or stash what `details.files` names, then send the same call again.";
    /// The path is not a git checkout that can be used.
    CheckoutInvalid: FailedPrecondition, Retry::AFTER_FIX, Checkout =>
        "Give the path of a git working tree in `checkout`.";
    /// The commit the diff was made on is not in the checkout.
    BaseMissing: FailedPrecondition, Retry::AFTER_FIX, Checkout =>
        "Fetch it from the repository the job worked on, then send the same call again.";
    /// A branch of that name exists with other content; it was not moved.
    BranchExists: AlreadyExists, Retry::AFTER_FIX, Checkout =>
        "Choose another `branch`, or remove that one yourself.";
    /// Somebody moved the branch while the call was under way.
    BranchMoved: Aborted, Retry::SAME_CALL, Checkout =>
        "Send the same call again.";
    /// No `git` program was found on this machine.
    GitMissing: FailedPrecondition, Retry::AFTER_FIX, Tool =>
        "Install git.";
    /// git ended with an error that has no code of its own.
    GitFailed: FailedPrecondition, Retry::AFTER_FIX, Step =>
        "Read `details.stderr`.";
    /// There is neither a `verify` command nor a repro to judge the fix by.
    VerifyUnspecified: FailedPrecondition, Retry::AFTER_FIX, Job =>
        "Give `verify`, the command that fails without the fix and passes with it.";
    /// A step of a composed job did not end well.
    StepFailed: FailedPrecondition, Retry::AFTER_FIX, Step =>
        "Read `details`, fix the cause and send the same call again.";
    /// The primitive changes something, and the server was started without `--allow-mutations`.
    MutationNotAllowed: PermissionDenied, Retry::AFTER_FIX, Nothing, any call =>
        "Ask the person who runs the server to add `--allow-mutations`, if such calls are wanted.";
    /// A file or block that would be written is not as legwork left it: a person edited it, or something else is in its place.
    AssetEdited: FailedPrecondition, Retry::AFTER_FIX, Items =>
        "Look at what `details.items` names; name it in `overwrite` to give it up, or leave it.";
    /// There is no asset of a path that is named in `overwrite`.
    AssetUnknown: NotFound, Retry::AFTER_FIX, Unknown =>
        "Use the paths in `details.known`, which `dry_run` shows too.";
    /// A folder or file that assets go into cannot be read or written.
    AssetUnwritable: FailedPrecondition, Retry::AFTER_FIX, File =>
        "Fix what `details.path` names, then send the same call again.";
    /// A program that calls legwork breaks the contract of harnesses, and `require` demands that it does not.
    HarnessNonconforming: FailedPrecondition, Retry::AFTER_FIX, Conformance =>
        "Fix what `details.findings` names, first to last; each names the scenario that shows it.";
    /// The stub of legwork cannot be set up, or the harness cannot be started at all.
    HarnessUncheckable: FailedPrecondition, Retry::AFTER_FIX, File =>
        "Make the folder in `details.path` one in which programs can be written and run, or set `TMPDIR` to another.";
    /// No schema of that name is published.
    SchemaUnknown: NotFound, Retry::NEVER, Unknown =>
        "Use the name in `details.did_you_mean`, or ask `show-schema` without a name for the list.";
    /// The job's folder is gone from its host, so that nothing of the job can be read or verified there.
    JobFolderMissing: FailedPrecondition, Retry::AFTER_FIX, Job =>
        "Restore the folder on the host, or launch again with a new `idempotency_key`; what was fetched before is still here.";
    /// A run was started by a legwork with another protocol, and this one neither reads nor signals what it does not understand.
    RunUnsupported: FailedPrecondition, Retry::AFTER_FIX, Job, any call =>
        "Use the legwork that started it; what is known here is the job's last known state.";
    /// Too little is left of what the system allows this process: open files, processes, memory, or the size of files.
    LimitsReached: ResourceExhausted, Retry::AFTER_FIX, Limit, any call =>
        "Raise the limit in `details.limit` (see `ulimit`), or end what uses it up, then send the same call again.";
    /// No verification of the job's diff is recorded, so that there is nothing to attest.
    JobNotVerified: FailedPrecondition, Retry::SEQUENCE, Job =>
        "Verify it with `verify-fix`, then send the call again.";
    /// A file of a proof, the diff, or the list of allowed signers cannot be read or written, or something else is in its place.
    ProofFileUnusable: FailedPrecondition, Retry::AFTER_FIX, File =>
        "Check the path in `details.path`; `details.reason` says what is the matter with it.";
    /// There is no proof where one is looked for: the commit carries none, or none of the job was fetched.
    ProofMissing: NotFound, Retry::AFTER_FIX, Proof =>
        "Make it with `fetch-proof`; the notes of a commit come with `git fetch origin 'refs/notes/legwork*:refs/notes/legwork*'`.";
    /// The statement is not one that legwork writes: too large, not canonical JSON, or of another kind or version.
    ProofInvalid: InvalidArgument, Retry::NEVER, Proof =>
        "Get the statement again, byte for byte, from whoever made it.";
    /// The proof carries no signature, so that anybody can have written it.
    ProofUnsigned: PermissionDenied, Retry::AFTER_FIX, Proof =>
        "Ask its maker to sign it with `fetch-proof` and `key`; `allow_unsigned` takes it as a claim of nobody.";
    /// The signature does not hold: the statement or the signature was changed, or its key is not allowed to sign.
    SignatureRefused: PermissionDenied, Retry::AFTER_FIX, Proof =>
        "Read `details.findings`; trust nothing that the statement says unless its maker explains them.";
    /// The diff, the commit or the job is another one than the statement speaks of.
    ProofMismatch: FailedPrecondition, Retry::AFTER_FIX, Proof =>
        "Read `details.findings`; verify what is there now, or get what the proof was made for.";
    /// The key that is to sign cannot be used; the statement is there, unsigned.
    SigningFailed: FailedPrecondition, Retry::AFTER_FIX, Signing =>
        "Read `details.reason` and `details.stderr`; name another `key`, or add this one to the ssh-agent.";
    /// No `ssh-keygen` program was found on this machine.
    SshKeygenMissing: FailedPrecondition, Retry::AFTER_FIX, Tool =>
        "Install the OpenSSH client, which has it.";
    /// No environment of a tree's own could be made from what the workspace has; nothing was started.
    EnvironmentFailed: FailedPrecondition, Retry::AFTER_FIX, Step =>
        "Read `details.stderr`, remove the cause on the host, and send the same call again.";
    /// The command that prepares each tree failed or took too long; nothing was started.
    PrepareFailed: FailedPrecondition, Retry::AFTER_FIX, Step =>
        "Read `details.stderr`; mend `prepare` of the profile or the repository, or what it needs, then provision and send the same call again.";
    /// A call names a file that lies below no folder of the server's `--files`. Whether it is there is not said.
    FileNotAllowed: PermissionDenied, Retry::AFTER_FIX, File, any call =>
        "Ask the person who runs the server to start it with `--files` and the folder, if the file is to be read.";
    /// The address of an issue is on a host that is no forge known here.
    ForgeUnknown: FailedPrecondition, Retry::AFTER_FIX, Unknown =>
        "Name the issue on a forge in `details.known`, or add the host to `hosts` in `[github]` of the configuration.";
    /// There is no such task.
    TaskNotFound: NotFound, Retry::NEVER, Unknown =>
        "Use an id from `list-tasks`.";
    /// Somebody else holds the task: `details` says who, and until when.
    TaskClaimed: Aborted, Retry::SEQUENCE, Task =>
        "Take another task, or this one once the lease in `details.lease_until` has run out.";
    /// Something is in the way of the task: other tasks, an approval, a limit, its time, a pause.
    TaskNotReady: FailedPrecondition, Retry::SEQUENCE, Task =>
        "Remove what `details.reasons` names, or claim without a `task_id` what can run.";
    /// The task has ended, and this needs one that has not.
    TaskEnded: FailedPrecondition, Retry::SEQUENCE, Task =>
        "Look at it with `show-task`; `retry-task` lets one that did not succeed run again.";
    /// The task has not ended, and this needs one that has.
    TaskNotEnded: FailedPrecondition, Retry::SEQUENCE, Task =>
        "Wait for its end, or end it with `cancel-task`.";
    /// The claim that this write belongs to does not hold the task any more: `details` says who does now.
    LeaseLost: Aborted, Retry::NEVER, Task =>
        "Stop working on the task: somebody else may be. Claim again for more work.";
    /// Somebody changed it since the version that was expected.
    VersionConflict: Aborted, Retry::SEQUENCE, Task =>
        "Look at it as it is now, and send the change with the version in `details` if it is still wanted.";
    /// Tasks would depend on each other in a circle.
    DependencyCycle: InvalidArgument, Retry::NEVER, Cycle =>
        "Take one of the dependencies in `details.tasks` out.";
    /// The task has no such checkpoint, or none at all.
    CheckpointNotFound: NotFound, Retry::SEQUENCE, Unknown =>
        "Use a number that `show-task` lists, or start from the beginning.";
    /// The host has no GPUs that can be used as asked: none at all, no driver that answers, or never so many.
    GpusUnusable: FailedPrecondition, Retry::AFTER_FIX, Limit =>
        "Read `details.reason`; `list-gpus` shows what the host has and what may be handed out.";
    /// Fewer GPUs are free now than asked for; none was taken.
    GpusTaken: ResourceExhausted, Retry::after(30_000), Limit =>
        "Send the same call again after `retry.after_ms`, or with `wait_s`; `list-gpus` shows who holds them.";
    /// The locks of the GPUs cannot be trusted or written there, so that nobody can be given one.
    GpuLocksUnusable: FailedPrecondition, Retry::AFTER_FIX, Limit =>
        "Set `gpu_locks` of the host in the configuration to a folder on a disk of its own that all users of it can write.";
    /// The call needs the leave of a person, and waits for it as a request; nothing was done.
    AuthorizationRequired: PermissionDenied, Retry::AFTER_FIX, Authorization, any call =>
        "Ask a person to run `details.command` at a terminal; then send the same call again, or `resume-call` with `details.request_id`.";
    /// A person rejected this very call.
    AuthorizationRejected: PermissionDenied, Retry::AFTER_FIX, Authorization, any call =>
        "Do something else; a person who changes their mind runs `details.command`.";
    /// Only a person may do this, and nothing shows that the caller is one: there is no terminal with an answer on it and no right key.
    ApproverUnverified: PermissionDenied, Retry::AFTER_FIX, Approver =>
        "Run the same command at a terminal yourself and type what it asks for, or give the key in `LEGWORK_AUTHORIZATION_KEY`.";
    /// There is no request of that id.
    RequestUnknown: NotFound, Retry::NEVER, Unknown =>
        "Use an id from `list-waiting`, or the one in the answer of the call that was refused.";
    /// The request is closed: its call has run, its time to wait is over, or it was made with another version.
    RequestClosed: FailedPrecondition, Retry::NEVER, Authorization =>
        "Send the call itself again; where it still needs leave, that makes a new request.";
    /// There is no authorization of that id.
    AuthorizationUnknown: NotFound, Retry::NEVER, Unknown =>
        "Use an id from `list-authorizations`.";
    /// The input of the refused call holds a secret and was not kept, so that it cannot be resumed from here.
    CallNotKept: FailedPrecondition, Retry::NEVER, Authorization =>
        "Send the call itself again, with the same input: what a person granted lets it through once.";
    /// The refused call depends on the folder that it was sent from, and this call comes from another one.
    CallElsewhere: FailedPrecondition, Retry::AFTER_FIX, File =>
        "Send the same call from the folder in `details.path`.";
    /// No worker of that name ever ran here.
    WorkerNotFound: NotFound, Retry::NEVER, Unknown =>
        "Use a name from `list-sessions`, or start it with `start-worker`.";
    /// A worker of that name runs already, and of each name there is one.
    WorkerRunning: AlreadyExists, Retry::NEVER, Unknown =>
        "Use another `name`, or end that worker with `stop-worker` first.";
    /// A worker that was started did not come up.
    WorkerNotStarted: FailedPrecondition, Retry::AFTER_FIX, Step =>
        "Read `details.stderr`, remove the cause, and send the same call again.";
    /// A worker that was asked to end is still at work.
    WorkerNotEnded: FailedPrecondition, Retry::SEQUENCE, Unknown =>
        "Look at `worker-status`; wait for what it runs, or send the call again with `force`.";
    /// There is no hook of that name.
    HookNotFound: NotFound, Retry::NEVER, Unknown =>
        "Use a name from `list-hooks`.";
    /// A hook of that name tells something else, or there are as many hooks as there can be.
    HookExists: AlreadyExists, Retry::NEVER, Unknown =>
        "Choose another name, or remove a hook with `remove-hook` first.";
    /// The database server gives no answer, or takes no calls now.
    StoreUnavailable: Unavailable, Retry::after(1_000), Store, any call =>
        "See that the database server in `details.path` runs and can be reached, then send the same call again.";
    /// The database server refuses the login, or has no such database.
    StoreRefused: Unauthenticated, Retry::AFTER_FIX, Store, any call =>
        "Correct `store` in the configuration or `LEGWORK_STORE`, or the user's rights on the server.";
}
}

/// Lets the schema take codes that are added later: a reader with an older schema falls back on the kind.
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

    /// Returns what it means, as one sentence.
    pub fn meaning(self) -> &'static str {
        // A comment begins with a blank.
        self.row().meaning.trim_start()
    }

    /// Returns what to do about it.
    pub const fn remediation(self) -> &'static str {
        self.row().remediation
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
    fn what_a_code_says_has_the_names_that_it_is_written_with() {
        for code in Code::ALL {
            let (kind, mode) = (code.kind(), code.retry().mode);
            let written = serde_json::json!([code, kind, mode]);
            assert_eq!(
                written,
                serde_json::json!([code.name(), kind.name(), mode.name()])
            );
        }
    }
}
