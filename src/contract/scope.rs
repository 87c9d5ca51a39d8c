//! What kind of change a call makes, as far as somebody may want to be asked before it is made.
//!
//! The effects of a primitive tell a caller what to expect; a scope is what a person gives leave for. Every primitive is
//! in the scopes that follow from its effects unless it says otherwise in one line, so a new one is covered before
//! anybody has thought of it. Which scopes need a grant is for the configuration to say.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Effects;

/// A kind of change that a person can give leave for.
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
pub enum Scope {
    /// Changes something on this machine that another call can bring back.
    LocalWrite,
    /// Changes something on another machine that another call can bring back.
    RemoteWrite,
    /// Ends or removes something that no other call brings back.
    Destructive,
    /// Runs a command that the caller chooses.
    RunCommand,
    /// Ends what is at work: an agent, a worker.
    WorkerControl,
    /// Starts what costs money: an agent, rented machines.
    Spend,
    /// Publishes on a forge under the user's name, where others read it at once.
    ForgeWrite,
    /// Changes what a CI system runs, or runs it.
    CiConfig,
    /// Changes the configuration, which says what runs and who is asked.
    Configure,
}

impl Scope {
    /// Lists all of them, in the order in which they are shown.
    pub const ALL: &'static [Self] = &[
        Self::LocalWrite,
        Self::RemoteWrite,
        Self::Destructive,
        Self::RunCommand,
        Self::WorkerControl,
        Self::Spend,
        Self::ForgeWrite,
        Self::CiConfig,
        Self::Configure,
    ];

    /// Those that need a grant where the configuration says nothing: what cannot be undone, and what decides who is asked.
    pub const BY_DEFAULT: &'static [Self] = &[
        Self::Destructive,
        Self::ForgeWrite,
        Self::CiConfig,
        Self::Configure,
    ];

    /// The scopes of a call that changes this machine alone, in ways that another call undoes.
    pub const OF_LOCAL_CHANGES: &'static [Scoped] = &[Self::LocalWrite.always()];

    /// No scope: the call needs nobody's leave, whatever it changes.
    pub const NONE: &'static [Scoped] = &[];

    /// Returns the name as it stands in configuration and answers.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Returns what calls in it do, as the end of a sentence that begins with the call.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::LocalWrite => {
                "changes something on this machine that another call can bring back"
            }
            Self::RemoteWrite => {
                "changes something on another machine that another call can bring back"
            }
            Self::Destructive => "ends or removes something that no other call brings back",
            Self::RunCommand => "runs a command that the caller chooses",
            Self::WorkerControl => "ends what is at work, such as an agent",
            Self::Spend => "starts what costs money, such as an agent",
            Self::ForgeWrite => "publishes on a forge under the user's name",
            Self::CiConfig => "changes what a CI system runs, or runs it",
            Self::Configure => "changes the configuration, which says what runs and who is asked",
        }
    }

    /// Says that every call of a primitive is in it.
    pub const fn always(self) -> Scoped {
        Scoped {
            scope: self,
            where_given: None,
        }
    }

    /// Says that those calls of a primitive are in it that give a field: a text or list that is not empty, or `true`.
    pub const fn where_given(self, field: &'static str) -> Scoped {
        Scoped {
            scope: self,
            where_given: Some(field),
        }
    }

    /// Returns the scopes that follow from the effects of a primitive.
    pub const fn of_effects(effects: Effects) -> &'static [Scoped] {
        const REMOTE: &[Scoped] = &[Scope::RemoteWrite.always()];
        const REMOVES: &[Scoped] = &[Scope::Destructive.always()];
        const REMOVES_REMOTE: &[Scoped] =
            &[Scope::Destructive.always(), Scope::RemoteWrite.always()];
        match (effects.read_only, effects.destructive, effects.open_world) {
            (true, _, _) => Self::NONE,
            (false, false, false) => Self::OF_LOCAL_CHANGES,
            (false, false, true) => REMOTE,
            (false, true, false) => REMOVES,
            (false, true, true) => REMOVES_REMOTE,
        }
    }
}

/// A scope of a primitive, and which of its calls are in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scoped {
    /// The scope.
    pub scope: Scope,
    /// The field of the input that has to be given; nothing where every call is in it.
    pub where_given: Option<&'static str>,
}

#[cfg(test)]
mod tests {
    use super::{Effects, Scope};

    #[test]
    fn what_removes_is_destructive_unless_it_says_otherwise() {
        let scopes = |effects| -> Vec<&str> {
            let scoped = Scope::of_effects(effects).iter();
            scoped.map(|scoped| scoped.scope.name()).collect()
        };
        assert!(scopes(Effects::READS).is_empty() && scopes(Effects::READS_REMOTE).is_empty());
        assert_eq!(scopes(Effects::ENSURES), ["local_write"]);
        assert_eq!(scopes(Effects::ENSURES_REMOTE), ["remote_write"]);
        assert_eq!(scopes(Effects::REMOVES), ["destructive"]);
        assert_eq!(
            scopes(Effects::REMOVES_REMOTE),
            ["destructive", "remote_write"]
        );
    }

    #[test]
    fn every_scope_is_listed_under_its_name() {
        for scope in Scope::ALL {
            assert_eq!(serde_json::json!(scope), scope.name());
            assert!(!scope.meaning().is_empty());
        }
        assert_eq!(
            serde_json::json!(Scope::ALL).as_array().map(Vec::len),
            Some(9)
        );
    }
}
