//! The fixed shapes of `details`, one for each failure code.

use schemars::{JsonSchema, Schema, schema_for};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Code, Violation};

/// One item that failed in a call over many.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Item {
    /// The item's id.
    pub id: String,
    /// The stable name of its failure.
    pub error_code: Code,
    /// One sentence for a reader.
    pub message: String,
}

/// One thing in a diff that is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// The path in the diff, made printable.
    pub path: String,
    /// The rule it breaks, as `allow` would name it.
    pub rule: String,
    /// What is wrong, for a reader.
    pub message: String,
}

/// One file of a diff that does not apply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Conflicted {
    /// The path in the diff.
    pub path: String,
    /// The headers of the hunks that do not apply, such as `@@ -10,4 +10,5 @@`; empty where the file as a whole is the matter.
    pub hunks: Vec<String>,
    /// What git said of it.
    pub reason: String,
}

/// One thing that a harness does wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Nonconformance {
    /// The scenario that shows it.
    pub scenario: String,
    /// What it is, by its stable name.
    pub fault: String,
    /// The point of the contract of harnesses that it breaks.
    pub rule: String,
    /// What was expected, for a reader.
    pub expected: String,
    /// What was seen, for a reader.
    pub seen: String,
}

/// No facts beside the message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "NothingDetails")]
pub struct Nothing {}

/// What is wrong with an input, all of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "InputDetails")]
pub struct Input {
    /// Every way in which the input is wrong.
    pub violations: Vec<Violation>,
    /// A valid input to start from.
    #[schemars(with = "Option<serde_json::Map<String, Value>>")]
    pub skeleton: Option<Value>,
}

/// What is wrong with the configuration, all of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ConfigDetails")]
pub struct Config {
    /// The configuration file.
    pub path: String,
    /// Every way in which it is wrong.
    pub violations: Vec<Violation>,
}

/// A file that is in the way.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "FileDetails")]
pub struct File {
    /// The file or folder.
    pub path: String,
    /// What the system said, or what is wrong with the content.
    pub reason: String,
}

/// The database.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "StoreDetails")]
pub struct Store {
    /// The database file.
    pub path: String,
    /// What was found.
    pub reason: String,
    /// Where a copy of what was found was put.
    pub backup: Option<String>,
}

/// A name that is not known, or not usable here.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "UnknownDetails")]
pub struct Unknown {
    /// What kind of thing it names, such as `host` or `job`.
    pub what: String,
    /// The name as given.
    pub name: String,
    /// The nearest known name.
    pub did_you_mean: Option<String>,
    /// Known names, at most 50.
    pub known: Vec<String>,
}

/// The signal that ended the call.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SignalDetails")]
pub struct Signal {
    /// Its name, such as `SIGTERM`.
    pub signal: String,
}

/// A time that ran out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "WaitDetails")]
pub struct Wait {
    /// Milliseconds that were allowed.
    pub allowed_ms: u64,
    /// What was being waited for.
    pub waiting_for: String,
}

/// An idempotency key that is taken.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "KeyDetails")]
pub struct Key {
    /// The key.
    pub idempotency_key: String,
    /// The primitive it was used with.
    pub primitive: String,
    /// The job that carries it.
    pub job_id: Option<String>,
}

/// The items of a call over many that failed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ItemsDetails")]
pub struct Items {
    /// Each failed item.
    pub items: Vec<Item>,
}

/// A host that did not do what was asked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "HostDetails")]
pub struct Host {
    /// The host's name here.
    pub host: String,
    /// What the ssh client or the host printed.
    pub stderr: String,
    /// When the host last answered (RFC 3339, UTC).
    pub last_evidence_at: Option<String>,
}

/// A program that is missing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ToolDetails")]
pub struct Tool {
    /// The program.
    pub tool: String,
    /// The machine it is missing on.
    pub host: String,
    /// What was tried.
    pub evidence: String,
}

/// A step that failed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "StepDetails")]
pub struct Step {
    /// The step's name.
    pub step: String,
    /// Its exit status, where it ended by itself.
    pub exit_status: Option<i64>,
    /// The end of what it printed, at most 4,000 characters.
    pub stdout: String,
    /// The end of what it complained, at most 4,000 characters.
    pub stderr: String,
}

