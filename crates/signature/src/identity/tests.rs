use super::*;

fn workflow(pattern: &str) -> Identity {
    Identity { identity: pattern.to_owned(), issuer: "https://token.example".to_owned() }
}

#[test]
fn an_identity_matches_as_a_whole_or_by_its_stars() {
    let signed = "https://forge.example/me/tools/.ci/release.yml@refs/tags/v1.2";
    for (pattern, fits) in [
        (signed, true),
        ("https://forge.example/me/tools/.ci/release.yml@refs/tags/*", true),
        ("https://forge.example/me/*/.ci/*@refs/tags/v*", true),
        ("https://forge.example/me/**", true),
        ("**", true),
        ("", false),
        ("*", false),
        ("https://forge.example/me/tools", false),
        ("https://forge.example/me/tools/.ci/release.yml@refs/*", false),
        ("https://forge.example/me/*@refs/tags/v1.2", false),
        ("https://forge.example/*/.ci/release.yml@refs/tags/v1.2", false),
        ("HTTPS://forge.example/me/**", false),
        ("**.2x", false),
    ] {
        assert_eq!(workflow(pattern).matches(signed, "https://token.example"), fits, "{pattern}");
    }
}

#[test]
fn denied_r16_an_identity_of_another_issuer() {
    let anybody = workflow("**");
    assert!(anybody.matches("me@example.com", "https://token.example"));
    for issuer in
        ["", "https://token.example/", "https://token.example.evil", "https://TOKEN.example"]
    {
        assert!(!anybody.matches("me@example.com", issuer), "{issuer}");
    }
    assert!(
        !Identity { identity: "**".to_owned(), issuer: String::new() }
            .matches("me@example.com", "")
    );
}

#[test]
fn a_star_does_not_cross_the_at_of_an_address() {
    let mine = workflow("*@example.com");
    assert!(mine.matches("me@example.com", "https://token.example"));
    assert!(!mine.matches("you@elsewhere@example.com", "https://token.example"));
}

#[test]
fn many_stars_take_no_more_time() {
    let pattern = "**a".repeat(500);
    assert!(!workflow(&pattern).matches(&"a".repeat(499), "https://token.example"));
    assert!(workflow(&pattern).matches(&"a".repeat(2000), "https://token.example"));
    assert!(!workflow("**").matches(&"a".repeat(3000), "https://token.example"));
}
