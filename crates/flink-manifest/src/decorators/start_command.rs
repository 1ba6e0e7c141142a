//! What the main container runs.

use crate::{
    Error,
    feature::{DOCKER_ENTRY_POINT_WORD, ENTRY_POINT_ARGUMENTS, SHELL_COMMAND},
    render::Render,
};

use super::start_line;

const SCRIPT: &str = "kubernetes-jobmanager.sh";

pub(super) fn decorate(render: &mut Render<'_>) -> Result<(), Error> {
    let command = render.text_or_empty("kubernetes.entry.path")?;
    let arguments = if render.has(SHELL_COMMAND) {
        vec!["bash".to_owned(), "-c".to_owned(), script(render)?]
    } else if render.has(DOCKER_ENTRY_POINT_WORD) {
        vec!["native-k8s".to_owned(), start_line::build(render)?]
    } else {
        vec!["/bin/bash".to_owned(), "-c".to_owned(), start_line::build(render)?]
    };
    render.pod.main.command = Some(vec![command]);
    render.pod.main.args = Some(arguments);
    Ok(())
}

/// Since 1.16 the arguments follow a blank even when there are none.
fn script(render: &Render<'_>) -> Result<String, Error> {
    let mut line = format!("{SCRIPT} {}", render.spec.mode.target());
    if render.has(ENTRY_POINT_ARGUMENTS) {
        line.push(' ');
        line.push_str(&render.text_or_empty("kubernetes.jobmanager.entrypoint.args")?);
    }
    Ok(line)
}