/// A git repository that is not as needed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "CheckoutDetails")]
pub struct Checkout {
    /// The checkout or clone.
    pub path: String,
    /// The ref, branch or commit in question.
    pub reference: Option<String>,
    /// Files in the way, at most 50.
    pub files: Vec<String>,
    /// What is the matter.
    pub reason: String,
}

/// An answer of the forge.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ForgeDetails")]
pub struct Forge {
    /// What was asked for, without secrets.
    pub url: String,
    /// The HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// What the forge said.
    pub message: String,
    /// When a rate limit ends (RFC 3339, UTC).
    pub resets_at: Option<String>,
}

/// Something too large.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SizeDetails")]
pub struct Size {
    /// How large it is.
    pub bytes: u64,
    /// How large it may be.
    pub max_bytes: u64,
}

/// A job that is not as needed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "JobDetails")]
pub struct Job {
    /// The job.
    pub job_id: String,
    /// Its last known state.
    pub state: Option<String>,
    /// When its host last told (RFC 3339, UTC).
    pub last_evidence_at: Option<String>,
}

/// A demand that was not met.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "RequirementDetails")]
pub struct Requirement {
    /// The job.
    pub job_id: String,
    /// What was demanded.
    pub required: String,
    /// The state the job is in.
    pub state: String,
    /// What the evidence says of it.
    pub outcome: Option<String>,
}

/// Processes that did not end.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SurvivorsDetails")]
pub struct Survivors {
    /// The job.
    pub job_id: String,
    /// Their process ids on the host.
    pub pids: Vec<u64>,
}

/// A file of a job that is not as needed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ArtifactDetails")]
pub struct Artifact {
    /// The job.
    pub job_id: String,
    /// The file's name, made printable.
    pub name: String,
    /// What is the matter.
    pub reason: String,
}

/// A diff that cannot be used.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DiffDetails")]
pub struct Diff {
    /// Where the diff came from.
    pub source: String,
    /// What is wrong with it, each with the rule it breaks.
    pub findings: Vec<Finding>,
}

/// A diff that does not apply.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ConflictDetails")]
pub struct Conflict {
    /// The commit it was put on.
    pub onto: String,
    /// The files whose hunks do not apply.
    pub files: Vec<Conflicted>,
}

/// What a harness does wrong.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ConformanceDetails")]
pub struct Conformance {
    /// How many scenarios it passed.
    pub passed: usize,
    /// How many it failed.
    pub failed: usize,
    /// What it does wrong, scenario by scenario.
    pub findings: Vec<Nonconformance>,
}

/// The facts of a failure.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Details {
    /// Nothing was filled in; stands for the empty shape of the code.
    None,
    /// No facts beside the message.
    Nothing(Box<Nothing>),
    /// What is wrong with an input, all of it.
    Input(Box<Input>),
    /// What is wrong with the configuration, all of it.
    Config(Box<Config>),
    /// A file that is in the way.
    File(Box<File>),
    /// The database.
    Store(Box<Store>),
    /// A name that is not known, or not usable here.
    Unknown(Box<Unknown>),
    /// The signal that ended the call.
    Signal(Box<Signal>),
    /// A time that ran out.
    Wait(Box<Wait>),
    /// An idempotency key that is taken.
    Key(Box<Key>),
    /// The items of a call over many that failed.
    Items(Box<Items>),
    /// A host that did not do what was asked.
    Host(Box<Host>),
    /// A program that is missing.
    Tool(Box<Tool>),
    /// A step that failed.
    Step(Box<Step>),
    /// A git repository that is not as needed.
    Checkout(Box<Checkout>),
    /// An answer of the forge.
    Forge(Box<Forge>),
    /// Something too large.
    Size(Box<Size>),
    /// A job that is not as needed.
    Job(Box<Job>),
    /// A demand that was not met.
    Requirement(Box<Requirement>),
    /// Processes that did not end.
    Survivors(Box<Survivors>),
    /// A file of a job that is not as needed.
    Artifact(Box<Artifact>),
    /// A diff that cannot be used.
    Diff(Box<Diff>),
    /// A diff that does not apply.
    Conflict(Box<Conflict>),
    /// A harness that breaks the contract.
    Conformance(Box<Conformance>),
}

impl From<Nothing> for Details {
    fn from(facts: Nothing) -> Self {
        Self::Nothing(Box::new(facts))
    }
}

impl From<Input> for Details {
    fn from(facts: Input) -> Self {
        Self::Input(Box::new(facts))
    }
}

