use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;

use crate::settings::{LogFilter, LogFormat, Settings};

/// What libraries say of things that are no trouble, or that we say better.
const QUIET: [(&str, &str); 3] = [
    // An error for each answer with status 500 and more. Whoever asked gets the error as well, and knows what
    // it means: a JobManager that starts is answered for with 503 until it listens.
    ("kube_client", "kube_client::client::builder=off"),
    // An error for each certificate from an authority that is not known. Whoever asked gets it as well.
    ("rustls", "rustls_platform_verifier=off"),
    // A warning for each client in Java that closes its connection in time.
    ("rustls", "rustls::common_state=error"),
];

/// Logs to standard error from here on.
pub(crate) fn start(settings: &Settings) {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter(&settings.log))
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr);
    // A second start, which only a test could make, keeps the first.
    let _ = match settings.log_format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
}

/// What is asked for, without what others say better; who asks for that by its name gets it.
fn filter(LogFilter(asked): &LogFilter) -> EnvFilter {
    let quiet = QUIET.iter().filter(|(library, _)| !asked.contains(library));
    let directives: Vec<&str> =
        std::iter::once(asked.as_str()).chain(quiet.map(|(_, directive)| *directive)).collect();
    EnvFilter::builder().parse_lossy(directives.join(","))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("not poisoned").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(asked: &str) -> String {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter(filter(&LogFilter(asked.to_owned())))
            .with_ansi(false)
            .without_time()
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            tracing::error!(target: "kube_client::client::builder", "failed with status 503");
            tracing::warn!(target: "kube_client::config", "overriding cluster URL");
            tracing::error!("ours");
        });
        let bytes = log.0.lock().expect("not poisoned").clone();
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn an_error_of_a_request_is_said_once_by_whoever_asked() {
        let said = logged("info");
        assert!(!said.contains("503"), "{said}");
        assert!(said.contains("overriding") && said.contains("ours"), "{said}");
    }

    #[test]
    fn who_asks_for_the_library_by_name_hears_it() {
        assert!(logged("info,kube_client=error").contains("503"));
    }
}
