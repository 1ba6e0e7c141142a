use serde_json::{Value, json};

use super::values::{label, object_name, text};

/// The JSON schema (draft 2020-12) of the file of a project.
pub(super) fn project_schema() -> Value {
    let goals = json!({
        "description": "Goals, tasks and options of the builder, each a text of its own. Default: package -DskipTests for Maven, build -x test for Gradle.",
        "type": "array", "items": { "type": "string", "minLength": 1 },
    });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Flumen project",
        "type": "object",
        "additionalProperties": false,
        "required": ["name", "environment", "repository", "builder"],
        "not": { "required": ["goals", "tasks"] },
        "properties": {
            "name": label("Unique in Flumen; jobs name the jar by project://NAME."),
            "environment": label("Where it is built: in a pod of this environment's namespace."),
            "repository": text("https://HOST/PATH, ssh://USER@HOST/PATH or USER@HOST:PATH, without user and password; http://HOST/PATH for one that anybody may read."),
            "ref": text("A branch, a tag, the whole id of a commit, or a name that begins with refs/. Default: the repository's HEAD."),
            "directory": text("The directory in the repository that is built. Default: all of it."),
            "builder": {
                "description": "What builds it, of the image; a wrapper in the repository is not used.",
                "enum": ["maven", "gradle"],
            },
            "goals": goals,
            "tasks": goals,
            "image": text("An image with git, a JDK and the builder. Default: on the local cluster the tools of this machine."),
            "artifact": text("A pattern below the directory that one jar has. Default: target/*.jar for Maven, build/libs/*.jar for Gradle."),
            "resources": {
                "description": "What the build may take: asked of Kubernetes, and the limit.",
                "type": "object",
                "additionalProperties": false,
                "properties": {
                    "cpu": { "description": "Cores. Default: 1.", "type": "number", "exclusiveMinimum": 0 },
                    "memory": text("Memory, such as 2g; at least 256m. Default: 2g."),
                },
            },
            "timeout": text("How long fetch and build may take, such as 10 min. Default: 30 min."),
            "credentials": object_name("The Secret by which the repository is read: username and password for https, ssh-privatekey and known_hosts for ssh. Default: anybody may read it."),
            "settings": either(
                "Settings of the builder: settings.xml of Maven; init.gradle, init.gradle.kts or gradle.properties of Gradle.",
                ("secret", object_name("The Secret that has them.")),
                ("configMap", object_name("The ConfigMap that has them.")),
            ),
            "cache": either(
                "Where the builder keeps what it fetched. Default: each build fetches it anew.",
                ("claim", object_name("A persistent volume claim.")),
                ("hostPath", text("A directory of the node, by its whole path.")),
            ),
        },
    })
}

/// An object with one of two keys.
fn either(description: &str, one: (&str, Value), other: (&str, Value)) -> Value {
    let (mut first, mut second) = (json!({}), json!({}));
    first[one.0] = one.1;
    second[other.0] = other.1;
    let only = |key: &str, properties: Value| json!({ "additionalProperties": false, "required": [key], "properties": properties });
    json!({
        "description": description, "type": "object",
        "oneOf": [only(one.0, first), only(other.0, second)],
    })
}
