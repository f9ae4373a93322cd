//! `registry search` and `registry get`.

use insta::assert_snapshot;
use wassette_testkit::TestEnv;

use crate::empty;

fn with_catalogue() -> TestEnv {
    let env = empty();
    let file = env.write(
        "catalogue.json",
        r#"{ "version": 1, "components": [
            { "name": "weather", "description": "Forecasts for a place.",
              "reference": "oci://registry.example.com/tools/weather:1.2.0",
              "keywords": ["forecast"], "licence": "Apache-2.0" },
            { "name": "calculator", "description": "Exact arithmetic.",
              "reference": "https://example.com/calculator.wasm" }
        ] }"#,
    );
    env.configure(&format!(
        "[search]\ncatalogues = [\"file:{}\", \"file:/nowhere.json\"]\n",
        file.display()
    ));
    env
}

#[test]
fn what_fits_the_words_is_found_and_a_catalogue_that_fails_is_told_of() {
    let env = with_catalogue();
    assert_snapshot!(env.run(["registry", "search", "forecast", "-o", "table"]), @"
    exit code: 0
    ----- stdout -----
    NAME     WHAT                   REFERENCE
    weather  Forecasts for a place  oci://registry.example.com/tools/weather:1.2.0
    ----- stderr -----
    warning: `file:/nowhere.json`: cannot read the file: No such file or directory (os error 2)
    ");
    let all = env.run(["registry", "search", "--limit", "1", "--offset", "1"]).success().json();
    assert_eq!(all["total"], 2);
    assert_eq!(all["components"].as_array().unwrap().len(), 1);
    assert_eq!(env.run(["registry", "search", "--limit", "101"]).code, Some(2));
    let _ = env.run(["registry", "search", "--offset", "2"]).success();
    assert_snapshot!(env.run(["registry", "search", "nothing", "-o", "table"]), @"
    exit code: 1
    ----- stdout -----
    NAME  WHAT  REFERENCE
    ----- stderr -----
    warning: `file:/nowhere.json`: cannot read the file: No such file or directory (os error 2)
    error: nothing was found, and not all catalogues could be read; unread: 1
    hint: the reasons stand above
    ");
}

#[test]
fn all_that_is_said_of_one_is_shown() {
    let env = with_catalogue();
    assert_snapshot!(env.run(["registry", "get", "weather", "-o", "table"]), @"
    exit code: 0
    ----- stdout -----
    weather
      Forecasts for a place.
      reference  oci://registry.example.com/tools/weather:1.2.0
      keywords   forecast
      licence    Apache-2.0
      catalogue  file:[WORK]/catalogue.json
    ----- stderr -----
    warning: `file:/nowhere.json`: cannot read the file: No such file or directory (os error 2)
    ");
    let missing = env.run(["registry", "get", "wether"]);
    assert_eq!(missing.code, Some(1), "{missing}");
}

#[test]
fn without_a_catalogue_there_is_a_hint() {
    let none = empty().run(["registry", "search"]);
    assert_eq!(none.code, Some(1), "{none}");
    assert!(none.stderr.contains("catalogues"), "{none}");
}
