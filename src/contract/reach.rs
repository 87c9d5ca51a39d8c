//! What a field of an input lets its caller reach.
//!
//! The effects of a primitive say what a call may change; they do not say what a caller can choose. A model that is
//! allowed to call a primitive may have read a stranger's text a moment before: a field that takes a command, a package,
//! an address or a file is then the stranger's too. So every primitive declares what its fields reach, the one door
//! holds calls of callers who may only read against that, and no list of allowed tools names a primitive of which a field
//! runs, installs or connects to something.

use serde::Serialize;

/// What a field of an input lets its caller reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// Nothing: it is data, kept or compared, or sent where the call goes anyway.
    Data,
    /// A command that is run.
    Command,
    /// What an agent is told to do, who may run anything.
    Task,
    /// What is installed.
    Package,
    /// Where something is fetched from or connected to.
    Address,
    /// A host by name; one that is not listed is left to the ssh client, which may connect anywhere.
    Host,
    /// A file on this machine whose content the answer may show.
    File,
    /// An issue: of a forge that is known here, or a file on this machine.
    Issue,
    /// A git checkout on this machine that gets a branch.
    Checkout,
    /// A place that is written to.
    Place,
    /// A switch that makes a call run or change something although its primitive only reads.
    Switch,
}

impl Reach {
    /// Returns whether what a value reaches depends on the folder that the call is sent from.
    pub const fn is_of_folder(self) -> bool {
        match self {
            Self::File
            | Self::Issue
            | Self::Checkout
            | Self::Place
            | Self::Command
            | Self::Package => true,
            Self::Data | Self::Task | Self::Address | Self::Host | Self::Switch => false,
        }
    }

    /// Returns whether a caller who chooses the value makes something run, be installed, be connected to or be written
    /// over: such a call is for a person to allow each time.
    pub const fn needs_a_person(self) -> bool {
        match self {
            Self::Data | Self::File | Self::Issue | Self::Checkout => false,
            Self::Command
            | Self::Task
            | Self::Package
            | Self::Address
            | Self::Host
            | Self::Place
            | Self::Switch => true,
        }
    }
}
