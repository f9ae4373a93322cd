//! The paths of the distribution specification. What is here must never answer badly by itself:
//! that is for a test's own fault to do.

use serde_json::{Value, json};

use super::contents::{Contents, Stored, digest_of};
use super::{IMAGE_INDEX, IMAGE_MANIFEST};
use crate::web_server::{Answer, Seen};

/// What a registry that holds `contents` answers.
pub(super) fn answer(contents: &mut Contents, seen: &Seen) -> Answer {
    let (path, query) = seen.target.split_once('?').unwrap_or((&seen.target, ""));
    if let Some(page) = contents.pages.get(path) {
        return part_of(contents.ranges, &page.bytes, &page.media_type, &[], seen);
    }
    if let Some(refused) = contents.access.answer(seen) {
        return refused;
    }
    let Some(path) = path.strip_prefix("/v2/") else { return refused(404, "NAME_UNKNOWN") };
    if path.is_empty() {
        return Answer::text("{}");
    }
    if path == "_catalog" {
        return listed(
            contents.page,
            "/v2/_catalog",
            query,
            contents.names(),
            |names| json!({ "repositories": names }),
        );
    }
    if let Some((repository, upload)) = path.split_once("/blobs/uploads/") {
        return uploaded(contents, seen, repository, upload, query);
    }
    if let Some((repository, digest)) = path.split_once("/blobs/") {
        return blob(contents, seen, repository, digest);
    }
    if let Some((repository, reference)) = path.split_once("/manifests/") {
        return match seen.method.as_str() {
            "PUT" => put_manifest(contents, seen, repository, reference),
            _ => manifest(contents, seen, repository, reference),
        };
    }
    if let Some(repository) = path.strip_suffix("/tags/list") {
        if !contents.holds(repository) {
            return refused(404, "NAME_UNKNOWN");
        }
        let place = format!("/v2/{repository}/tags/list");
        return listed(
            contents.page,
            &place,
            query,
            contents.tags(repository),
            |tags| json!({ "name": repository, "tags": tags }),
        );
    }
    if let (Some((repository, digest)), true) = (path.split_once("/referrers/"), contents.referrers)
    {
        let index = contents.referrers_of(repository, digest);
        return page(200, &[("content-type", IMAGE_INDEX.to_owned())], index.to_string());
    }
    refused(404, "NAME_UNKNOWN")
}

fn blob(contents: &Contents, seen: &Seen, repository: &str, digest: &str) -> Answer {
    let Some(bytes) = contents.blob(repository, digest) else {
        return refused(404, "BLOB_UNKNOWN");
    };
    let headers = [("docker-content-digest", digest.to_owned())];
    part_of(contents.ranges, bytes, "application/octet-stream", &headers, seen)
}

