//! A script as pieces: what stands in the user's file, and what stands there in the place of a variable.

/// A piece of a script. It ends where the next one begins; the last one is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) kind: PieceKind,
    /// Where it begins in the script.
    pub(crate) at: usize,
    /// Where it begins in the user's file.
    pub(crate) origin: usize,
}

/// Where a piece comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PieceKind {
    /// The user's file, as it is.
    Text,
    /// The value of a variable, or what `$${` stands for.
    Value,
    /// A reference to a secret, which the runner puts in.
    Secret,
}

impl PieceKind {
    /// As the file for the runner has it.
    pub(crate) const fn letter(self) -> char {
        match self {
            Self::Text => 't',
            Self::Value => 'v',
            Self::Secret => 's',
        }
    }
}

/// Where this byte of the script stood in the user's file. All of a value stands where its variable begins.
pub(crate) fn origin(pieces: &[Piece], offset: usize) -> usize {
    let after = pieces.partition_point(|piece| piece.at <= offset);
    let Some(piece) = after.checked_sub(1).and_then(|last| pieces.get(last)) else {
        return offset;
    };
    match piece.kind {
        PieceKind::Text => piece.origin + (offset - piece.at),
        PieceKind::Value | PieceKind::Secret => piece.origin,
    }
}
