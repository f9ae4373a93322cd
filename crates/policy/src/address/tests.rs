use super::*;

fn class(text: &str) -> AddressClass {
    classify(text.parse().unwrap())
}

#[test]
fn every_special_range_is_told_from_the_public_ones_at_its_borders() {
    use AddressClass::*;
    for (text, expected) in [
        ("0.0.0.0", Unspecified),
        ("0.255.255.255", Unspecified),
        ("1.0.0.0", Public),
        ("9.255.255.255", Public),
        ("10.0.0.0", Private),
        ("10.255.255.255", Private),
        ("11.0.0.0", Public),
        ("100.63.255.255", Public),
        ("100.64.0.0", Shared),
        ("100.127.255.255", Shared),
        ("100.128.0.0", Public),
        ("127.0.0.1", Loopback),
        ("127.255.255.255", Loopback),
        ("128.0.0.0", Public),
        ("169.253.255.255", Public),
        ("169.254.0.1", LinkLocal),
        ("169.255.0.0", Public),
        ("172.15.255.255", Public),
        ("172.16.0.0", Private),
        ("172.31.255.255", Private),
        ("172.32.0.0", Public),
        ("192.0.0.1", Reserved),
        ("192.0.1.1", Public),
        ("192.0.2.1", Reserved),
        ("192.88.99.1", Reserved),
        ("192.168.0.0", Private),
        ("192.169.0.0", Public),
        ("198.17.255.255", Public),
        ("198.18.0.0", Reserved),
        ("198.19.255.255", Reserved),
        ("198.20.0.0", Public),
        ("198.51.100.7", Reserved),
        ("203.0.113.7", Reserved),
        ("223.255.255.255", Public),
        ("224.0.0.1", Multicast),
        ("239.255.255.255", Multicast),
        ("240.0.0.0", Reserved),
        ("255.255.255.255", Reserved),
        ("::", Unspecified),
        ("::1", Loopback),
        ("::2", Reserved),
        ("::7f00:1", Reserved),
        ("100::1", Reserved),
        ("1fff::1", Reserved),
        ("2000::1", Public),
        ("2001::1", Reserved),
        ("2001:1ff::1", Reserved),
        ("2001:200::1", Public),
        ("2001:db8::1", Reserved),
        ("2606:4700::1111", Public),
        ("3fff:0fff::1", Reserved),
        ("3fff:1000::1", Public),
        ("4000::1", Reserved),
        ("64:ff9b:1::1", Private),
        ("fc00::1", Private),
        ("fdff::1", Private),
        ("fe80::1", LinkLocal),
        ("febf::1", LinkLocal),
        ("fec0::1", Private),
        ("ff02::1", Multicast),
    ] {
        assert_eq!(class(text), expected, "{text}");
    }
}

#[test]
fn an_address_inside_another_is_judged_by_what_it_reaches() {
    use AddressClass::*;
    for (text, expected) in [
        ("::ffff:127.0.0.1", Loopback),
        ("::ffff:8.8.8.8", Public),
        ("::ffff:169.254.169.254", Metadata),
        ("64:ff9b::127.0.0.1", Loopback),
        ("64:ff9b::8.8.8.8", Public),
        ("64:ff9b::10.0.0.1", Private),
        ("2002:7f00:1::", Loopback),
        ("2002:a00:1::5", Private),
        ("2002:808:808::1", Public),
        ("2002:a9fe:a9fe::1", Metadata),
    ] {
        assert_eq!(class(text), expected, "{text}");
    }
}

#[test]
fn metadata_is_known_wherever_it_hides() {
    for text in [
        "169.254.169.254",
        "169.254.170.2",
        "100.100.100.200",
        "168.63.129.16",
        "fd00:ec2::254",
        "fd20:ce::254",
        "fe80::a9fe:a9fe",
    ] {
        assert_eq!(class(text), AddressClass::Metadata, "{text}");
    }
}
