//! A tiny image whose programs are the host's.

use std::fmt::Write as _;
use std::net::SocketAddr;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

fn digest(content: &[u8]) -> String {
    let mut text = "sha256:".to_owned();
    for byte in Sha256::digest(content) {
        write!(text, "{byte:02x}").expect("text");
    }
    text
}

/// One layer with directories that the host does not lend.
fn layer() -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, mode) in [("tmp/", 0o1777), ("etc/", 0o755), ("work/", 0o755)] {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Directory);
        header.set_mode(mode);
        header.set_size(0);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        archive.append_data(&mut header, path, std::io::empty()).expect("entry");
    }
    archive.into_inner().expect("archive")
}

/// Pushes `shell:1`.
pub(crate) async fn push(registry: SocketAddr) {
    let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    let layer = layer();
    let config = json!({
        "architecture": architecture,
        "os": "linux",
        "config": {
            "Cmd": ["/bin/sh"],
            "Env": ["PATH=/usr/local/bin:/usr/bin:/bin", "COLOUR=green"],
            "WorkingDir": "/work",
            "Labels": {"dev.flumen.local.host-directories": "/usr,/bin,/sbin,/lib,/lib64,/etc/alternatives"},
        },
        "rootfs": {"type": "layers", "diff_ids": [digest(&layer)]},
    });
    let config = config.to_string().into_bytes();
    let descriptor = |kind: &str, content: &[u8]| -> Value {
        json!({"mediaType": kind, "digest": digest(content), "size": content.len()})
    };
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": descriptor("application/vnd.oci.image.config.v1+json", &config),
        "layers": [descriptor("application/vnd.oci.image.layer.v1.tar", &layer)],
    });
    let client = reqwest::Client::new();
    for content in [layer, config] {
        let address =
            format!("http://{registry}/v2/shell/blobs/uploads/?digest={}", digest(&content));
        let answer = client
            .post(address)
            .header("content-type", "application/octet-stream")
            .body(content)
            .send()
            .await
            .expect("pushed");
        assert_eq!(answer.status(), 201, "{answer:?}");
    }
    let answer = client
        .put(format!("http://{registry}/v2/shell/manifests/1"))
        .header("content-type", "application/vnd.oci.image.manifest.v1+json")
        .body(manifest.to_string())
        .send()
        .await
        .expect("pushed");
    assert_eq!(answer.status(), 201, "{answer:?}");
}
