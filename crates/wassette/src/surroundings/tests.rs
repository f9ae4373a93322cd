use super::*;

fn args(env: &[&str], workspace: &[&str]) -> SurroundingsArgs {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    SurroundingsArgs { env: texts(env), env_file: Vec::new(), workspace: texts(workspace) }
}

#[test]
fn a_flag_goes_before_a_file_and_a_later_file_before_an_earlier() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("one"), "A=file\nB=one\nC=one\n").unwrap();
    std::fs::write(folder.path().join("two"), "C=two\n").unwrap();
    let mut args = args(&["A=flag", "D="], &[]);
    args.env_file = vec!["one".into(), "two".into()];
    let mut config = Config::default();
    config.environment.insert("A".into(), "configuration".into());
    let sources = args.environment(&config, folder.path()).unwrap();
    let pairs = [("A", "flag"), ("B", "one"), ("C", "two"), ("D", "")];
    let expected = pairs.map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(sources.given, BTreeMap::from(expected));
    assert_eq!(sources.configured, config.environment);
}

#[test]
fn what_is_no_variable_is_refused_and_not_shown() {
    for text in ["CANARY", "=CANARY", "a b=CANARY", "A=CAN\0ARY"] {
        let error = args(&["A=1", text], &[]).environment(&Config::default(), Path::new("/"));
        let error = error.unwrap_err().to_string();
        assert!(error.contains("number 2") && !error.contains("CAN"), "{error}");
    }
}

#[test]
fn the_current_folder_is_the_workspace_unless_somebody_says_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path().canonicalize().unwrap();
    std::fs::create_dir(here.join("docs")).unwrap();
    let mut config = Config::default();
    let workspaces = |args: SurroundingsArgs, config: &Config| args.workspaces(config, &here);
    let of = |pairs: &[(&str, PathBuf)]| -> BTreeMap<String, PathBuf> {
        pairs.iter().map(|(name, path)| ((*name).to_owned(), path.clone())).collect()
    };

    let found = workspaces(args(&[], &[]), &config).unwrap();
    assert_eq!(found, of(&[("workspace", here.clone())]));
    config.workspaces.insert("workspace".into(), "/configured".into());
    let found = workspaces(args(&[], &[]), &config).unwrap();
    assert_eq!(found, of(&[("workspace", "/configured".into())]));
    let found = workspaces(args(&[], &["docs", "d=docs/../docs"]), &config).unwrap();
    assert_eq!(found, of(&[("workspace", here.join("docs")), ("d", here.join("docs"))]));
}

#[test]
fn a_workspace_is_a_folder_with_a_name() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    for text in ["-d=.", "d d=.", "=.", "a/b=.", "d=missing", "d=file", "missing"] {
        let refused = args(&[], &[text]).workspaces(&Config::default(), folder.path());
        assert!(refused.is_err(), "{text}");
    }
}
