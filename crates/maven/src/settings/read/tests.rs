use super::*;

const SETTINGS: &str = "<settings xmlns='x'>
  <localRepository>${user.home}/repo</localRepository>
  <mirrors>
    <mirror><id>company</id><mirrorOf>central,extra</mirrorOf><url>https://mirror.example/all</url></mirror>
    <mirror><id>blocker</id><mirrorOf>external:http:*</mirrorOf><url>http://0.0.0.0/</url><blocked>true</blocked></mirror>
  </mirrors>
  <servers>
    <server><id>company</id><username>me</username><password>${env.SECRET_WORD}</password>
      <configuration><httpHeaders><property><name>X-Token</name><value>t0ken</value></property></httpHeaders></configuration>
    </server>
    <server><id>sealed</id><username>you</username><password>{ov+1KkdEtQoHg5Alfo0k8dSDCHQQ5hwqg8YfSG/Af5g=}</password></server>
  </servers>
  <proxies><proxy><protocol>https</protocol><host>proxy</host><port>3128</port><nonProxyHosts>a|*.b</nonProxyHosts></proxy>
    <proxy><active>false</active><host>no</host></proxy></proxies>
  <profiles>
    <profile><id>on</id><repositories>
      <repository><id>extra</id><url>https://extra.example/</url></repository>
      <repository><id>plain</id><url>http://plain.example/x</url><releases><enabled>false</enabled></releases></repository>
    </repositories></profile>
    <profile><id>off</id><repositories><repository><id>no</id><url>https://no.example/</url></repository></repositories></profile>
  </profiles>
  <activeProfiles><activeProfile>on</activeProfile></activeProfiles>
</settings>";

fn settings(user: &str, flags: &[(&str, &str)]) -> Result<Settings, Error> {
    let home = tempfile::tempdir().expect("a directory");
    let m2 = home.path().join(".m2");
    std::fs::create_dir(&m2).expect("made");
    std::fs::write(m2.join("settings.xml"), user).expect("written");
    std::fs::write(
        m2.join("settings-security.xml"),
        "<settingsSecurity><master>{ApeD/aOa/vkHAs/awUcMRQX1RMP74MJm4v8IzAtGbIU=}</master></settingsSecurity>",
    )
    .expect("written");
    let files = SettingsFiles {
        home: home.path().to_owned(),
        user: None,
        installed: vec![home.path().join("not-there.xml")],
        variable: &|name| (name == "SECRET_WORD").then(|| "hunter2".to_owned()),
    };
    let flags = flags.iter().map(|(id, url)| Remote::new(id, url).expect("an address"));
    let loaded = load(&files, flags.collect())?;
    let local = loaded.local_repository.strip_prefix(home.path()).expect("below home").to_owned();
    Ok(Settings { local_repository: local, ..loaded })
}

#[test]
fn mirrors_stand_in_for_repositories_and_have_their_own_credentials() {
    let settings = settings(SETTINGS, &[]).expect("settings");
    assert_eq!(settings.local_repository, Path::new("repo"));
    let shown: Vec<_> = settings.repositories.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        ["company (https://mirror.example/all/)", "plain (http://plain.example/x/)"],
        "extra and central are one mirror, each asked once"
    );
    let (company, plain) = (&settings.repositories[0], &settings.repositories[1]);
    let basic = company.access.basic.as_ref().expect("credentials");
    assert_eq!((basic.0.as_str(), basic.1.expose()), ("me", "hunter2"));
    assert_eq!(company.access.headers[0].1.expose(), "t0ken");
    assert_eq!(plain.blocked_by.as_deref(), Some("blocker"));
    assert!(!plain.releases && plain.snapshots);
    assert_eq!(settings.proxies[0].not_for, ["a", "*.b"]);
    assert_eq!(settings.proxies.len(), 1);
    let debug = format!("{settings:?}");
    assert!(!debug.contains("hunter2") && !debug.contains("t0ken"), "{debug}");
}

#[test]
fn repositories_of_flags_are_asked_as_they_are_with_credentials_by_their_id() {
    let flags =
        [("sealed", "https://sealed.example/x"), ("own", "https://u%40x:p%3Aw@own.example")];
    let settings = settings(SETTINGS, &flags).expect("settings");
    let [sealed, own] = &settings.repositories[..] else { panic!("two") };
    assert_eq!(sealed.access.basic.as_ref().expect("credentials").1.expose(), "geheim äö");
    assert_eq!(own.url.as_str(), "https://own.example/", "no credentials in what is shown");
    let basic = own.access.basic.as_ref().expect("credentials");
    assert_eq!((basic.0.as_str(), basic.1.expose()), ("u@x", "p:w"));
}

#[test]
fn without_settings_maven_central_is_asked() {
    let settings = settings("<settings/>", &[]).expect("settings");
    assert_eq!(settings.repositories, [Remote::central().expect("an address")]);
    assert_eq!(settings.local_repository, Path::new(".m2/repository"));
}

#[test]
fn what_is_wrong_is_said() {
    let no_file = settings("<project/>", &[]).expect_err("no settings");
    assert!(matches!(no_file, Error::ReadSettings { .. }), "{no_file}");
    let broken = SETTINGS.replace("{ov+1", "{xx+1");
    let sealed =
        settings(&broken, &[("sealed", "https://sealed.example")]).expect_err("no password");
    assert_eq!(
        sealed.to_string(),
        "could not decrypt the password of the server sealed: it was encrypted under another master password, or is damaged"
    );
    assert!(settings(&broken, &[]).is_ok(), "a password that nobody needs may be damaged");
    assert!(Remote::new("x", "ftp://x/").is_err());
    let port = settings(&SETTINGS.replace("3128", "31280x"), &[]).expect_err("no port");
    assert_eq!(
        port.to_string(),
        "the port \"31280x\" of the proxy proxy in the settings is none: expected a number up to 65535"
    );
}
