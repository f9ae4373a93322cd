//! Who can have a name below a name. The public suffix list knows: its first part has what registries
//! give out, its second what companies give to their customers.

use psl::Type;

/// Who has the names below a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Below {
    /// The owner of the name, as far as is known.
    Owner,
    /// The owner, and others too to whom the owner gives names.
    Customers,
    /// Whoever registers one: `*.com` is everybody.
    Registry,
}

/// Names that are no public suffix themselves and have some of their customers' below them.
const PARENTS: [&str; 5] =
    ["amazonaws.com", "azure.com", "cloudapp.azure.com", "core.windows.net", "windows.net"];

/// Who has the names below `name`, which is normalised.
pub(crate) fn below(name: &str) -> Below {
    if PARENTS.contains(&name) {
        return Below::Customers;
    }
    // Where every name below is a suffix itself, as in `kawasaki.jp`, it need not be one.
    match given_out(name).or_else(|| given_out(&format!("0.{name}"))) {
        Some(Some(Type::Private)) => Below::Customers,
        // A single label that nobody knows is a registry of somebody's.
        Some(Some(Type::Icann) | None) => Below::Registry,
        None => Below::Owner,
    }
}

/// By whom the names below `name` are given out, if it is a public suffix.
fn given_out(name: &str) -> Option<Option<Type>> {
    let suffix = psl::suffix(name.as_bytes())?;
    (suffix == name.as_bytes()).then(|| suffix.typ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registries_companies_and_owners_are_told_apart() {
        for (name, expected) in [
            ("com", Below::Registry),
            ("co.uk", Below::Registry),
            ("xn--p1ai", Below::Registry),
            ("internal", Below::Registry),
            ("foo.ck", Below::Registry),
            ("kawasaki.jp", Below::Registry),
            ("github.io", Below::Customers),
            ("googleapis.com", Below::Customers),
            ("cloudfront.net", Below::Customers),
            ("s3.amazonaws.com", Below::Customers),
            ("blob.core.windows.net", Below::Customers),
            ("azurewebsites.net", Below::Customers),
            ("me.github.io", Below::Owner),
            ("example.com", Below::Owner),
            ("example.co.uk", Below::Owner),
            ("www.ck", Below::Owner),
            ("corp.internal", Below::Owner),
        ] {
            assert_eq!(below(name), expected, "{name}");
        }
        for parent in PARENTS {
            assert_eq!(below(parent), Below::Customers);
            assert!(psl::suffix_str(parent) != Some(parent), "{parent} need not be listed here");
        }
    }
}
