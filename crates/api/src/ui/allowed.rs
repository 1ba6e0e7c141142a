use axum::http::Method;
use percent_encoding::percent_decode_str;

/// Whether the web UI may do this. It looks; what changes a job goes through Flumen, which would not
/// know of it otherwise. Flink has old addresses that cancel or stop by GET. Profiling is asked for by
/// POST and changes nothing.
pub(super) fn is_allowed(method: &Method, path: &str) -> bool {
    // Flink decodes each part of the path, once.
    let path = percent_decode_str(path).decode_utf8_lossy();
    if path.contains('%') || path.split('/').any(|part| matches!(part, "." | "..")) {
        return false;
    }
    let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    match *method {
        Method::GET | Method::HEAD => !matches!(last, "yarn-cancel" | "yarn-stop"),
        Method::POST => last == "profiler",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ui_looks_and_does_not_touch() {
        assert!(is_allowed(&Method::GET, "/jobs/overview"));
        assert!(is_allowed(&Method::GET, "/taskmanagers/a/logs/my%20log.out"));
        assert!(is_allowed(&Method::POST, "/taskmanagers/a/profiler"));
        for (method, path) in [
            (Method::PATCH, "/jobs/0123"),
            (Method::GET, "/jobs/0123/yarn-cancel"),
            (Method::GET, "/jobs/0123/yarn-stop/"),
            (Method::GET, "/jobs/0123/%79arn-cancel"),
            (Method::GET, "/jobs/0123%2Fyarn-cancel"),
            (Method::GET, "/jobs/0123/%2579arn-cancel"),
            (Method::GET, "/jobs/0123/yarn-cancel/%2e"),
            (Method::GET, "/jobs/0123/yarn-cancel/x/.."),
            (Method::POST, "/jars/upload"),
            (Method::DELETE, "/cluster"),
        ] {
            assert!(!is_allowed(&method, path), "{method} {path}");
        }
    }
}
