//! Which events are told about. Pure.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Pod, PodStatus};

use super::{
    decide::{Action, comes_back},
    state::{Event, State},
    status,
};
use crate::events::Note;

/// Whether the container of this name is an init container.
pub(super) fn is_init(pod: &Pod, name: &str) -> bool {
    let init = pod.spec.as_ref().and_then(|spec| spec.init_containers.as_ref());
    init.into_iter().flatten().any(|container| container.name == name)
}

/// What is said when an action begins.
pub(super) fn action(pod: &Pod, action: &Action) -> Option<Note> {
    match action {
        Action::Terminate(name) | Action::Kill(name) => {
            let note = Note::normal("Killing", format!("Stopping container {name}"));
            (!matches!(action, Action::Kill(_))).then(|| note.about(name, is_init(pod, name)))
        }
        _ => None,
    }
}

/// The containers, with their images, that wait before the image is asked for again.
#[derive(Debug, Default)]
pub(super) struct PullPauses(BTreeMap<String, String>);

impl PullPauses {
    /// What is said of the pauses that have begun.
    pub(super) fn follow(&mut self, pod: &Pod, status: &PodStatus) -> Vec<Note> {
        let now: BTreeMap<String, String> = status::pausing_pulls(status)
            .map(|one| (one.name.clone(), one.image.clone()))
            .collect();
        let begun = now.iter().filter(|(name, _)| !self.0.contains_key(*name));
        let notes = begun.flat_map(|(name, image)| {
            let pause = Note::normal("BackOff", format!("Back-off pulling image {image:?}"));
            let failed = Note::warning("Failed", "Error: ImagePullBackOff".to_owned());
            [pause, failed].map(|note| note.about(name, is_init(pod, name)))
        });
        let notes = notes.collect();
        self.0 = now;
        notes
    }
}

/// What is said about what happened; `state` is the one before it.
pub(super) fn event(pod: &Pod, state: &State, event: &Event) -> Option<Note> {
    let about = |name: &str, note: Note| Some(note.about(name, is_init(pod, name)));
    match event {
        Event::VolumesFailed(message) => Some(Note::warning("FailedMount", message.clone())),
        Event::SandboxFailed(message) => Some(Note::warning(
            "FailedCreatePodSandBox",
            format!("Failed to create pod sandbox: {message}"),
        )),
        Event::ImageFailed(name, reason, _) => {
            about(name, Note::warning("Failed", format!("Error: {reason}")))
        }
        Event::Started(name, _) => {
            about(name, Note::normal("Started", format!("Started container {name}")))
        }
        Event::Refused(name, _, message) => {
            about(name, Note::warning("Failed", format!("Error: {message}")))
        }
        Event::Exited(name, ended) => {
            if ended.reason == "StartError" {
                let message = ended.message.clone().unwrap_or_default();
                return about(name, Note::warning("Failed", format!("Error: {message}")));
            }
            let again = comes_back(pod, name, ended.exit_code);
            let pauses = state.containers.get(name).is_some_and(|container| container.crashes >= 1);
            if !again || !pauses || state.stopping.is_some() {
                return None;
            }
            let metadata = &pod.metadata;
            let text = |value: &Option<String>| value.clone().unwrap_or_default();
            let message = format!(
                "Back-off restarting failed container {name} in pod {}_{}({})",
                text(&metadata.name),
                text(&metadata.namespace),
                text(&metadata.uid)
            );
            about(name, Note::warning("BackOff", message))
        }
        Event::VolumesReady
        | Event::SandboxReady(_)
        | Event::SandboxReleased
        | Event::ImageReady(..)
        | Event::StartupPassed(_)
        | Event::Readiness(..)
        | Event::Condemned(..)
        | Event::Signalled(_) => None,
    }
}
