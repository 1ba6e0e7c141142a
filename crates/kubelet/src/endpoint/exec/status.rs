//! How a command ended, as an object of the API. Pure.

use serde_json::{Value, json};

use crate::protocol::Exit;

pub(super) fn of_exit(exit: Exit) -> Value {
    let code = exit.code();
    if code == 0 {
        return json!({"metadata": {}, "status": "Success"});
    }
    json!({
        "metadata": {},
        "status": "Failure",
        "message": format!("command terminated with non-zero exit code: exit status {code}"),
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": code.to_string()}]},
    })
}

/// It could not be started.
pub(super) fn of_error(error: &str) -> Value {
    let message = format!("error executing command in container: {error}");
    json!({
        "metadata": {},
        "status": "Failure",
        "message": format!("Internal error occurred: {message}"),
        "reason": "InternalError",
        "details": {"causes": [{"message": message}]},
        "code": 500,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_is_where_clients_look_for_it() {
        assert_eq!(of_exit(Exit::Code(0))["status"], "Success");
        for (exit, code) in [(Exit::Code(3), "3"), (Exit::Signal(9), "137")] {
            let status = of_exit(exit);
            assert_eq!(status["reason"], "NonZeroExitCode");
            assert_eq!(
                status["details"]["causes"][0],
                json!({"reason": "ExitCode", "message": code})
            );
        }
    }
}
