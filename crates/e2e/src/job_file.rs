//! What the job files have in common: what their pods see of the node.

use std::{fmt::Write as _, path::Path};

/// Where the container of a job finds the Secret of [`Pods::secret`].
pub(crate) const SECRET: &str = "/secret";

/// What the pods of a job have beside Flink.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Pods<'a> {
    /// A directory of the node that they read at `/data/input`.
    pub(crate) input: Option<&'a Path>,
    /// A directory of the node that they write at `/data/output`; it is made if it is missing.
    pub(crate) output: Option<&'a Path>,
    /// A Secret whose entries are files in [`SECRET`].
    pub(crate) secret: Option<&'a str>,
    /// An environment variable.
    pub(crate) variable: Option<(&'a str, &'a str)>,
}

impl<'a> Pods<'a> {
    /// Pods that read one directory of the node and write another.
    pub(crate) fn new((input, output): (&'a Path, &'a Path)) -> Self {
        Self { input: Some(input), output: Some(output), ..Self::default() }
    }

    /// The key `podTemplates` of a job file.
    pub(crate) fn templates(&self) -> String {
        let (mut variables, mut mounts, mut volumes) =
            (String::new(), String::new(), String::new());
        let mut volume = |name: &str, place: &str, source: String| {
            let _ = write!(mounts, "\n            - {{name: {name}, {place}}}");
            let _ = write!(volumes, "\n        - {{name: {name}, {source}}}");
        };
        if let Some(input) = self.input {
            let source = format!("hostPath: {{path: {}, type: Directory}}", input.display());
            volume("input", "mountPath: /data/input, readOnly: true", source);
        }
        if let Some(output) = self.output {
            let path = output.display();
            let source = format!("hostPath: {{path: {path}, type: DirectoryOrCreate}}");
            volume("output", "mountPath: /data/output", source);
        }
        if let Some(secret) = self.secret {
            let place = format!("mountPath: {SECRET}, readOnly: true");
            volume("secret", &place, format!("secret: {{secretName: {secret}}}"));
        }
        if let Some((name, value)) = self.variable {
            let _ = write!(
                variables,
                "\n          env:\n            - {{name: {name}, value: {value}}}"
            );
        }
        format!(
            "podTemplates:
  common:
    spec:
      containers:
        - name: flink-main-container{variables}
          volumeMounts:{mounts}
      volumes:{volumes}
"
        )
    }
}
