//! The normaliser of hosts comes to one form, and to the same host as other readers of the text.
#![no_main]

use std::net::IpAddr;

use libfuzzer_sys::fuzz_target;
use wassette_policy::{Destination, Host, Protocol, fold};

fuzz_target!(|text: &str| {
    if let Ok(host) = Host::parse(text) {
        let shown = host.to_string();
        assert_eq!(Host::parse(&shown).as_ref(), Ok(&host), "{text:?} is shown as {shown}");
        agrees_with_url(text, &host);
        if let Ok(address) = text.parse::<IpAddr>() {
            assert_eq!(host, Host::Address(fold(address)), "{text:?}");
        }
    }
    if let Ok(destination) = Destination::parse_authority(Protocol::Https, text) {
        let authority = destination.authority();
        let again = Destination::parse_authority(Protocol::Https, &authority);
        assert_eq!(again.as_ref(), Ok(&destination), "{text:?} is sent as {authority}");
        let url = url::Url::parse(&format!("https://{text}/"))
            .unwrap_or_else(|error| panic!("{text:?} is no authority to others: {error}"));
        assert_eq!(url.port_or_known_default(), Some(destination.port), "{text:?}");
        assert!(url.username().is_empty() && url.password().is_none() && url.path() == "/");
        agrees(&url, &destination.host, text);
    }
});

/// Whoever reads a URL with this host must come to the same one.
fn agrees_with_url(text: &str, host: &Host) {
    let bracketed = if text.contains(':') && !text.starts_with('[') {
        format!("[{text}]")
    } else {
        text.to_owned()
    };
    if let Ok(url) = url::Url::parse(&format!("http://{bracketed}/")) {
        agrees(&url, host, text);
    }
}

fn agrees(url: &url::Url, host: &Host, text: &str) {
    let read = match url.host() {
        Some(url::Host::Domain(name)) => name.strip_suffix('.').unwrap_or(name).to_owned(),
        Some(url::Host::Ipv4(address)) => Host::Address(address.into()).to_string(),
        Some(url::Host::Ipv6(address)) => Host::Address(fold(address.into())).to_string(),
        None => String::new(),
    };
    assert_eq!(read, host.to_string(), "{text:?}");
}
