use futures::{Stream, StreamExt as _};
use reqwest::Response;
use serde::de::DeserializeOwned;

/// The values of a server-sent event stream. It ends with the connection, for whatever reason: who
/// follows something has to ask again whether it has ended.
pub(crate) fn events<T: DeserializeOwned>(response: Response) -> impl Stream<Item = T> {
    let chunks = Box::pin(response.bytes_stream());
    let lines = Lines::default();
    futures::stream::unfold((chunks, lines), |(mut chunks, mut lines)| async move {
        loop {
            while let Some(data) = lines.next_data() {
                if let Ok(value) = serde_json::from_slice(&data) {
                    return Some((value, (chunks, lines)));
                }
            }
            match chunks.next().await {
                Some(Ok(chunk)) => lines.buffer.extend_from_slice(&chunk),
                Some(Err(_)) | None => return None,
            }
        }
    })
}

#[derive(Default)]
struct Lines {
    buffer: Vec<u8>,
    data: Vec<u8>,
}

impl Lines {
    /// The data of the next whole event.
    fn next_data(&mut self) -> Option<Vec<u8>> {
        while let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.buffer.drain(..=end).collect();
            let line = line.trim_ascii_end();
            if let Some(data) = line.strip_prefix(b"data:") {
                self.data.extend_from_slice(data.trim_ascii_start());
            } else if line.is_empty() && !self.data.is_empty() {
                return Some(std::mem::take(&mut self.data));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_whole_wherever_the_chunks_are_cut() {
        let text = b": hello\n\nevent: operation\ndata: {\"a\":1}\n\ndata:{\"b\":2}\r\n\r\n";
        for cut in 0..text.len() {
            let mut lines = Lines::default();
            let mut seen = Vec::new();
            for part in [&text[..cut], &text[cut..]] {
                lines.buffer.extend_from_slice(part);
                while let Some(data) = lines.next_data() {
                    seen.push(String::from_utf8(data).expect("text"));
                }
            }
            assert_eq!(seen, [r#"{"a":1}"#, r#"{"b":2}"#], "cut at {cut}");
        }
    }
}
