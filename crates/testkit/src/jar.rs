use std::io::{Cursor, Write as _};

use zip::{ZipWriter, write::SimpleFileOptions};

/// A jar with these entries; the same bytes for the same entries.
pub fn jar(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A jar with the programs `com.example.WordCount` and `com.example.Job`; another label makes another jar.
pub fn program(label: &str) -> Vec<u8> {
    let [word_count, job] = ["com/example/WordCount", "com/example/Job"].map(main_class);
    jar(&[
        ("com/example/WordCount.class", &word_count),
        ("com/example/Job.class", &job),
        ("META-INF/label", label.as_bytes()),
    ])
}

/// A jar that says which Maven artifact it is, `group:artifact:version`.
pub fn artifact_jar(coordinates: &str) -> Vec<u8> {
    let parts: Vec<&str> = coordinates.split(':').collect();
    let [group, artifact, version] = parts[..] else { panic!("{coordinates} are no coordinates") };
    let properties = format!("groupId={group}\nartifactId={artifact}\nversion={version}\n");
    jar(&[(&format!("META-INF/maven/{group}/{artifact}/pom.properties"), properties.as_bytes())])
}

/// A class file of Java 8 with a main method that does nothing; the name has slashes.
pub fn main_class(name: &str) -> Vec<u8> {
    let mut bytes = vec![0xCA, 0xFE, 0xBA, 0xBE, 0, 0, 0, 52, 0, 8];
    utf8(&mut bytes, name); // 1
    bytes.extend([7, 0, 1]); // 2
    utf8(&mut bytes, "java/lang/Object"); // 3
    bytes.extend([7, 0, 3]); // 4
    utf8(&mut bytes, "main"); // 5
    utf8(&mut bytes, "([Ljava/lang/String;)V"); // 6
    utf8(&mut bytes, "Code"); // 7
    // Public; this class, the one above; no interfaces, no fields, one method, public and static.
    bytes.extend([0, 0x21, 0, 2, 0, 4, 0, 0, 0, 0, 0, 1, 0, 9, 0, 5, 0, 6, 0, 1, 0, 7]);
    // Its code: nothing on the stack, one local, `return`; nothing more in the class.
    bytes.extend([0, 0, 0, 13, 0, 0, 0, 1, 0, 0, 0, 1, 0xB1, 0, 0, 0, 0, 0, 0]);
    bytes
}

fn utf8(bytes: &mut Vec<u8>, text: &str) {
    bytes.push(1);
    bytes.extend(u16::try_from(text.len()).unwrap().to_be_bytes());
    bytes.extend(text.as_bytes());
}
