//! The exit status of a command. 0 is success; usage errors of the command line itself are 2 as well.

use flumen_model::Kind;

/// The command ran, and what it was to bring about failed.
pub const FAILED: u8 = 1;

/// The exit status for a failure of this kind.
pub const fn code_for(kind: Kind) -> u8 {
    match kind {
        Kind::Bug => FAILED,
        Kind::Invalid => 2,
        Kind::NotFound => 3,
        Kind::Conflict => 4,
        Kind::Denied => 5,
        Kind::Unavailable => 6,
        Kind::Timeout => 7,
    }
}
