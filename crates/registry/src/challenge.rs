//! What a server demands for credentials: its `WWW-Authenticate` headers. They come from a server,
//! so whatever does not follow RFC 9110 is refused, and nothing here decides where a credential
//! goes.

use std::collections::BTreeMap;

use http::HeaderMap;
use http::header::WWW_AUTHENTICATE;

/// The most that all the headers may hold, in bytes.
const LONGEST: usize = 8 << 10;

/// A way to prove who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// With a token from a service.
    Bearer {
        /// The URL of the service, as it was written.
        realm: String,
        /// What the service calls the registry.
        service: Option<String>,
    },
    /// With a name and a password.
    Basic,
}

impl Challenge {
    /// The way that is taken: a token if there is a choice, since it is good for one repository.
    ///
    /// # Errors
    /// In words, what is wrong with the demand.
    pub(crate) fn read(headers: &HeaderMap) -> Result<Self, String> {
        let mut found = None;
        let mut left = LONGEST;
        for value in headers.get_all(WWW_AUTHENTICATE) {
            left = left.checked_sub(value.len()).ok_or("it is longer than 8 KiB")?;
            let text = value.to_str().map_err(|_| "it is not ASCII")?;
            for (scheme, parameters) in (Reader { rest: text }).challenges()? {
                match scheme.to_ascii_lowercase().as_str() {
                    "bearer" => return Self::bearer(parameters),
                    "basic" => found = Some(Self::Basic),
                    _ => {}
                }
            }
        }
        found.ok_or_else(|| "it names no way that is known".to_owned())
    }

    fn bearer(mut parameters: Parameters) -> Result<Self, String> {
        let realm = parameters.remove("realm").ok_or("it names no token service")?;
        Ok(Self::Bearer { realm, service: parameters.remove("service") })
    }
}

/// What a server says of a scheme, by names in lower case.
type Parameters = BTreeMap<String, String>;

/// What is not read yet of a header.
struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    /// The schemes and their parameters.
    fn challenges(mut self) -> Result<Vec<(&'a str, Parameters)>, String> {
        let mut challenges = Vec::new();
        self.skip(" \t,");
        while !self.rest.is_empty() {
            let scheme = self.token()?;
            challenges.push((scheme, self.parameters()?));
        }
        Ok(challenges)
    }

    /// The parameters up to the next scheme. What some schemes write instead of them, a single
    /// token of base64, is passed over.
    fn parameters(&mut self) -> Result<Parameters, String> {
        let mut parameters = Parameters::new();
        loop {
            self.skip(" \t");
            let separated = self.skip(",") | self.skip(" \t,");
            let before = self.rest;
            if before.is_empty() {
                return Ok(parameters);
            }
            let name = self.token()?;
            self.skip(" \t");
            match self.rest.strip_prefix('=') {
                // No parameter: after a comma the next scheme, else that single token.
                None if separated => {
                    self.rest = before;
                    return Ok(parameters);
                }
                None => {}
                Some(rest) if rest.is_empty() || rest.starts_with(['=', ',']) => {
                    self.skip("=");
                }
                Some(rest) => {
                    self.rest = rest;
                    self.skip(" \t");
                    let value = self.value()?;
                    if parameters.insert(name.to_ascii_lowercase(), value).is_some() {
                        return Err(format!("it says `{name}` twice"));
                    }
                }
            }
        }
    }

    fn value(&mut self) -> Result<String, String> {
        let Some(quoted) = self.rest.strip_prefix('"') else {
            return self.token().map(str::to_owned);
        };
        let mut value = String::new();
        let mut characters = quoted.chars();
        while let Some(character) = characters.next() {
            match character {
                '"' => {
                    self.rest = characters.as_str();
                    return Ok(value);
                }
                '\\' => value.extend(characters.next()),
                _ => value.push(character),
            }
        }
        Err("a quoted text in it has no end".to_owned())
    }

    /// A token of RFC 9110, and `/` as some write it without quotes.
    fn token(&mut self) -> Result<&'a str, String> {
        let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~/:".contains(c);
        let end = self.rest.find(|c| !is_token(c)).unwrap_or(self.rest.len());
        match self.rest.split_at_checked(end) {
            Some((token, rest)) if !token.is_empty() => {
                self.rest = rest;
                Ok(token)
            }
            _ => Err("it is not written as RFC 9110 has it".to_owned()),
        }
    }

    /// Whether any of `characters` were skipped.
    fn skip(&mut self, characters: &str) -> bool {
        let rest = self.rest.trim_start_matches(|c| characters.contains(c));
        let skipped = rest.len() < self.rest.len();
        self.rest = rest;
        skipped
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read(values: &[&str]) -> Result<Challenge, String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(WWW_AUTHENTICATE, HeaderValue::from_str(value).unwrap());
        }
        Challenge::read(&headers)
    }

    fn bearer(realm: &str, service: Option<&str>) -> Challenge {
        Challenge::Bearer { realm: realm.to_owned(), service: service.map(str::to_owned) }
    }

    #[test]
    fn demands_are_read_as_servers_write_them() {
        let full = bearer("https://auth.example/token", Some("registry.example"));
        for (values, expected) in [
            (vec!["Basic"], Challenge::Basic),
            (vec!["Basic realm=\"a, b\", charset=\"UTF-8\""], Challenge::Basic),
            (vec!["basic realm=x"], Challenge::Basic),
            (
                vec![
                    "Bearer realm=\"https://auth.example/token\",service=\"registry.example\",scope=\"repository:a/b:pull,push\"",
                ],
                full.clone(),
            ),
            (
                vec![
                    "bEARER SERVICE=registry.example , , realm = \"https://auth.example/token\" ,",
                ],
                full.clone(),
            ),
            (vec!["Bearer realm=https://auth.example/t"], bearer("https://auth.example/t", None)),
            // The better of several, in one header or in two.
            (vec!["Basic realm=\"x\", Bearer realm=\"r\""], bearer("r", None)),
            (vec!["Basic realm=\"x\"", "Bearer realm=\"r\""], bearer("r", None)),
            // Schemes that nobody here knows, with their tokens of base64.
            (vec!["Negotiate YII==, Basic realm=\"x\""], Challenge::Basic),
            (vec!["Negotiate", "NTLM abc=", "Basic"], Challenge::Basic),
            (vec!["Negotiate, Bearer realm=\"r\""], bearer("r", None)),
            (vec![r#"Bearer realm="a\"b\\c""#], bearer("a\"b\\c", None)),
        ] {
            assert_eq!(read(&values), Ok(expected), "{values:?}");
        }
    }

    #[test]
    fn what_cannot_be_understood_is_refused() {
        let long = format!("Basic realm=\"{}\"", "x".repeat(LONGEST));
        for values in [
            &[][..],
            &[""],
            &["Digest realm=\"x\""],
            &["Bearer"],
            &["Bearer service=\"x\""],
            &["Bearer realm=\"x"],
            &["Bearer realm=\"x\", realm=\"y\""],
            &["Bearer realm=\"x\" ; y"],
            &["\"Basic\""],
            &[&long],
        ] {
            assert!(read(values).is_err(), "{values:?}");
        }
    }
}
