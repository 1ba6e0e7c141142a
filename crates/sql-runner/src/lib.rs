#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

/// The jar, which runs on every Flink from 1.13 on.
pub static JAR: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/flumen-sql-runner.jar"));

/// The name of the jar in an image.
pub const JAR_NAME: &str = "flumen-sql-runner.jar";

/// The name of the file, beside the jar, that the runner reads a script from.
pub const FILE_NAME: &str = "flumen-sql-statements";

/// The class in it that Flink starts: `SqlRunner [--explain] [--secrets DIRECTORY] FILE`, or `classpath:RESOURCE`
/// for the file.
pub const MAIN_CLASS: &str = "flumen.sql.SqlRunner";
