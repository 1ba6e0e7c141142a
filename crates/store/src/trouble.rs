use std::path::Path;

/// What is wrong with the database as a whole, where somebody can do something about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The disk has no room.
    Full,
    /// The file may be read only.
    ReadOnly,
    /// Someone else writes, for longer than is waited.
    Locked,
    /// The file cannot be opened, read or written.
    Unusable,
    /// What is in the file is no database, or a broken one.
    Damaged,
}

impl Trouble {
    /// By SQLite's primary result code, see <https://www.sqlite.org/rescode.html>.
    pub(crate) fn of(error: &sqlx::Error) -> Option<Self> {
        let error = match error {
            sqlx::Error::Database(error) => error,
            // Only writers are as few as that.
            sqlx::Error::PoolTimedOut => return Some(Self::Locked),
            _ => return None,
        };
        let code: i32 = error.code()?.parse().ok()?;
        match code & 0xff {
            5 | 6 => Some(Self::Locked),
            8 => Some(Self::ReadOnly),
            10 | 14 => Some(Self::Unusable),
            11 | 26 => Some(Self::Damaged),
            13 => Some(Self::Full),
            _ => None,
        }
    }

    /// Why, behind what was tried.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Full => "the disk is full",
            Self::ReadOnly => "it is read-only",
            Self::Locked => "another program holds its write lock",
            Self::Unusable => "its file cannot be opened, read or written",
            Self::Damaged => "its file is damaged, or no database",
        }
    }

    /// What to do, in whole sentences.
    pub(crate) fn advice(self, file: &Path) -> String {
        let directory = file.parent().unwrap_or(file).display();
        let file = file.display();
        match self {
            Self::Full => format!(
                "Make room: `df -h {directory}` shows the disk. Jobs that run go on, and so does what is underway, once there is room."
            ),
            Self::ReadOnly => format!(
                "Let the server write to `{file}` and into its directory; `findmnt -T {directory}` says whether the disk is mounted read-only. Then start the server again. Jobs that run go on."
            ),
            Self::Locked => format!(
                "Ask again; if it stays so, `fuser -v {file}` names who has the database open. Jobs that run go on, and so does what is underway, once it is free."
            ),
            Self::Unusable => format!(
                "See whether `{directory}` is there and its disk healthy: `dmesg` tells of its errors. Jobs that run go on, and so does what is underway, once the file can be used."
            ),
            Self::Damaged => format!(
                "Stop the server, keep a copy of `{file}` and of the files beside it, and put a backup in its place. Jobs that run go on."
            ),
        }
    }
}
