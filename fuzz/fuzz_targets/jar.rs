//! A jar: the archive, its manifest, class files and service files.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(jar) = flumen_jar::inspect(&mut Cursor::new(bytes)) {
        assert_eq!(jar.size, bytes.len() as u64);
        for warning in &jar.warnings {
            assert!(!warning.to_string().is_empty());
        }
    }
});
