use super::*;

/// POMs by `group:artifact:version`, and what is asked of them.
struct Poms(HashMap<Gav, Arc<Pom>>);

impl Repository for Poms {
    fn pom(&self, of: &Gav) -> Answer<Result<Arc<Pom>, Arc<XmlError>>> {
        self.0.get(of).map_or(Answer::Absent, |pom| Answer::Known(Ok(pom.clone())))
    }

    fn versions(&self, _: &str, _: &str) -> Answer<Arc<Vec<String>>> {
        Answer::Absent
    }
}

/// `(artifact, inner)` become POMs of group g and version 1.
fn poms(texts: &[(&str, &str)]) -> Poms {
    let pom = |(artifact, inner): &(&str, &str)| {
        let text = format!(
            "<project><groupId>g</groupId><artifactId>{artifact}</artifactId><version>1</version>{inner}</project>"
        );
        (Gav::new("g", artifact, "1"), Arc::new(Pom::parse(text.as_bytes()).expect("a POM")))
    };
    Poms(texts.iter().map(pom).collect())
}

fn effective(poms: &Poms, artifact: &str) -> Result<Arc<Effective>, Unusable> {
    let environment = Environment::linux("17");
    let mut known = Known::new();
    let mut models = Models::new(&environment, poms, &mut known);
    match models.effective(&Gav::new("g", artifact, "1"), For::Dependencies) {
        Ok(model) => Ok(model),
        Err(NoModel::Unusable(why)) => Err(why),
        Err(NoModel::Wants(want)) => panic!("{want:?}"),
    }
}

fn parent(artifact: &str) -> String {
    format!(
        "<parent><groupId>g</groupId><artifactId>{artifact}</artifactId><version>1</version></parent>"
    )
}

fn dependency(artifact: &str, more: &str) -> String {
    format!(
        "<dependency><groupId>d</groupId><artifactId>{artifact}</artifactId>{more}</dependency>"
    )
}

fn managed(inner: &str) -> String {
    format!("<dependencyManagement><dependencies>{inner}</dependencies></dependencyManagement>")
}

fn import(artifact: &str) -> String {
    format!(
        "<dependency><groupId>g</groupId><artifactId>{artifact}</artifactId><version>1</version>\
         <type>pom</type><scope>import</scope></dependency>"
    )
}

fn shown(model: &Effective) -> Vec<String> {
    let show = |one: &Arc<Dependency>| format!("{}:{}:{}", one.artifact, one.version, one.scope);
    model.dependencies.iter().map(show).collect()
}

#[test]
fn a_child_overrides_values_and_dependencies_of_its_parents() {
    let poms = poms(&[
        (
            "child",
            &format!(
                "{}<properties><v>2</v></properties><dependencies>{}</dependencies>",
                parent("parent"),
                dependency("a", "<version>9</version>")
            ),
        ),
        (
            "parent",
            &format!(
                "<properties><v>1</v></properties><dependencies>{}{}</dependencies>",
                dependency("a", "<version>1</version>"),
                dependency("b", "<version>${v}-${project.artifactId}</version>")
            ),
        ),
    ]);
    assert_eq!(shown(&effective(&poms, "child").expect("a model")), ["a:9:", "b:2-child:"]);
}

#[test]
fn what_is_managed_fills_in_and_the_first_import_wins() {
    let bom = |version: &str| {
        managed(&dependency("a", &format!("<version>{version}</version><scope>runtime</scope>")))
    };
    let poms = poms(&[
        (
            "x",
            &format!(
                "{}<dependencies>{}{}</dependencies>",
                managed(&format!(
                    "{}{}{}",
                    import("one"),
                    import("two"),
                    dependency("b", "<version>7</version>")
                )),
                dependency("a", ""),
                dependency("b", "<scope>test</scope>")
            ),
        ),
        ("one", &bom("1")),
        ("two", &bom("2")),
    ]);
    assert_eq!(shown(&effective(&poms, "x").expect("a model")), ["a:1:runtime", "b:7:test"]);
}

#[test]
fn circles_end_with_an_error() {
    let poms = poms(&[
        ("a", &parent("b")),
        ("b", &parent("a")),
        ("x", &managed(&import("y"))),
        ("y", &managed(&import("x"))),
        ("self", &managed(&import("self"))),
    ]);
    assert!(matches!(effective(&poms, "a"), Err(Unusable::Parents { .. })));
    assert!(matches!(effective(&poms, "x"), Err(Unusable::Imports { .. })));
    assert!(matches!(effective(&poms, "self"), Err(Unusable::Imports { .. })));
}

#[test]
fn what_is_missing_is_named() {
    let poms = poms(&[
        ("orphan", &parent("nobody")),
        ("open", &format!("<dependencies>{}</dependencies>", dependency("a", ""))),
        (
            "escape",
            "<parent><groupId>g</groupId><artifactId>..</artifactId><version>../1</version></parent>",
        ),
    ]);
    let text = |artifact| effective(&poms, artifact).expect_err("unusable").to_string();
    assert_eq!(text("orphan"), "could not find the POM g:nobody:1");
    assert_eq!(
        text("open"),
        "the POM g:open:1 names no version, group or artifact of its dependency d:a"
    );
    assert_eq!(text("escape"), "the coordinates \"g:..:../1\" are none");
}

#[test]
fn profiles_of_the_machine_are_added() {
    let profile = format!(
        "<profiles><profile><activation><jdk>[17,)</jdk></activation><properties><v>17</v></properties>\
         <dependencies>{}</dependencies></profile></profiles>",
        dependency("b", "<version>${v}</version>")
    );
    let poms = poms(&[("x", &format!("<properties><v>8</v></properties>{profile}"))]);
    assert_eq!(shown(&effective(&poms, "x").expect("a model")), ["b:17:"]);
}

#[test]
fn licences_are_those_of_the_nearest_that_names_some() {
    let licenses = |name: &str| {
        format!(
            "<licenses><license><name>{name}</name><url>https://${{host}}/l</url></license></licenses>"
        )
    };
    let poms = poms(&[
        (
            "top",
            &format!(
                "<properties><host>top.example</host></properties>{}",
                licenses("Top ${host}")
            ),
        ),
        ("middle", &format!("{}<properties><host>own.example</host></properties>", parent("top"))),
        ("low", &format!("{}{}", parent("top"), licenses("Low"))),
        ("none", ""),
    ]);
    let names = |artifact: &str| {
        let model = effective(&poms, artifact).expect("a model");
        model.licenses.iter().map(|one| format!("{} {}", one.name, one.url)).collect::<Vec<_>>()
    };
    assert_eq!(names("middle"), ["Top own.example https://own.example/l"]);
    assert_eq!(names("low"), ["Low https://top.example/l"]);
    assert_eq!(names("none"), [""; 0]);
}
