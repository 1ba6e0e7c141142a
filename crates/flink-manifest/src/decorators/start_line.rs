//! The whole command line of the JobManager's JVM, which the client of 1.11 and 1.12 puts together
//! from a template.

use flumen_flink_conf::job_manager_memory;

use super::flink_configuration::logging_files;
use crate::{
    Error,
    feature::{CONSOLE_LOGGING_FILES, DOCKER_ENTRY_POINT_WORD},
    keys,
    render::Render,
};

pub(super) fn build(render: &Render<'_>) -> Result<String, Error> {
    let memory = job_manager_memory(&render.configuration)?;
    let log_directory = render.text_or_empty(keys::LOG_DIRECTORY)?;
    let log = format!("{log_directory}/jobmanager");
    let arguments = if render.has(DOCKER_ENTRY_POINT_WORD) {
        memory.dynamic_parameters()
    } else {
        String::new()
    };
    let values = [
        ("%java%", "$JAVA_HOME/bin/java".to_owned()),
        ("%classpath%", "-classpath $FLINK_CLASSPATH".to_owned()),
        ("%jvmmem%", memory.jvm_flags()),
        ("%jvmopts%", java_options(render)?),
        ("%logging%", logging(render, &log)?),
        ("%class%", render.text_or_empty(keys::ENTRY_CLASS)?),
        ("%args%", arguments),
        ("%redirects%", format!("1> {log}.out 2> {log}.err")),
    ];
    let template = render.text_or_empty("kubernetes.container-start-command-template")?;
    let replace = |line: String, (placeholder, value): &(&str, String)| {
        line.replace(placeholder, value).replace("  ", " ").trim().to_owned()
    };
    Ok(values.iter().fold(template, replace))
}

fn java_options(render: &Render<'_>) -> Result<String, Error> {
    let common = render.text_or_empty(keys::JAVA_OPTIONS.key(render.minor()))?;
    let own = render.text("env.java.opts.jobmanager")?;
    Ok(own.map_or(common.clone(), |own| format!("{common} {own}")))
}

fn logging(render: &Render<'_>, log: &str) -> Result<String, Error> {
    let directory = render.text_or_empty(keys::CONFIG_DIRECTORY)?;
    let mut line = format!("-Dlog.file={log}.log");
    let files: Vec<_> = logging_files(render).collect();
    if files.is_empty() {
        return Ok(String::new());
    }
    for (name, _) in files {
        let file = format!("file:{directory}/{name}");
        let options = if name.starts_with("logback") {
            format!(" -Dlogback.configurationFile={file}")
        } else if render.has(CONSOLE_LOGGING_FILES) {
            format!(" -Dlog4j.configuration={file} -Dlog4j.configurationFile={file}")
        } else {
            format!(" -Dlog4j.configurationFile={file}")
        };
        line.push_str(&options);
    }
    Ok(line)
}
