use super::*;

fn template(text: &str) -> Result<Template, TemplateError> {
    text.parse()
}

#[test]
fn a_template_prints_as_it_was_written() {
    for text in ["Bearer ${secret:GITHUB_TOKEN}", "${secret:A}${secret:_b}", "$a ${secret:A} }$"] {
        assert_eq!(template(text).unwrap().to_string(), text);
    }
    let names = template("${secret:A}:${secret:B}").unwrap();
    assert_eq!(names.secrets().collect::<Vec<_>>(), ["A", "B"]);
}

#[test]
fn secrets_are_filled_in_and_a_missing_one_is_named() {
    let known = |name: &str| (name == "A").then(|| Zeroizing::new("x${secret:B}".to_owned()));
    let filled = template("Bearer ${secret:A}!").unwrap().fill(known).unwrap();
    // What a secret holds is never read as a template again.
    assert_eq!(filled.as_str(), "Bearer x${secret:B}!");
    let missing = template("${secret:A}${secret:B}").unwrap().fill(known);
    assert_eq!(missing, Err(MissingSecret { name: "B".to_owned() }));
}

#[test]
fn a_value_without_a_secret_or_with_half_of_one_is_refused() {
    assert_eq!(template("Bearer ghp_123"), Err(TemplateError::NoSecret));
    assert_eq!(template(""), Err(TemplateError::NoSecret));
    for text in ["${secret:", "${secret:}", "${TOKEN}", "${secret:A B}", "${secret:1A}", "${}"] {
        assert_eq!(template(text), Err(TemplateError::Reference), "{text}");
    }
    for text in ["${secret:A}\r\nHost: b", "${secret:A}\u{e9}", "${secret:A}\0", "a\t${secret:A}"] {
        assert!(matches!(template(text), Err(TemplateError::Character(_))), "{text:?}");
    }
    assert_eq!(template(&"${secret:A}".repeat(200)), Err(TemplateError::TooLong));
}

#[test]
fn a_header_that_steers_the_connection_is_refused() {
    let value = "${secret:A}";
    for name in ["Host", "content-length", "Transfer-Encoding", "CONNECTION", "Proxy-Authorization"]
    {
        assert_eq!(Inject::new(name, value), Err(InjectError::Forbidden(name.to_owned())));
    }
    for name in ["", "a b", "a:", "a\r\n", "ü", &"a".repeat(65)] {
        assert_eq!(Inject::new(name, value), Err(InjectError::Name(name.to_owned())));
    }
    assert_eq!(Inject::new("X-Api-Key", value).unwrap().header(), "x-api-key");
}
