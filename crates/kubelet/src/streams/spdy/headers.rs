//! Header blocks: names and values with their lengths, compressed with the dictionary of the protocol, one compressed
//! stream in each direction for the whole connection.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::frame::Error;

/// The first part of the dictionary, each with its length before it.
const WORDS: &str = "options head post put delete trace accept accept-charset accept-encoding accept-language \
    accept-ranges age allow authorization cache-control connection content-base content-encoding content-language \
    content-length content-location content-md5 content-range content-type date etag expect expires from host if-match \
    if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma \
    proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade \
    user-agent vary via warning www-authenticate method get status 200_OK version HTTP/1.1 url public set-cookie \
    keep-alive origin";
/// The second part, as it stands.
const TEXT: &str = "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505\
    203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden\
    404 Not Found500 Internal Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug \
    Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,\
    application/xml,application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdch\
    charset=utf-8charset=iso-8859-1,utf-,*,enq=0.";
/// Most bytes of the headers of one stream.
const LONGEST: usize = 64 * 1024;

fn dictionary() -> Vec<u8> {
    let mut bytes = Vec::new();
    for word in WORDS.split(' ') {
        put(&mut bytes, word.replace('_', " ").as_bytes());
    }
    bytes.extend_from_slice(TEXT.as_bytes());
    bytes
}

fn put(bytes: &mut Vec<u8>, text: &[u8]) {
    // Nothing that is written comes near to 4 GiB.
    bytes.extend(u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes());
    bytes.extend_from_slice(text);
}

/// Names in lower case, with their values.
pub(crate) type Headers = Vec<(String, String)>;

/// Reads the client's blocks.
pub(super) struct Reader(Decompress);

impl Reader {
    pub(super) fn new() -> Self {
        Self(Decompress::new(true))
    }

    pub(super) fn read(&mut self, block: &[u8]) -> Result<Headers, Error> {
        parse(&self.inflate(block)?)
    }

    fn inflate(&mut self, block: &[u8]) -> Result<Vec<u8>, Error> {
        let mut text = Vec::new();
        let mut rest = block;
        let mut buffer = vec![0; 4096];
        loop {
            let (read, written) = (self.0.total_in(), self.0.total_out());
            let result = self.0.decompress(rest, &mut buffer, FlushDecompress::Sync);
            let used = usize::try_from(self.0.total_in() - read).unwrap_or_default();
            let got = usize::try_from(self.0.total_out() - written).unwrap_or_default();
            rest = rest.get(used..).unwrap_or_default();
            text.extend_from_slice(&buffer[..got]);
            if text.len() > LONGEST {
                return Err(Error::Headers("they are longer than 64 KiB"));
            }
            match result {
                Ok(Status::StreamEnd) => return Err(Error::Headers("the compressed stream ended")),
                Ok(_) if rest.is_empty() && got < buffer.len() => return Ok(text),
                Ok(_) if used == 0 && got == 0 => {
                    return Err(Error::Headers("the compressed stream stands still"));
                }
                Ok(_) => {}
                Err(error) if error.needs_dictionary().is_some() => {
                    let set = self.0.set_dictionary(&dictionary());
                    set.map_err(|_| Error::Headers("the dictionary is another one"))?;
                }
                Err(_) => return Err(Error::Headers("they are not compressed as they should be")),
            }
        }
    }
}

fn parse(text: &[u8]) -> Result<Headers, Error> {
    let mut rest = text;
    let mut count = number(&mut rest)?;
    let mut headers = Headers::new();
    // The text is bounded, so the count is too: each header takes eight bytes of it.
    while count > 0 {
        let (name, value) = (take(&mut rest)?, take(&mut rest)?);
        headers.push((name.to_lowercase(), value));
        count -= 1;
    }
    Ok(headers)
}

fn number(rest: &mut &[u8]) -> Result<u32, Error> {
    let (first, after) =
        rest.split_first_chunk::<4>().ok_or(Error::Headers("a length is missing"))?;
    *rest = after;
    Ok(u32::from_be_bytes(*first))
}

