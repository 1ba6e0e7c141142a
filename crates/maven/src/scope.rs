use std::fmt;

use serde::Serialize;

/// Where a dependency is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// To compile and to run.
    Compile,
    /// To run.
    Runtime,
    /// To compile; whoever runs it brings it.
    Provided,
    /// To test.
    Test,
    /// A file of the machine.
    System,
    /// None that Maven knows; it is in no class path.
    Other,
}

impl Scope {
    pub(crate) fn parse(text: &str) -> Self {
        match text {
            "" | "compile" => Self::Compile,
            "runtime" => Self::Runtime,
            "provided" => Self::Provided,
            "test" => Self::Test,
            "system" => Self::System,
            _ => Self::Other,
        }
    }

    /// The scope of a dependency of this scope below something of scope `parent`; none at the root.
    pub(crate) fn below(self, parent: Option<Self>) -> Self {
        match (parent, self) {
            (_, Self::System | Self::Test) | (None | Some(Self::Compile), _) => self,
            (Some(parent @ (Self::Test | Self::Runtime)), _) => parent,
            (Some(Self::System | Self::Provided), _) => Self::Provided,
            (Some(Self::Other), _) => Self::Runtime,
        }
    }

    /// The widest of those that are wanted; a file of the machine gives way.
    pub(crate) fn widest(scopes: &[Self]) -> Self {
        const ORDER: [Scope; 4] = [Scope::Compile, Scope::Runtime, Scope::Provided, Scope::Test];
        match scopes {
            [only] => *only,
            _ => ORDER.into_iter().find(|one| scopes.contains(one)).unwrap_or(Self::Other),
        }
    }

    /// Whether it is needed at run time.
    pub const fn is_runtime(self) -> bool {
        matches!(self, Self::Compile | Self::Runtime)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Compile => "compile",
            Self::Runtime => "runtime",
            Self::Provided => "provided",
            Self::Test => "test",
            Self::System => "system",
            Self::Other => "other",
        })
    }
}
