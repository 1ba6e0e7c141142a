//! How far steps of operations are: in memory only, for who follows an operation. What came of a step is in the database, and
//! a server that starts anew begins to count anew.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use flumen_model::OperationId;

/// How far a step is that moves files. What is not known is none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StepProgress {
    /// Bytes that were moved.
    pub bytes: u64,
    /// Bytes that are to be moved, as far as is known by now.
    pub total_bytes: Option<u64>,
    /// Files that are there by now.
    pub files: Option<u64>,
    /// Files that are wanted.
    pub total_files: Option<u64>,
    /// Files that were there before, so that they were not moved.
    pub cached_files: Option<u64>,
}

type Key = (OperationId, &'static str);

/// The steps that say how far they are.
#[derive(Debug, Clone, Default)]
pub(crate) struct StepsUnderWay {
    steps: Arc<Mutex<HashMap<Key, StepProgress>>>,
}

impl StepsUnderWay {
    /// A step that is about to say how far it is.
    pub(crate) fn begin(&self, operation: OperationId, step: &'static str) -> Telling {
        Telling { all: self.clone(), key: (operation, step) }
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<Key, StepProgress>> {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of(&self, operation: OperationId, step: &str) -> Option<StepProgress> {
        let steps = self.locked();
        let found = steps.iter().find(|((id, name), _)| *id == operation && *name == step);
        found.map(|(_, progress)| *progress)
    }
}

/// Says how far a step is until it is dropped.
#[derive(Debug)]
pub(crate) struct Telling {
    all: StepsUnderWay,
    key: Key,
}

impl Telling {
    pub(crate) fn say(&self, progress: StepProgress) {
        self.all.locked().insert(self.key, progress);
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        self.all.locked().remove(&self.key);
    }
}

/// Has the bytes of an image told that is pushed for a step of an operation.
pub(crate) fn of_image(telling: Option<Telling>) -> flumen_image::Progress {
    let Some(telling) = telling else { return flumen_image::Progress::silent() };
    flumen_image::Progress::new(move |bytes, total| {
        telling.say(StepProgress { bytes, total_bytes: Some(total), ..StepProgress::default() });
    })
}

impl crate::Control {
    /// How far a step of an operation is, if it is carried out by this server and moves files.
    pub fn step_progress(&self, operation: OperationId, step: &str) -> Option<StepProgress> {
        self.steps_under_way().of(operation, step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity;

    #[test]
    fn a_step_is_known_while_it_is_told_about() {
        let (steps, operation) = (StepsUnderWay::default(), identity::operation());
        let telling = steps.begin(operation, "push-image");
        assert_eq!(steps.of(operation, "push-image"), None, "nothing is said yet");
        let progress = StepProgress { bytes: 7, ..StepProgress::default() };
        telling.say(progress);
        assert_eq!(steps.of(operation, "push-image"), Some(progress));
        assert_eq!(steps.of(operation, "make-layers"), None);
        assert_eq!(steps.of(identity::operation(), "push-image"), None);
        drop(telling);
        assert_eq!(steps.of(operation, "push-image"), None);
    }
}
