/// A path as it can be compared: Flink writes `file:/a` and `file:///a`, with and without a slash at the
/// end, and means the directory where the file `_metadata` in it is named.
pub fn plain_path(path: &str) -> String {
    let path = path.trim_end_matches('/');
    let path = path.strip_suffix("/_metadata").unwrap_or(path).trim_end_matches('/');
    match path.strip_prefix("file:") {
        Some(rest) => format!("/{}", rest.trim_start_matches('/')),
        None => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ways_to_write_one_place_are_one() {
        for path in ["file:/a/b", "file:///a/b", "/a/b", "/a/b/", "file:///a/b/_metadata"] {
            assert_eq!(plain_path(path), "/a/b", "{path}");
        }
        assert_eq!(plain_path("s3://bucket/a/"), "s3://bucket/a");
    }
}
