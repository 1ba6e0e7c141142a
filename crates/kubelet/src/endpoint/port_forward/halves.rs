//! Streams that wait for the other one of their connection. Pure but for the clock.

use std::{collections::HashMap, time::Duration};

use tokio::time::{Instant, sleep_until};

/// Most that wait at once.
const MOST: usize = 64;
/// How long one waits, as with the real kubelet.
const LONGEST: Duration = Duration::from_secs(30);

/// What a stream is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Data,
    Error,
}

impl Kind {
    /// From the name that a client gives it.
    pub(super) fn parse(name: &str) -> Option<Self> {
        match name {
            "data" => Some(Self::Data),
            "error" => Some(Self::Error),
            _ => None,
        }
    }
}

struct Half<T> {
    kind: Kind,
    stream: T,
    until: Instant,
}

/// By the request that they belong to.
pub(super) struct Halves<T>(HashMap<String, Half<T>>);

impl<T> Default for Halves<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

/// What becomes of a stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Added<T> {
    Waits,
    Pair {
        data: T,
        error: T,
    },
    /// It is for nothing that is known, or there is one for the same already.
    Refused(T),
    TooMany,
}

impl<T> Halves<T> {
    pub(super) fn add(&mut self, request: &str, kind: Option<Kind>, stream: T) -> Added<T> {
        let Some(kind) = kind else { return Added::Refused(stream) };
        if self.0.get(request).is_some_and(|other| other.kind == kind) {
            return Added::Refused(stream);
        }
        match (kind, self.0.remove(request)) {
            (Kind::Data, Some(other)) => Added::Pair { data: stream, error: other.stream },
            (Kind::Error, Some(other)) => Added::Pair { data: other.stream, error: stream },
            (_, None) if self.0.len() >= MOST => Added::TooMany,
            (_, None) => {
                let until = Instant::now() + LONGEST;
                self.0.insert(request.to_owned(), Half { kind, stream, until });
                Added::Waits
            }
        }
    }

    /// The next one that has waited too long.
    pub(super) async fn overdue(&mut self) -> T {
        let oldest = self.0.iter().min_by_key(|(_, half)| half.until);
        if let Some((request, until)) = oldest.map(|(request, half)| (request.clone(), half.until))
        {
            sleep_until(until).await;
            if let Some(half) = self.0.remove(&request) {
                return half.stream;
            }
        }
        std::future::pending().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_of_a_request_are_a_pair_whichever_comes_first() {
        let mut halves = Halves::default();
        assert_eq!(halves.add("1", Kind::parse("data"), 1), Added::Waits);
        assert_eq!(halves.add("2", Kind::parse("error"), 2), Added::Waits);
        assert_eq!(halves.add("1", Kind::parse("data"), 3), Added::Refused(3));
        assert_eq!(halves.add("1", Kind::parse("other"), 4), Added::Refused(4));
        assert_eq!(halves.add("1", Kind::parse("error"), 5), Added::Pair { data: 1, error: 5 });
        assert_eq!(halves.add("2", Kind::parse("data"), 6), Added::Pair { data: 6, error: 2 });
        assert_eq!(halves.add("2", Kind::parse("data"), 7), Added::Waits);
    }

    #[test]
    fn only_so_many_wait() {
        let mut halves = Halves::default();
        for number in 0..MOST {
            assert_eq!(halves.add(&number.to_string(), Some(Kind::Data), number), Added::Waits);
        }
        assert_eq!(halves.add("further", Some(Kind::Data), MOST), Added::TooMany);
        let pair = Added::Pair { data: 0, error: MOST };
        assert_eq!(halves.add("0", Some(Kind::Error), MOST), pair);
    }

    #[tokio::test(start_paused = true)]
    async fn none_waits_for_ever() {
        let (mut halves, start) = (Halves::default(), Instant::now());
        halves.add("1", Some(Kind::Data), 1);
        tokio::time::advance(LONGEST / 2).await;
        halves.add("2", Some(Kind::Error), 2);
        assert_eq!((halves.overdue().await, start.elapsed().as_secs()), (1, 30));
        assert_eq!((halves.overdue().await, start.elapsed().as_secs()), (2, 45));
        assert_eq!(halves.add("1", Some(Kind::Error), 3), Added::Waits);
    }
}
