//! The steps that lead to a workspace.

/// A step on the way to a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Step {
    /// The seed clone.
    Clone,
    /// The ref turned into a commit, and the seed put on it.
    Resolve,
    /// The interpreter of environments.
    Environment,
    /// The lock of all that goes into environments, what they are made from, and that of the seed.
    Install,
    /// The profile's own command.
    Setup,
    /// The command that prepares each tree, in the seed.
    Prepare,
    /// The profile's test of it all.
    Smoke,
}

impl Step {
    /// Lists all steps in the order in which they are taken.
    pub(crate) const ALL: [Self; 7] = [
        Self::Clone,
        Self::Resolve,
        Self::Environment,
        Self::Install,
        Self::Setup,
        Self::Prepare,
        Self::Smoke,
    ];

    /// Returns its name on the host and in answers.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Clone => "clone",
            Self::Resolve => "resolve",
            Self::Environment => "environment",
            Self::Install => "install",
            Self::Setup => "setup",
            Self::Prepare => "prepare",
            Self::Smoke => "smoke",
        }
    }

    /// Finds a step by its name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.name() == name)
    }

    /// Returns the steps this one directly stands on.
    pub(crate) const fn stands_on(self) -> &'static [Self] {
        match self {
            Self::Clone | Self::Environment => &[],
            Self::Resolve => &[Self::Clone],
            Self::Install => &[Self::Resolve, Self::Environment],
            Self::Setup => &[Self::Resolve, Self::Environment, Self::Install],
            Self::Prepare => &[Self::Resolve, Self::Environment, Self::Install, Self::Setup],
            Self::Smoke => &[
                Self::Resolve,
                Self::Environment,
                Self::Install,
                Self::Setup,
                Self::Prepare,
            ],
        }
    }
}
