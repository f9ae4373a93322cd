use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::*;

fn shown(text: &str) -> String {
    match Host::parse(text) {
        Ok(host) => host.to_string(),
        Err(error) => panic!("{text}: {error}"),
    }
}

#[test]
fn every_alias_of_a_host_is_that_host() {
    for (text, expected) in [
        ("LOCALHOST", "localhost"),
        ("localhost.", "localhost"),
        ("API.Example.COM.", "api.example.com"),
        ("2130706433", "127.0.0.1"),
        ("0x7f.1", "127.0.0.1"),
        ("0x7f000001", "127.0.0.1"),
        ("0X7F000001", "127.0.0.1"),
        ("0177.0.0.1", "127.0.0.1"),
        ("127.1", "127.0.0.1"),
        ("127.0.0.1.", "127.0.0.1"),
        ("127.0.0.1", "127.0.0.1"),
        ("0", "0.0.0.0"),
        ("0x", "0.0.0.0"),
        ("127。0。0。1", "127.0.0.1"),
        ("①②⑦.0.0.1", "127.0.0.1"),
        ("[::1]", "[::1]"),
        ("::1", "[::1]"),
        ("[0:0:0:0:0:0:0:1]", "[::1]"),
        ("[::ffff:127.0.0.1]", "127.0.0.1"),
        ("::ffff:7f00:1", "127.0.0.1"),
        ("[64:ff9b::7f00:1]", "127.0.0.1"),
        ("[64:ff9b::10.0.0.1]", "10.0.0.1"),
        ("[2002:7f00:1::]", "[2002:7f00:1::]"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
        // A twin: the first letter is Cyrillic, so it is another host and shows as one.
        ("аpple.com", "xn--pple-43d.com"),
        // A slash of another kind is no slash, and shows as none.
        ("a\u{2044}b", "xn--ab-c6t"),
        ("ex\u{ad}ample.com", "example.com"),
        ("_dmarc.example.com", "_dmarc.example.com"),
    ] {
        assert_eq!(shown(text), expected, "{text}");
    }
}

#[test]
fn what_others_may_read_as_another_host_is_refused() {
    for text in [
        "",
        ".",
        "..",
        "a..b",
        ".a",
        "a..",
        "a.com..",
        "user@host",
        "user:password@host",
        "a.com@evil.com",
        "a.com:99999",
        "a.com:80",
        "a b",
        " a",
        "a\t",
        "a\nb",
        "a\0",
        "a%2ecom",
        "%61.com",
        "[fe80::1%25eth0]",
        "fe80::1%eth0",
        "[::1",
        "::1]",
        "[127.0.0.1]",
        "[a]",
        "[::1]:80",
        "a/b",
        "a\\b",
        "a?b",
        "a#b",
        "a*b",
        "*.a",
        "a,b",
        "a;b",
        "a$b",
        "a'b",
        "a!b",
        "1.2.3.4.5",
        "256.1.1.1",
        "a.0x7f",
        "a.1",
        "4294967296",
        "0b1.08",
        "xn--\u{fc}",
        "xn--a.com",
        "xn--99999999999.com",
        "\u{202e}moc.a",
        "a\u{ff0f}b",
        "a\u{ff20}b",
    ] {
        let host = Host::parse(text);
        assert!(host.is_err(), "{text:?} is {host:?}");
    }
}

#[test]
fn names_are_as_long_as_names_can_be() {
    let label = "a".repeat(63);
    let longest = format!("{label}.{label}.{label}.{}", "a".repeat(61));
    assert_eq!(longest.len(), 253);
    assert_eq!(shown(&longest), longest);
    assert_eq!(shown(&format!("{longest}.")), longest);
    assert_eq!(Host::parse(&format!("{longest}a")), Err(HostError::TooLong));
    assert_eq!(Host::parse(&format!("{label}a.com")), Err(HostError::TooLong));
    assert_eq!(Host::parse(&"ü.".repeat(600)), Err(HostError::TooLong));
}

#[test]
fn the_reason_names_what_is_wrong() {
    assert_eq!(Host::parse("a.com@evil"), Err(HostError::UserInfo));
    assert_eq!(Host::parse("a b"), Err(HostError::Character(' ')));
    assert_eq!(Host::parse("a/b"), Err(HostError::Character('/')));
    assert_eq!(Host::parse("a%41"), Err(HostError::Percent("a%41".to_owned())));
    assert_eq!(Host::parse("a.com:80"), Err(HostError::Colon("a.com:80".to_owned())));
    assert_eq!(Host::parse("1.2.3.400"), Err(HostError::Number("1.2.3.400".to_owned())));
    assert_eq!(Host::parse("a..b"), Err(HostError::EmptyLabel("a..b".to_owned())));
}

#[test]
fn a_name_lies_below_another_only_at_a_dot() {
    let name = |text| match Host::parse(text) {
        Ok(Host::Name(name)) => name,
        other => panic!("{other:?}"),
    };
    let parent = name("example.com");
    assert!(name("a.example.com").is_below(&parent));
    assert!(name("a.b.example.com").is_below(&parent));
    assert!(!name("example.com").is_below(&parent));
    assert!(!name("evil-example.com").is_below(&parent));
    assert!(!name("a.example.com.evil.com").is_below(&parent));
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1024,
        rng_seed: RngSeed::Fixed(3),
        ..ProptestConfig::default()
    })]

    /// Whatever is read is in the one form already.
    #[test]
    fn reading_what_was_shown_changes_nothing(text in "[a-zA-Z0-9.:xX\\[\\]üßаİ。①_-]{0,24}") {
        if let Ok(host) = Host::parse(&text) {
            prop_assert_eq!(Host::parse(&host.to_string()), Ok(host));
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,40}|.{0,40}") {
        if let Ok(host) = Host::parse(&text) {
            prop_assert_eq!(Host::parse(&host.to_string()), Ok(host.clone()));
            if let Host::Name(name) = &host {
                prop_assert!(name.as_str().len() <= 253);
                prop_assert!(name.as_str().parse::<IpAddr>().is_err());
            }
            prop_assert!(!matches!(host, Host::Address(address) if fold(address) != address));
        }
    }

    #[test]
    fn every_form_of_an_address_is_that_address(bits in any::<u32>()) {
        let address = std::net::Ipv4Addr::from_bits(bits);
        let expected = Ok(Host::Address(address.into()));
        let [a, b, c, d] = address.octets();
        let rest = bits & 0xff_ffff;
        for text in [
            format!("{bits}"),
            format!("{bits:#x}"),
            format!("0{bits:o}"),
            format!("{a}.{rest}"),
            format!("{a:#x}.0{b:o}.{c}.{d}."),
            format!("[::ffff:{address}]"),
            format!("64:ff9b::{address}"),
        ] {
            prop_assert_eq!(Host::parse(&text), expected.clone(), "{}", text);
        }
    }
}