fn take(rest: &mut &[u8]) -> Result<String, Error> {
    let length = usize::try_from(number(rest)?).unwrap_or(usize::MAX);
    let (text, after) =
        rest.split_at_checked(length).ok_or(Error::Headers("a text is shorter than its length"))?;
    *rest = after;
    String::from_utf8(text.to_vec()).map_err(|_| Error::Headers("a text is not UTF-8"))
}

/// Writes the server's blocks.
pub(super) struct Writer(Compress);

impl Writer {
    pub(super) fn new() -> Self {
        let mut compress = Compress::new(Compression::fast(), true);
        // A dictionary is refused only once something was compressed.
        let _ = compress.set_dictionary(&dictionary());
        Self(compress)
    }

    pub(super) fn write(&mut self, headers: &[(&str, &str)]) -> Vec<u8> {
        let mut text = Vec::new();
        text.extend(u32::try_from(headers.len()).unwrap_or(u32::MAX).to_be_bytes());
        for (name, value) in headers {
            put(&mut text, name.as_bytes());
            put(&mut text, value.as_bytes());
        }
        let mut block = Vec::with_capacity(text.len() + 128);
        // In memory, with room for all of it even uncompressed, this cannot fail.
        let _ = self.0.compress_vec(&text, &mut block, FlushCompress::Sync);
        block
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::Index};

    use super::*;

    #[test]
    fn the_dictionary_is_the_one_of_the_protocol() {
        assert_eq!(dictionary().len(), 1423);
        assert_eq!(
            Compress::new(Compression::fast(), true).set_dictionary(&dictionary()).unwrap(),
            0xe3c6_a7c2
        );
    }

    #[test]
    fn blocks_of_one_connection_read_back_in_order() {
        let (mut writer, mut reader) = (Writer::new(), Reader::new());
        let long = "x".repeat(10_000);
        for headers in [
            vec![("streamType", "error")],
            vec![("streamType", "data"), ("port", "80")],
            vec![("a", &long)],
            vec![],
        ] {
            let read = reader.read(&writer.write(&headers)).unwrap();
            let expected: Headers = headers
                .iter()
                .map(|(name, value)| (name.to_lowercase(), (*value).to_owned()))
                .collect();
            assert_eq!(read, expected);
        }
    }

    #[test]
    fn blocks_of_hostile_clients_are_errors() {
        let bomb = Writer::new().write(&[("a", &"0".repeat(1 << 20))]);
        let mut lies = Compress::new(Compression::fast(), true);
        lies.set_dictionary(&dictionary()).unwrap();
        let mut many = Vec::with_capacity(200);
        lies.compress_vec(&[255, 255, 255, 255, 0, 0, 0, 9], &mut many, FlushCompress::Sync)
            .unwrap();
        let mut other = Compress::new(Compression::fast(), true);
        other.set_dictionary(b"another dictionary").unwrap();
        let mut foreign = Vec::with_capacity(200);
        other.compress_vec(&[0; 4], &mut foreign, FlushCompress::Sync).unwrap();
        for block in [bomb, many, foreign, vec![0; 20], vec![0x78, 0x9c], vec![]] {
            assert!(matches!(Reader::new().read(&block), Err(Error::Headers(_))), "{block:?}");
        }
    }

    proptest! {
        #[test]
        fn no_block_makes_the_reader_fail(
            value in "[ -~]{0,200}",
            damage in vec((any::<Index>(), any::<u8>()), 0..4),
            more in vec(any::<u8>(), 0..40),
        ) {
            let mut block = Writer::new().write(&[("streamType", &value)]);
            for (at, byte) in damage {
                let at = at.index(block.len());
                block[at] = byte;
            }
            let mut reader = Reader::new();
            for block in [block, more] {
                let _ = reader.read(&block);
            }
        }
    }
}
