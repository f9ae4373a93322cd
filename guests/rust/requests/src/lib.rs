//! An HTTP client that does what it is told, sensible or not.
//! It must never follow a redirect or mend an address: the tests want to see what the host does with it.

wit_bindgen::generate!({ path: "wit", world: "requests" });

mod send;

use std::collections::BTreeMap;

use exports::test::requests::http_client::{Guest as Client, Header, Response};
use send::{Target, answer, consumed, head, start};
use wasip2::http::types::{Fields, RequestOptions, Scheme};

struct Requests;

impl Guest for Requests {
    fn fetch(url: String) -> Result<String, String> {
        let response = Requests::request("GET".into(), url, Vec::new(), None)?;
        match response.status {
            200..300 => Ok(response.body),
            status => Err(format!("HTTP status {status}: {}", response.body)),
        }
    }
}

impl Client for Requests {
    fn request(method: String, url: String, headers: Vec<Header>, body: Option<String>) -> Result<Response, String> {
        answer(start(&method, Target::parse(&url)?, &headers, body.as_deref(), None)?)
    }
    fn crooked_request(
        scheme: String,
        authority: Option<String>,
        path: String,
        headers: Vec<Header>,
    ) -> Result<Response, String> {
        let scheme = match scheme.as_str() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => Scheme::Other(scheme),
        };
        answer(start("GET", Target { scheme, authority, path }, &headers, None, None)?)
    }
    fn request_within(url: String, millis: u64) -> Result<Response, String> {
        let options = RequestOptions::new();
        let limit = Some(millis.saturating_mul(1_000_000));
        options.set_connect_timeout(limit).map_err(|()| "the time to connect was refused")?;
        options.set_first_byte_timeout(limit).map_err(|()| "the time to the first byte was refused")?;
        options.set_between_bytes_timeout(limit).map_err(|()| "the time between bytes was refused")?;
        answer(start("GET", Target::parse(&url)?, &[], None, Some(options))?)
    }
    fn request_many(url: String, count: u32) -> u32 {
        let started: Vec<_> =
            (0..count).filter_map(|_| start("GET", Target::parse(&url).ok()?, &[], None, None).ok()).collect();
        started.into_iter().filter_map(|future| answer(future).ok()).count() as u32
    }
    fn request_many_outcomes(url: String, count: u32) -> Vec<(String, u32)> {
        let target = || Target::parse(&url);
        let started: Vec<_> = (0..count).map(|_| start("GET", target()?, &[], None, None)).collect();
        let mut outcomes = BTreeMap::new();
        for started in started {
            let outcome = started.and_then(answer).map(|response| response.status.to_string());
            *outcomes.entry(outcome.unwrap_or_else(|error| error)).or_insert(0) += 1;
        }
        outcomes.into_iter().collect()
    }
    fn follow(url: String, hops: u32) -> Result<Vec<String>, String> {
        let (mut url, mut seen) = (url, Vec::new());
        for _ in 0..=hops {
            let hop = Requests::request("GET".into(), url.clone(), Vec::new(), None);
            let response = hop.map_err(|error| format!("{}, then {url}: {error}", seen.join(", ")))?;
            seen.push(format!("{} {url}", response.status));
            match response.headers.into_iter().find(|header| header.name.eq_ignore_ascii_case("location")) {
                Some(location) => url = location.value,
                None => break,
            }
        }
        Ok(seen)
    }
    fn count_bytes(url: String) -> Result<u64, String> {
        let response = head(start("GET", Target::parse(&url)?, &[], None, None)?)?;
        let mut count = 0;
        let ended = consumed(&response, |chunk| count += chunk.len() as u64);
        ended.map(|()| count).map_err(|error| format!("after {count} bytes: {error}"))
    }
    fn upload(url: String, bytes: u64) -> Result<u16, String> {
        let body = "u".repeat(bytes as usize);
        Ok(answer(start("POST", Target::parse(&url)?, &[], Some(&body), None)?)?.status)
    }
    fn send_variable(url: String, variable: String) -> Result<(String, String), String> {
        let value = std::env::var(&variable).map_err(|error| error.to_string())?;
        let header = Header { name: "authorization".into(), value: format!("Bearer {value}") };
        let url = format!("{url}?value={value}");
        let response = Requests::request("POST".into(), url, vec![header], Some(value.clone()))?;
        Ok((value, response.body))
    }
    fn build_headers(count: u32, bytes: u32) -> Result<u32, String> {
        let fields = Fields::new();
        let value = vec![b'h'; bytes as usize];
        for built in 0..count {
            fields.append(&format!("x-{built}"), &value).map_err(|error| format!("after {built} fields: {error:?}"))?;
        }
        Ok(count)
    }
}

export!(Requests);