impl From<Config> for Details {
    fn from(facts: Config) -> Self {
        Self::Config(Box::new(facts))
    }
}

impl From<File> for Details {
    fn from(facts: File) -> Self {
        Self::File(Box::new(facts))
    }
}

impl From<Store> for Details {
    fn from(facts: Store) -> Self {
        Self::Store(Box::new(facts))
    }
}

impl From<Unknown> for Details {
    fn from(facts: Unknown) -> Self {
        Self::Unknown(Box::new(facts))
    }
}

impl From<Signal> for Details {
    fn from(facts: Signal) -> Self {
        Self::Signal(Box::new(facts))
    }
}

impl From<Wait> for Details {
    fn from(facts: Wait) -> Self {
        Self::Wait(Box::new(facts))
    }
}

impl From<Key> for Details {
    fn from(facts: Key) -> Self {
        Self::Key(Box::new(facts))
    }
}

impl From<Items> for Details {
    fn from(facts: Items) -> Self {
        Self::Items(Box::new(facts))
    }
}

impl From<Host> for Details {
    fn from(facts: Host) -> Self {
        Self::Host(Box::new(facts))
    }
}

impl From<Tool> for Details {
    fn from(facts: Tool) -> Self {
        Self::Tool(Box::new(facts))
    }
}

impl From<Step> for Details {
    fn from(facts: Step) -> Self {
        Self::Step(Box::new(facts))
    }
}

impl From<Checkout> for Details {
    fn from(facts: Checkout) -> Self {
        Self::Checkout(Box::new(facts))
    }
}

impl From<Forge> for Details {
    fn from(facts: Forge) -> Self {
        Self::Forge(Box::new(facts))
    }
}

impl From<Size> for Details {
    fn from(facts: Size) -> Self {
        Self::Size(Box::new(facts))
    }
}

impl From<Job> for Details {
    fn from(facts: Job) -> Self {
        Self::Job(Box::new(facts))
    }
}

impl From<Requirement> for Details {
    fn from(facts: Requirement) -> Self {
        Self::Requirement(Box::new(facts))
    }
}

impl From<Survivors> for Details {
    fn from(facts: Survivors) -> Self {
        Self::Survivors(Box::new(facts))
    }
}

impl From<Artifact> for Details {
    fn from(facts: Artifact) -> Self {
        Self::Artifact(Box::new(facts))
    }
}

impl From<Diff> for Details {
    fn from(facts: Diff) -> Self {
        Self::Diff(Box::new(facts))
    }
}

impl From<Conflict> for Details {
    fn from(facts: Conflict) -> Self {
        Self::Conflict(Box::new(facts))
    }
}

impl From<Conformance> for Details {
    fn from(facts: Conformance) -> Self {
        Self::Conformance(Box::new(facts))
    }
}

/// Names a shape of details.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// No facts beside the message.
    Nothing,
    /// What is wrong with an input, all of it.
    Input,
    /// What is wrong with the configuration, all of it.
    Config,
    /// A file that is in the way.
    File,
    /// The database.
    Store,
    /// A name that is not known, or not usable here.
    Unknown,
    /// The signal that ended the call.
    Signal,
    /// A time that ran out.
    Wait,
    /// An idempotency key that is taken.
    Key,
    /// The items of a call over many that failed.
    Items,
    /// A host that did not do what was asked.
    Host,
    /// A program that is missing.
    Tool,
    /// A step that failed.
    Step,
    /// A git repository that is not as needed.
    Checkout,
    /// An answer of the forge.
    Forge,
    /// Something too large.
    Size,
    /// A job that is not as needed.
    Job,
    /// A demand that was not met.
    Requirement,
    /// Processes that did not end.
    Survivors,
    /// A file of a job that is not as needed.
    Artifact,
    /// A diff that cannot be used.
    Diff,
    /// A diff that does not apply.
    Conflict,
    /// A harness that breaks the contract.
    Conformance,
}

