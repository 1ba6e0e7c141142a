//! Compiles `java/sql-runner`.

use flumen_javac::{Failure, Program};

fn main() -> Result<(), Failure> {
    let program = Program {
        name: "sql-runner",
        beside: Some("flink-api"),
        main_class: "flumen.sql.SqlRunner",
        jar: "flumen-sql-runner.jar",
    };
    program.build()
}