/// The bytes from the one that the request's range begins with.
fn part_of(
    ranges: bool,
    bytes: &[u8],
    media_type: &str,
    headers: &[(&'static str, String)],
    seen: &Seen,
) -> Answer {
    let mut headers = headers.to_vec();
    headers.push(("content-type", media_type.to_owned()));
    headers.push(("etag", format!("\"{}\"", digest_of(bytes))));
    let range = seen.header("range").and_then(|range| range.strip_prefix("bytes="));
    let first = range.and_then(|range| range.split('-').next()?.parse::<usize>().ok());
    let (Some(first), true) = (first, ranges) else { return page(200, &headers, bytes) };
    let Some(part) = bytes.get(first..).filter(|part| !part.is_empty()) else {
        return page(416, &[("content-range", format!("bytes */{}", bytes.len()))], "");
    };
    let range = format!("bytes {first}-{}/{}", bytes.len() - 1, bytes.len());
    headers.push(("content-range", range));
    page(206, &headers, part)
}

fn manifest(contents: &Contents, _seen: &Seen, repository: &str, reference: &str) -> Answer {
    let Some(Stored { media_type, bytes }) = contents.manifest(repository, reference) else {
        return refused(404, "MANIFEST_UNKNOWN");
    };
    let headers =
        [("content-type", media_type.clone()), ("docker-content-digest", digest_of(bytes))];
    page(200, &headers, bytes.as_slice())
}

fn put_manifest(contents: &mut Contents, seen: &Seen, repository: &str, reference: &str) -> Answer {
    let media_type = seen.header("content-type").unwrap_or(IMAGE_MANIFEST).to_owned();
    let digest = digest_of(&seen.body);
    let tag = (!reference.starts_with("sha256:")).then_some(reference);
    if tag.is_none() && reference != digest {
        return refused(400, "DIGEST_INVALID");
    }
    if let Some(missing) = missing(contents, repository, &seen.body) {
        return refused(400, &format!("MANIFEST_BLOB_UNKNOWN {missing}"));
    }
    let subject = Contents::subject(&media_type, &seen.body).filter(|_| contents.referrers);
    contents.put_manifest(repository, tag, &media_type, seen.body.clone());
    let mut headers = vec![
        ("location", format!("/v2/{repository}/manifests/{digest}")),
        ("docker-content-digest", digest),
    ];
    headers.extend(subject.map(|subject| ("oci-subject", subject)));
    page(201, &headers, "")
}

/// The first blob that a manifest names and that is not there.
fn missing(contents: &Contents, repository: &str, manifest: &[u8]) -> Option<String> {
    let manifest: Value = serde_json::from_slice(manifest).ok()?;
    let layers = manifest.get("layers").and_then(Value::as_array);
    let named = layers.into_iter().flatten().chain(manifest.get("config"));
    let mut digests = named.filter_map(|named| named.get("digest")?.as_str());
    digests.find(|digest| contents.blob(repository, digest).is_none()).map(str::to_owned)
}

fn uploaded(
    contents: &mut Contents,
    seen: &Seen,
    repository: &str,
    upload: &str,
    query: &str,
) -> Answer {
    let digest = parameter(query, "digest").map(|digest| digest.replace("%3A", ":"));
    match (seen.method.as_str(), digest) {
        ("POST", None) => {
            let upload = format!("upload-{}", contents.uploads.len());
            contents.uploads.insert(upload.clone(), Vec::new());
            let place = format!("/v2/{repository}/blobs/uploads/{upload}?state=a%2Bb");
            page(202, &[("location", place), ("range", "0-0".to_owned())], "")
        }
        ("PATCH", None) => {
            let Some(begun) = contents.uploads.get_mut(upload) else {
                return refused(404, "BLOB_UPLOAD_UNKNOWN");
            };
            begun.extend_from_slice(&seen.body);
            let (place, end) = (seen.target.clone(), begun.len().saturating_sub(1));
            page(202, &[("location", place), ("range", format!("0-{end}"))], "")
        }
        ("PUT" | "POST", Some(digest)) => {
            let mut bytes = contents.uploads.remove(upload).unwrap_or_default();
            bytes.extend_from_slice(&seen.body);
            if digest_of(&bytes) != digest {
                return refused(400, "DIGEST_INVALID");
            }
            contents.put_blob(repository, bytes);
            page(201, &[("location", format!("/v2/{repository}/blobs/{digest}"))], "")
        }
        _ => refused(405, "UNSUPPORTED"),
    }
}

/// A page of `names` after the one that the query names, with a link to the next.
fn listed(
    most: usize,
    place: &str,
    query: &str,
    names: Vec<String>,
    shown: impl Fn(&[String]) -> Value,
) -> Answer {
    let most = parameter(query, "n").and_then(|n| n.parse().ok()).unwrap_or(most).min(most);
    let last = parameter(query, "last").map(|last| last.replace("%2F", "/"));
    let begin = last.map_or(0, |last| names.partition_point(|name| *name <= last));
    let rest = names.get(begin..).unwrap_or_default();
    let (these, left) = rest.split_at(rest.len().min(most));
    let mut headers = Vec::new();
    if let (Some(last), false) = (these.last(), left.is_empty()) {
        headers.push(("link", format!(r#"<{place}?n={most}&last={last}>; rel="next""#)));
    }
    page(200, &headers, shown(these).to_string())
}

fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    let mut parts = query.split('&').filter_map(|part| part.split_once('='));
    parts.find(|(found, _)| *found == name).map(|(_, value)| value)
}

fn page(status: u16, headers: &[(&'static str, String)], body: impl Into<Vec<u8>>) -> Answer {
    Answer::Page { status, headers: headers.to_vec(), body: body.into() }
}

/// An error as the specification has it.
fn refused(status: u16, code: &str) -> Answer {
    let errors = json!({ "errors": [{ "code": code, "message": "a registry of a test says so" }] });
    page(status, &[("content-type", "application/json".to_owned())], errors.to_string())
}
