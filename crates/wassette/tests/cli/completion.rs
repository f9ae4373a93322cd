//! `completion`.

use insta::assert_snapshot;

use crate::empty;

#[test]
fn every_shell_has_a_script_that_knows_the_verbs() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = empty().run(["completion", shell]).success();
        assert!(output.stdout.contains("unload"), "{shell}");
        assert!(!output.stdout.contains("compile-component"), "{shell} offers what is hidden");
        assert_eq!(output.stderr, "", "{shell}");
    }
}

#[test]
fn the_old_name_of_the_verb_works() {
    let old = empty().run(["autocomplete", "bash"]).success();
    assert_eq!(old.stdout, empty().run(["completion", "bash"]).success().stdout);
}

#[test]
fn an_unknown_shell_is_a_usage_error() {
    assert_snapshot!(empty().run(["completion", "dosh"]), @"
    exit code: 2
    ----- stderr -----
    error: invalid value 'dosh' for '<SHELL>'
      [possible values: bash, elvish, fish, powershell, zsh]

      tip: a similar value exists: 'zsh'

    For more information, try '--help'.
    ");
}
