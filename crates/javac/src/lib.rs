#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

use std::{
    env, fmt, fs,
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use zip::{DateTime, ZipWriter, write::SimpleFileOptions};

/// Java 8, which Flink needs at least up to 1.20.
const RELEASE: &str = "8";

/// Why there is no jar. What cargo shows of a build script that fails is the debug form of its error.
pub struct Failure(String);

impl fmt::Debug for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// A program in Java.
#[derive(Debug, Clone, Copy)]
pub struct Program<'a> {
    /// Its directory below `java`; the source lies in `src` there.
    pub name: &'a str,
    /// The directory beside `src` with classes that it is compiled with and that are not part of the jar. Default: none.
    pub beside: Option<&'a str>,
    /// The class with `main`.
    pub main_class: &'a str,
    /// What the jar is called in the directory that cargo gives the build script.
    pub jar: &'a str,
}

impl Program<'_> {
    /// Compiles the program of the repository and writes its jar. To be called by the build script of a crate below `crates`.
    ///
    /// # Errors
    /// If there is no `javac`, the program does not compile, or a file cannot be read or written.
    #[expect(clippy::print_stdout, reason = "so a build script speaks to cargo")]
    pub fn build(&self) -> Result<(), Failure> {
        let source = Path::new("../../java").join(self.name);
        let out =
            PathBuf::from(env::var_os("OUT_DIR").ok_or_else(|| failure("find OUT_DIR", &"unset"))?);
        for directory in std::iter::once("src").chain(self.beside) {
            println!("cargo::rerun-if-changed={}", source.join(directory).display());
        }
        println!("cargo::rerun-if-env-changed=JAVA_HOME");

        let classes = out.join("classes");
        if classes.exists() {
            fs::remove_dir_all(&classes).map_err(|why| failure(classes.display(), &why))?;
        }
        self.compile(&source, &classes)?;
        self.write_jar(&classes, &out.join(self.jar))
    }

    fn compile(&self, source: &Path, classes: &Path) -> Result<(), Failure> {
        let javac = javac();
        let beside = self.beside.unwrap_or("src");
        let output = Command::new(&javac)
            .args(["--release", RELEASE, "-Xlint:all", "-Xlint:-options", "-Werror"])
            .args(["-proc:none", "-implicit:none", "-g:source,lines", "-encoding", "UTF-8"])
            .arg("-sourcepath")
            .arg(source.join(beside))
            .arg("-d")
            .arg(classes)
            .args(files(&source.join("src"), "java")?)
            .output();
        let output = output.map_err(|why| {
            Failure(format!(
                "could not run {}: {why}; it is part of a JDK, and version 9 or later will do. \
                 Install one with `apt-get install openjdk-17-jdk-headless`, or run scripts/setup.",
                javac.display()
            ))
        })?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(Failure(format!("{} does not compile java/{}:\n{said}", javac.display(), self.name)))
    }

    fn write_jar(&self, classes: &Path, jar: &Path) -> Result<(), Failure> {
        let failed = |why: &dyn fmt::Display| failure(jar.display(), why);
        let mut zip = ZipWriter::new(File::create(jar).map_err(|why| failed(&why))?);
        let mut add = |name: &str, content: &[u8]| {
            // The clock is not part of the content.
            let options = SimpleFileOptions::default().last_modified_time(DateTime::default());
            zip.start_file(name, options).map_err(|why| failed(&why))?;
            zip.write_all(content).map_err(|why| failed(&why))
        };
        let manifest = format!("Manifest-Version: 1.0\r\nMain-Class: {}\r\n\r\n", self.main_class);
        add("META-INF/MANIFEST.MF", manifest.as_bytes())?;
        for class in files(classes, "class")? {
            let content = fs::read(&class).map_err(|why| failure(class.display(), &why))?;
            let name = class.strip_prefix(classes).unwrap_or(&class);
            add(&name.display().to_string(), &content)?;
        }
        zip.finish().map_err(|why| failed(&why))?;
        Ok(())
    }
}

fn javac() -> PathBuf {
    let of_home = env::var_os("JAVA_HOME").map(|home| Path::new(&home).join("bin/javac"));
    // A runtime alone may be the home; the JDK is on the path then.
    of_home.filter(|javac| javac.exists()).unwrap_or_else(|| "javac".into())
}

/// All files below the directory with this extension, sorted.
fn files(directory: &Path, extension: &str) -> Result<Vec<PathBuf>, Failure> {
    let failed = |why| failure(directory.display(), &why);
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            found.extend(files(&path, extension)?);
        } else if path.extension().is_some_and(|it| it == extension) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn failure(what: impl fmt::Display, why: &dyn fmt::Display) -> Failure {
    Failure(format!("could not read or write {what}: {why}"))
}
