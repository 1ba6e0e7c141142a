//! What an index says of a project: PEP 691 (JSON), and PEP 503 (HTML) where it has nothing better.

use flumen_model::Digest;
use pep440_rs::VersionSpecifiers;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::html;

/// A file of a project.
#[derive(Debug, Clone)]
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) url: Url,
    pub(crate) sha256: Option<Digest>,
    pub(crate) requires_python: Option<VersionSpecifiers>,
    pub(crate) is_yanked: bool,
    pub(crate) metadata: Metadata,
}

/// Whether the metadata of a wheel can be had without the wheel, as PEP 658 has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Metadata {
    InWheel,
    Beside { sha256: Option<Digest> },
}

#[derive(Deserialize)]
struct Document {
    files: Vec<FileEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct FileEntry {
    filename: String,
    url: String,
    #[serde(default)]
    hashes: Value,
    #[serde(default)]
    requires_python: Option<String>,
    #[serde(default)]
    yanked: Value,
    #[serde(default)]
    core_metadata: Value,
    #[serde(default)]
    dist_info_metadata: Value,
}

/// The files in a JSON answer that came from `page`.
pub(crate) fn from_json(text: &[u8], page: &Url) -> Result<Vec<File>, String> {
    let document: Document = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    let mut files = Vec::with_capacity(document.files.len());
    for entry in document.files {
        let Some(url) = address(&entry.url, page) else { continue };
        let beside = [&entry.core_metadata, &entry.dist_info_metadata];
        let metadata = beside.into_iter().find_map(|value| match value {
            Value::Bool(true) => Some(Metadata::Beside { sha256: None }),
            Value::Object(hashes) => Some(Metadata::Beside {
                sha256: sha256(hashes.get("sha256").and_then(Value::as_str)),
            }),
            _ => None,
        });
        files.push(File {
            name: entry.filename,
            url,
            sha256: sha256(entry.hashes.get("sha256").and_then(Value::as_str)),
            requires_python: specifiers(entry.requires_python.as_deref()),
            is_yanked: !matches!(entry.yanked, Value::Null | Value::Bool(false)),
            metadata: metadata.unwrap_or(Metadata::InWheel),
        });
    }
    Ok(files)
}

/// The files in an HTML answer that came from `page`.
pub(crate) fn from_html(text: &str, page: &Url) -> Vec<File> {
    let mut files = Vec::new();
    for anchor in html::anchors(text) {
        let Some(mut url) = anchor.get("href").and_then(|href| address(href, page)) else {
            continue;
        };
        let fragment = url.fragment().map(str::to_owned);
        url.set_fragment(None);
        let Some(name) = url.path_segments().and_then(|mut path| path.next_back()) else {
            continue;
        };
        let metadata = ["data-core-metadata", "data-dist-info-metadata"];
        let metadata = metadata
            .into_iter()
            .find_map(|key| anchor.get(key))
            .map(|value| Metadata::Beside { sha256: sha256(value.strip_prefix("sha256=")) });
        files.push(File {
            name: html::percent_decoded(name),
            sha256: sha256(fragment.as_deref().and_then(|it| it.strip_prefix("sha256="))),
            requires_python: specifiers(anchor.get("data-requires-python").map(String::as_str)),
            is_yanked: anchor.contains_key("data-yanked"),
            metadata: metadata.unwrap_or(Metadata::InWheel),
            url,
        });
    }
    files
}

/// Where a file lies: nowhere less safe than the page that names it.
fn address(text: &str, page: &Url) -> Option<Url> {
    let url = page.join(text).ok()?;
    let is_safe = url.scheme() == "https" || (url.scheme() == "http" && page.scheme() == "http");
    is_safe.then_some(url)
}

fn sha256(hex: Option<&str>) -> Option<Digest> {
    format!("sha256:{}", hex?.to_ascii_lowercase()).parse().ok()
}

/// What cannot be read says nothing, as for pip.
fn specifiers(text: Option<&str>) -> Option<VersionSpecifiers> {
    text?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(text: &str) -> Url {
        Url::parse(text).expect("an address")
    }

    #[test]
    fn json_and_html_say_the_same() {
        let hash = "ab".repeat(32);
        let json = format!(
            r#"{{"meta":{{"api-version":"1.1"}},"name":"a","files":[
            {{"filename":"a-1-py3-none-any.whl","url":"../../files/a-1-py3-none-any.whl","hashes":{{"sha256":"{hash}"}},
              "requires-python":">=3.8","yanked":"bad","core-metadata":{{"sha256":"{hash}"}}}},
            {{"filename":"a-2.tar.gz","url":"https://files.example/a-2.tar.gz","hashes":{{}}}}]}}"#
        );
        let html = format!(
            "<!DOCTYPE html><html><body><!-- <a href='x'>no</a> -->\n<a href=\"../../files/a-1-py3-none-any.whl#sha256={hash}\" \
             data-requires-python=\"&gt;=3.8\" data-yanked=\"bad\" data-core-metadata=\"sha256={hash}\">a-1-py3-none-any.whl</a><br>\
             <A HREF='https://files.example/a-2.tar.gz'>a-2.tar.gz</A></body></html>"
        );
        let page = page("https://index.example/simple/a/");
        for files in [from_json(json.as_bytes(), &page).expect("valid"), from_html(&html, &page)] {
            let [wheel, source] = files.as_slice() else { panic!("{files:?}") };
            assert_eq!(wheel.name, "a-1-py3-none-any.whl");
            assert_eq!(wheel.url.as_str(), "https://index.example/files/a-1-py3-none-any.whl");
            assert_eq!(wheel.sha256.as_ref().expect("a hash").hex(), hash);
            let requires = wheel.requires_python.as_ref().expect("specifiers");
            assert!(!requires.contains(&"3.7".parse().expect("a version")));
            assert!(wheel.is_yanked && !source.is_yanked);
            assert!(matches!(&wheel.metadata, Metadata::Beside { sha256: Some(_) }));
            assert_eq!(
                (source.name.as_str(), &source.metadata),
                ("a-2.tar.gz", &Metadata::InWheel)
            );
        }
    }

    #[test]
    fn files_that_lie_where_it_is_less_safe_are_left_out() {
        let text = r#"{"files":[{"filename":"a-1-py3-none-any.whl","url":"http://files.example/a-1-py3-none-any.whl"}]}"#;
        let of = |from| from_json(text.as_bytes(), &page(from)).expect("valid").len();
        assert_eq!(of("https://index.example/simple/a/"), 0);
        assert_eq!(of("http://index.example/simple/a/"), 1);
        assert!(from_json(b"<html>", &page("http://index.example/")).is_err());
    }
}
