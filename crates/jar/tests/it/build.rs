//! Jars and class files, byte by byte.

use std::io::{Cursor, Write as _};

use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

pub(crate) fn jar(entries: &[(&str, &[u8])]) -> Vec<u8> {
    write(entries, CompressionMethod::Deflated)
}

pub(crate) fn stored(entries: &[(&str, &[u8])]) -> Vec<u8> {
    write(entries, CompressionMethod::Stored)
}

fn write(entries: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        let options = SimpleFileOptions::default().compression_method(method);
        zip.start_file(*name, options).expect("an entry");
        zip.write_all(content).expect("its content");
    }
    zip.finish().expect("an archive").into_inner()
}

/// Gives an entry another name of the same length, wherever it stands.
pub(crate) fn rename(jar: &mut [u8], from: &[u8], to: &[u8]) {
    assert_eq!(from.len(), to.len());
    for at in 0..=jar.len() - from.len() {
        if &jar[at..at + from.len()] == from {
            jar[at..at + from.len()].copy_from_slice(to);
        }
    }
}

#[derive(Clone, Copy)]
pub(crate) enum Method {
    /// `public static void main(String[])`
    Main,
    /// The same, but not public.
    PrivateMain,
    /// `String factoryIdentifier() { return …; }`
    Identifier(&'static str),
    /// `String factoryIdentifier()` with other code.
    ComputedIdentifier,
}

pub(crate) fn class(name: &str, major: u16, methods: &[Method]) -> Vec<u8> {
    build(name, "java/lang/Object", major, methods)
}

pub(crate) fn below(name: &str, above: &str) -> Vec<u8> {
    build(name, above, 52, &[])
}

/// A factory with a constant identifier, by which interface Flink finds it.
pub(crate) fn factory(name: &str, interface: &str, identifier: &'static str) -> Vec<u8> {
    let interface = format!("org/apache/flink/table/factories/{interface}");
    let mut bytes = class(name, 52, &[Method::Identifier(identifier)]);
    // Two constants more, and one interface in the place of none.
    let pool = 8;
    bytes[pool..pool + 2].copy_from_slice(&16_u16.to_be_bytes());
    let end = bytes.windows(CLASS.len()).position(|found| found == CLASS).expect("its own part");
    let mut constants = Vec::new();
    utf8(&mut constants, &interface); // 14
    constants.extend([7, 0, 14]); // 15
    bytes.splice(end + 6..end + 8, [0, 1, 0, 15]);
    bytes.splice(end..end, constants);
    bytes
}

/// A class with a main method that calls this method of this class.
pub(crate) fn caller(name: &str, class: &str, method: &str) -> Vec<u8> {
    let mut bytes = self::class(name, 55, &[Method::Main]);
    let pool = 8;
    bytes[pool..pool + 2].copy_from_slice(&20_u16.to_be_bytes());
    let end = bytes.windows(CLASS.len()).position(|found| found == CLASS).expect("its own part");
    let mut constants = Vec::new();
    utf8(&mut constants, class); // 14
    constants.extend([7, 0, 14]); // 15
    utf8(&mut constants, method); // 16
    utf8(&mut constants, "()V"); // 17
    constants.extend([12, 0, 16, 0, 17]); // 18
    constants.extend([10, 0, 15, 0, 18]); // 19
    bytes.splice(end..end, constants);
    bytes
}

/// What stands between the constants and the methods: flags, this class, the one above, no interfaces, no fields.
const CLASS: [u8; 10] = [0, 0x21, 0, 2, 0, 4, 0, 0, 0, 0];

/// A class file with its constants in a fixed order; a long among them takes two places.
fn build(name: &str, above: &str, major: u16, methods: &[Method]) -> Vec<u8> {
    let text = methods.iter().find_map(|method| match method {
        Method::Identifier(text) => Some(*text),
        _ => None,
    });
    let mut bytes = vec![0xCA, 0xFE, 0xBA, 0xBE, 0, 0];
    bytes.extend(major.to_be_bytes());
    bytes.extend(14_u16.to_be_bytes());
    utf8(&mut bytes, name); // 1
    bytes.extend([7, 0, 1]); // 2
    utf8(&mut bytes, above); // 3
    bytes.extend([7, 0, 3]); // 4
    bytes.extend([5, 0, 0, 0, 0, 0, 0, 0, 1]); // 5 and 6
    utf8(&mut bytes, "main"); // 7
    utf8(&mut bytes, "([Ljava/lang/String;)V"); // 8
    utf8(&mut bytes, "factoryIdentifier"); // 9
    utf8(&mut bytes, "()Ljava/lang/String;"); // 10
    utf8(&mut bytes, "Code"); // 11
    utf8(&mut bytes, text.unwrap_or("none")); // 12
    bytes.extend([8, 0, 12]); // 13
    bytes.extend(CLASS);
    bytes.extend(u16::try_from(methods.len()).expect("few").to_be_bytes());
    for it in methods {
        match it {
            Method::Main => method(&mut bytes, 0x09, (7, 8), &[0xB1]),
            Method::PrivateMain => method(&mut bytes, 0x0A, (7, 8), &[0xB1]),
            Method::Identifier(_) => method(&mut bytes, 0x01, (9, 10), &[0x12, 13, 0xB0]),
            Method::ComputedIdentifier => method(&mut bytes, 0x01, (9, 10), &[0x01, 0xB0]),
        }
    }
    bytes.extend([0, 0]);
    bytes
}

fn utf8(bytes: &mut Vec<u8>, text: &str) {
    bytes.push(1);
    bytes.extend(u16::try_from(text.len()).expect("short").to_be_bytes());
    bytes.extend(text.as_bytes());
}

fn method(bytes: &mut Vec<u8>, access: u8, (name, descriptor): (u8, u8), code: &[u8]) {
    bytes.extend([0, access, 0, name, 0, descriptor, 0, 1, 0, 11]);
    let length = u32::try_from(code.len()).expect("short");
    bytes.extend((length + 12).to_be_bytes());
    bytes.extend([0, 1, 0, 1]);
    bytes.extend(length.to_be_bytes());
    bytes.extend(code);
    bytes.extend([0, 0, 0, 0]);
}
