//! What is written is read, and nothing is read that is not what it says.

use super::*;

fn component() -> (Vec<Named>, Vec<Vec<u8>>) {
    let wasm = b"some wasm".to_vec();
    let manifest = format!(r#"{{"layers":[{{"digest":"{}"}}]}}"#, Digest::of(&wasm)).into_bytes();
    let subject = Digest::of(&manifest);
    let referrer = format!(r#"{{"subject":{{"digest":"{subject}"}}}}"#).into_bytes();
    let signatures = br#"{"layers":[]}"#.to_vec();
    let named = |bytes: &[u8], tag: Option<String>| Named {
        digest: Digest::of(bytes),
        size: u64::try_from(bytes.len()).unwrap(),
        media_type: IMAGE_MANIFEST.to_owned(),
        artifact_type: None,
        tag,
        reference: None,
    };
    let mut manifests = vec![
        named(&manifest, Some("1.0".to_owned())),
        named(&signatures, Some(signature_tag(&subject))),
        named(&referrer, None),
    ];
    manifests[0].reference = Some("oci://localhost:5000/a/b:1.0".to_owned());
    manifests[2].artifact_type = Some("application/x".to_owned());
    (manifests, vec![wasm, manifest, signatures, referrer])
}

fn written(manifests: &[Named], blobs: &[Vec<u8>]) -> Vec<u8> {
    let blobs = blobs.iter().map(|bytes| (Digest::of(bytes), bytes.as_slice())).collect();
    let mut archive = Vec::new();
    write_layout(&mut archive, manifests, &blobs).unwrap();
    archive
}

/// An archive with just these entries.
fn tar(entries: &[(EntryType, &str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (kind, path, bytes) in entries {
        let mut header = Header::new_gnu();
        header.set_entry_type(*kind);
        header.set_size(u64::try_from(bytes.len()).unwrap());
        // Not through `set_path`, which refuses what we want to see refused.
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_cksum();
        tar.append(&header, *bytes).unwrap();
    }
    tar.into_inner().unwrap()
}

const VERSION: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;
const EMPTY_INDEX: &[u8] = br#"{"schemaVersion":2,"manifests":[]}"#;
const FILE: EntryType = EntryType::Regular;

fn refused(entries: &[(EntryType, &str, &[u8])]) -> String {
    read_layout(tar(entries).as_slice(), 1 << 20).unwrap_err().to_string()
}

#[test]
fn what_is_written_is_read_and_written_the_same() {
    let (manifests, blobs) = component();
    let archive = written(&manifests, &blobs);
    let layout = read_layout(archive.as_slice(), 1 << 20).unwrap();
    assert_eq!(layout.manifests, manifests);
    assert_eq!(layout.blobs.len(), blobs.len());
    let found = layout.component().unwrap();
    assert_eq!(found, &manifests[0]);
    assert_eq!(layout.blob(&Digest::of(b"some wasm")).unwrap(), b"some wasm");
    let reversed: Vec<Vec<u8>> = blobs.into_iter().rev().collect();
    assert_eq!(written(&manifests, &reversed), archive);
}

#[test]
fn folders_and_dots_of_other_programs_are_passed_over() {
    let archive = tar(&[
        (EntryType::Directory, "blobs/", b""),
        (EntryType::Directory, "./blobs/sha256", b""),
        (FILE, "./oci-layout", VERSION),
        (FILE, "index.json", EMPTY_INDEX),
    ]);
    let layout = read_layout(archive.as_slice(), 1 << 20).unwrap();
    assert_eq!(
        layout.component().unwrap_err().to_string(),
        "the archive holds 0 components, and not one"
    );
}

#[test]
fn denied_archive_entries_that_are_no_plain_files_of_a_layout() {
    for path in ["../oci-layout", "/etc/passwd", "blobs/sha256/../x", "blobs/sha512/00", "x"] {
        assert!(refused(&[(FILE, path, b"x")]).contains("has no place"), "{path}");
    }
    for kind in [EntryType::Symlink, EntryType::Link, EntryType::Char, EntryType::GNUSparse] {
        assert!(!refused(&[(kind, "oci-layout", b"")]).is_empty(), "{kind:?}");
    }
    assert!(refused(&[(EntryType::Directory, "elsewhere", b"")]).contains("has no place"));
    let twice = [(FILE, "index.json", EMPTY_INDEX), (FILE, "index.json", EMPTY_INDEX)];
    assert_eq!(refused(&twice), "`index.json` stands in the archive twice");
    let text = refused(&[(FILE, "a\u{202e}b\x1b[2J", b"")]);
    assert!(text.contains(r"a\u{202e}b\u{1b}[2J"), "{text}");
}

#[test]
fn denied_archive_blobs_with_other_bytes_than_their_digest() {
    let digest = Digest::of(b"right");
    let path = format!("blobs/sha256/{}", digest.hex());
    let text = refused(&[(FILE, &path, b"wrong")]);
    assert_eq!(
        text,
        format!("the file of {digest} in the archive has the digest {}", Digest::of(b"wrong"))
    );
    let (manifests, mut blobs) = component();
    blobs.retain(|bytes| Digest::of(bytes) != manifests[0].digest);
    let text = read_layout(written(&manifests, &blobs).as_slice(), 1 << 20).unwrap_err();
    assert_eq!(
        text.to_string(),
        format!("the archive does not hold {}, which it names", manifests[0].digest)
    );
}

/// Whatever becomes of an archive on its way, its blobs are what they are called.
#[test]
fn denied_archives_that_were_damaged_anywhere() {
    let (manifests, blobs) = component();
    let whole = written(&manifests, &blobs);
    let layout = read_layout(whole.as_slice(), 1 << 20).unwrap();
    let mut refused = 0;
    for position in 0..whole.len() {
        let mut changed = whole.clone();
        changed[position] ^= 0x41;
        match read_layout(changed.as_slice(), 1 << 20) {
            Ok(found) => assert_eq!(found.blobs, layout.blobs, "byte {position}"),
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 1000, "{refused}");
    for end in 0..whole.len() {
        if let Ok(found) = read_layout(&whole[..end], 1 << 20) {
            assert_eq!(found, layout, "cut at {end}");
        }
    }
}

#[test]
fn denied_archives_beyond_their_bounds() {
    let (manifests, blobs) = component();
    let archive = written(&manifests, &blobs);
    let size = u64::try_from(archive.len()).unwrap();
    read_layout(archive.as_slice(), size).unwrap();
    let error = read_layout(archive.as_slice(), size / 2).unwrap_err();
    assert!(matches!(error, ArchiveError::TooLarge { .. }), "{error}");

    // A head that promises more than there is: no memory is taken for the promise.
    let mut lying = tar(&[(FILE, "oci-layout", VERSION)]);
    lying.truncate(512);
    let mut header = Header::new_gnu();
    header.as_mut_bytes().copy_from_slice(&lying);
    header.set_size(1 << 60);
    header.set_cksum();
    let error = read_layout(header.as_bytes().as_slice(), 1 << 20).unwrap_err();
    assert!(matches!(error, ArchiveError::Layout | ArchiveError::Unreadable { .. }), "{error}");

    let many: Vec<Vec<u8>> = (0..300_u32).map(|number| number.to_le_bytes().to_vec()).collect();
    let error = read_layout(written(&[], &many).as_slice(), 1 << 20).unwrap_err();
    assert_eq!(error.to_string(), "the archive holds more than 256 files");
    let index = vec![manifests[0].clone(); 65];
    let error = read_layout(written(&index, &blobs).as_slice(), 1 << 20).unwrap_err();
    assert_eq!(error.to_string(), "the archive holds more than 64 manifests");
}

#[test]
fn what_is_no_layout_is_refused() {
    assert!(refused(&[(FILE, "index.json", EMPTY_INDEX)]).contains("no OCI image layout"));
    let other: &[u8] = br#"{"imageLayoutVersion":"2.0.0"}"#;
    let text = refused(&[(FILE, "oci-layout", other), (FILE, "index.json", EMPTY_INDEX)]);
    assert!(text.contains("no OCI image layout"), "{text}");
    let text = refused(&[(FILE, "oci-layout", VERSION), (FILE, "index.json", b"{")]);
    assert!(text.starts_with("`index.json` in the archive cannot be read: "), "{text}");
    assert!(read_layout([0x1f, 0x8b, 8, 0].as_slice(), 1 << 20).is_err());
    let (manifests, mut blobs) = component();
    blobs.retain(|bytes| bytes != b"some wasm");
    let text = read_layout(written(&manifests, &blobs).as_slice(), 1 << 20).unwrap_err();
    assert!(text.to_string().contains(&Digest::of(b"some wasm").to_string()), "{text}");
    let (mut manifests, mut blobs) = component();
    let other = br#"{"layers":[],"other":true}"#.to_vec();
    manifests.push(Named { digest: Digest::of(&other), tag: None, ..manifests[0].clone() });
    blobs.push(other);
    let two = read_layout(written(&manifests, &blobs).as_slice(), 1 << 20).unwrap();
    assert_eq!(
        two.component().unwrap_err().to_string(),
        "the archive holds 2 components, and not one"
    );
    manifests.truncate(1);
    manifests[0].media_type = IMAGE_INDEX.to_owned();
    let index = read_layout(written(&manifests, &blobs).as_slice(), 1 << 20).unwrap();
    assert!(index.component().unwrap_err().to_string().contains("not an image manifest"));
}