impl Shape {
    /// Builds the JSON Schema of the shape.
    pub fn schema(self) -> Schema {
        match self {
            Self::Nothing => schema_for!(Nothing),
            Self::Input => schema_for!(Input),
            Self::Config => schema_for!(Config),
            Self::File => schema_for!(File),
            Self::Store => schema_for!(Store),
            Self::Unknown => schema_for!(Unknown),
            Self::Signal => schema_for!(Signal),
            Self::Wait => schema_for!(Wait),
            Self::Key => schema_for!(Key),
            Self::Items => schema_for!(Items),
            Self::Host => schema_for!(Host),
            Self::Tool => schema_for!(Tool),
            Self::Step => schema_for!(Step),
            Self::Checkout => schema_for!(Checkout),
            Self::Forge => schema_for!(Forge),
            Self::Size => schema_for!(Size),
            Self::Job => schema_for!(Job),
            Self::Requirement => schema_for!(Requirement),
            Self::Survivors => schema_for!(Survivors),
            Self::Artifact => schema_for!(Artifact),
            Self::Diff => schema_for!(Diff),
            Self::Conflict => schema_for!(Conflict),
            Self::Conformance => schema_for!(Conformance),
        }
    }
}

impl Details {
    /// Returns the details as they stand in an envelope, always an object in the shape of `code`.
    ///
    /// Details of another shape than the code's are a bug; the empty shape stands in for them.
    pub fn to_value(&self, code: Code) -> Value {
        let wanted = code.shape();
        let empty = || match wanted {
            Shape::Nothing => serde_json::to_value(Nothing::default()),
            Shape::Input => serde_json::to_value(Input::default()),
            Shape::Config => serde_json::to_value(Config::default()),
            Shape::File => serde_json::to_value(File::default()),
            Shape::Store => serde_json::to_value(Store::default()),
            Shape::Unknown => serde_json::to_value(Unknown::default()),
            Shape::Signal => serde_json::to_value(Signal::default()),
            Shape::Wait => serde_json::to_value(Wait::default()),
            Shape::Key => serde_json::to_value(Key::default()),
            Shape::Items => serde_json::to_value(Items::default()),
            Shape::Host => serde_json::to_value(Host::default()),
            Shape::Tool => serde_json::to_value(Tool::default()),
            Shape::Step => serde_json::to_value(Step::default()),
            Shape::Checkout => serde_json::to_value(Checkout::default()),
            Shape::Forge => serde_json::to_value(Forge::default()),
            Shape::Size => serde_json::to_value(Size::default()),
            Shape::Job => serde_json::to_value(Job::default()),
            Shape::Requirement => serde_json::to_value(Requirement::default()),
            Shape::Survivors => serde_json::to_value(Survivors::default()),
            Shape::Artifact => serde_json::to_value(Artifact::default()),
            Shape::Diff => serde_json::to_value(Diff::default()),
            Shape::Conflict => serde_json::to_value(Conflict::default()),
            Shape::Conformance => serde_json::to_value(Conformance::default()),
        };
        let value = match self.shape() {
            Some(shape) if shape == wanted => serde_json::to_value(self),
            _ => empty(),
        };
        value.unwrap_or_else(|_| Value::Object(serde_json::Map::new()))
    }

    /// Returns which shape these details have.
    pub const fn shape(&self) -> Option<Shape> {
        match self {
            Self::None => None,
            Self::Nothing(_) => Some(Shape::Nothing),
            Self::Input(_) => Some(Shape::Input),
            Self::Config(_) => Some(Shape::Config),
            Self::File(_) => Some(Shape::File),
            Self::Store(_) => Some(Shape::Store),
            Self::Unknown(_) => Some(Shape::Unknown),
            Self::Signal(_) => Some(Shape::Signal),
            Self::Wait(_) => Some(Shape::Wait),
            Self::Key(_) => Some(Shape::Key),
            Self::Items(_) => Some(Shape::Items),
            Self::Host(_) => Some(Shape::Host),
            Self::Tool(_) => Some(Shape::Tool),
            Self::Step(_) => Some(Shape::Step),
            Self::Checkout(_) => Some(Shape::Checkout),
            Self::Forge(_) => Some(Shape::Forge),
            Self::Size(_) => Some(Shape::Size),
            Self::Job(_) => Some(Shape::Job),
            Self::Requirement(_) => Some(Shape::Requirement),
            Self::Survivors(_) => Some(Shape::Survivors),
            Self::Artifact(_) => Some(Shape::Artifact),
            Self::Diff(_) => Some(Shape::Diff),
            Self::Conflict(_) => Some(Shape::Conflict),
            Self::Conformance(_) => Some(Shape::Conformance),
        }
    }
}
