//! A component goes through a file and is still what it was, with all that vouches for it; and a file
//! does not become what it says that it is.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::KeyPair;
use wassette_store::StoreError;
use wassette_toolbox::{
    ExportError, ExportRequest, Exported, ImportError, KeyFile, LoadError, Loaded, PushRequest,
};

use crate::pushes::Publisher;
use crate::{Workshop, answering};

async fn export(workshop: &Workshop, id: &str, path: &Path) -> Result<Exported, ExportError> {
    let request = ExportRequest {
        id: id.to_owned(),
        path: path.to_owned(),
        overwrite: false,
        plain_http: false,
    };
    workshop.toolbox.export(&request).await
}

async fn import(workshop: &Workshop, path: &Path) -> Result<Loaded, ImportError> {
    workshop.toolbox.import(workshop.request(&path.to_string_lossy()), |_| {}).await
}

/// An archive of a component from a registry, signed by `key`, and who published it.
async fn signed(key: Option<KeyFile>) -> (Publisher, PathBuf, Exported) {
    let publisher = Publisher::new();
    let request = PushRequest { key, ..publisher.request() };
    let request = PushRequest { key: request.key.or(publisher.key()), ..publisher.request() };
    publisher.push(request).await.unwrap();
    let workshop = &publisher.workshop;
    workshop.load(&publisher.registry.reference("tools/tell", "1")).await.unwrap();
    let path = workshop.folder.path().join("tell.tar");
    let exported = export(workshop, "tell", &path).await.unwrap();
    (publisher, path, exported)
}

#[tokio::test]
async fn a_verified_archive_is_what_it_says() {
    let (publisher, path, exported) = signed(None).await;
    assert_eq!(exported.signatures, 2);
    let other = publisher.demanding();
    let requests = publisher.registry.seen().len();
    let loaded = import(&other, &path).await.unwrap();
    assert_eq!(publisher.registry.seen().len(), requests, "nothing is asked for");
    let source = format!("oci://{}/tools/tell", publisher.registry.host());
    assert_eq!((loaded.component.id.as_str(), &loaded.component.source), ("tell", &source));
    assert!(loaded.signer.unwrap().starts_with("key sha256:"));
    // It goes on as if it had been pulled.
    let again = other.load(&publisher.registry.reference("tools/tell", "1")).await.unwrap();
    assert_eq!(again.component.digest, exported.component.to_string());
    let second = other.folder.path().join("again.tar");
    assert_eq!(export(&other, "tell", &second).await.unwrap().manifest, exported.manifest);
    assert_eq!(fs::read(&second).unwrap(), fs::read(&path).unwrap());
}

#[tokio::test]
async fn denied_an_archive_the_source_that_it_claims_where_nobody_verified_it() {
    let (publisher, path, exported) = signed(None).await;
    let other = Workshop::with(|options| options.plain_http = true);
    let loaded = import(&other, &path).await.unwrap();
    assert_eq!(loaded.component.digest, exported.component.to_string());
    assert!(loaded.component.source.starts_with("file:///"), "{}", loaded.component.source);
    assert!(loaded.unverified.unwrap().contains("tools/tell"));
    assert_eq!(loaded.signer, None);
    // So it takes nothing over from the one that really came from there.
    let third = Workshop::with(|options| options.plain_http = true);
    third.load(&publisher.registry.reference("tools/tell", "1")).await.unwrap();
    let error = import(&third, &path).await.unwrap_err();
    let refused =
        matches!(error, ImportError::Load(LoadError::Store(StoreError::OtherSource { .. })));
    assert!(refused, "{error}");
}

#[tokio::test]
async fn denied_an_archive_whose_signature_is_not_the_one_that_is_demanded() {
    let other = tempfile::tempdir().unwrap();
    let path = other.path().join("other.pem");
    fs::write(&path, KeyPair::generate().unwrap().serialize_pem()).unwrap();
    let (publisher, path, _) = signed(Some(KeyFile { path, password: None })).await;
    let demanding = publisher.demanding();
    let error = import(&demanding, &path).await.unwrap_err();
    assert!(matches!(error, ImportError::Load(LoadError::Unsigned { .. })), "{error}");
    assert!(demanding.names().await.is_empty());
}

#[tokio::test]
async fn denied_an_archive_that_was_changed() {
    let (publisher, path, exported) = signed(None).await;
    let archive = fs::read(&path).unwrap();
    let wasm = answering("tell", 42);
    let at = archive.windows(wasm.len()).position(|part| part == wasm).unwrap();
    let mut changed = archive.clone();
    changed[at + wasm.len() - 1] ^= 1;
    fs::write(&path, &changed).unwrap();
    let error = import(&publisher.demanding(), &path).await.unwrap_err();
    let ImportError::Archive { cause, .. } = &error else { panic!("{error}") };
    assert!(cause.to_string().contains(&exported.component.to_string()), "{cause}");
    for cut in (0..archive.len()).step_by(512) {
        fs::write(&path, &archive[..cut]).unwrap();
        let error = import(&publisher.demanding(), &path).await.err();
        // The zeros at the end say nothing.
        assert!(error.is_some() || archive[cut..].iter().all(|byte| *byte == 0), "{cut}");
    }
}

#[tokio::test]
async fn a_file_goes_through_an_archive_and_leaves_its_path_behind() {
    let workshop = Workshop::new();
    workshop
        .put("tool.wasm", &answering("tell", 42))
        .put("tool.policy.yaml", b"version: \"1.0\"\npermissions: {}\n");
    let loaded = workshop.load("tool.wasm").await.unwrap();
    let path = workshop.folder.path().join("tool.tar");
    let exported = export(&workshop, "tool", &path).await.unwrap();
    assert_eq!(exported.component.to_string(), loaded.component.digest);
    assert_eq!(exported.signatures, 0);
    let archive = fs::read(&path).unwrap();
    let folder = workshop.folder.path().to_string_lossy().into_owned();
    assert!(!String::from_utf8_lossy(&archive).contains(&folder));
    let error = export(&workshop, "tool", &path).await.unwrap_err();
    assert!(matches!(error, ExportError::Exists { .. }), "{error}");
    let error = export(&workshop, "tool", &workshop.folder.path().join("no/x.tar")).await;
    assert!(matches!(error, Err(ExportError::Write { .. })));
    let request = ExportRequest {
        id: "tool".to_owned(),
        path: path.clone(),
        overwrite: true,
        plain_http: false,
    };
    workshop.toolbox.export(&request).await.unwrap();
    assert_eq!(fs::read(&path).unwrap(), archive, "the same each time");
    let left = fs::read_dir(workshop.folder.path()).unwrap();
    let left =
        left.filter(|it| it.as_ref().unwrap().file_name().to_string_lossy().contains("export"));
    assert_eq!(left.count(), 0);

    let other = Workshop::new();
    let imported = import(&other, &path).await.unwrap();
    assert_eq!(imported.component.digest, loaded.component.digest);
    assert!(imported.component.requested().is_some());
    assert_eq!(imported.unverified, None);
    assert!(other.load("oci://localhost:1/x").await.is_err());
    let error = other.toolbox.import(other.request("oci://localhost:1/x"), |_| {}).await;
    assert!(matches!(error, Err(ImportError::NoFile { .. })));
}
