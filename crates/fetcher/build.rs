//! Compiles `java/fetcher`.

use flumen_javac::{Failure, Program};

fn main() -> Result<(), Failure> {
    let program = Program {
        name: "fetcher",
        beside: None,
        main_class: "flumen.fetch.Fetcher",
        jar: "flumen-fetcher.jar",
    };
    program.build()
}
