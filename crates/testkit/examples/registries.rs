//! Two real registries for tests that are scripts: `registries FOLDER` puts the certificate of their
//! authority (`authority.pem`) and a pair of signing keys (`key.pem`, `key.pub`) into FOLDER, prints
//! the names of the two, and serves until its standard input ends. The first speaks plain HTTP to
//! everybody, the second has TLS and wants a name and password, which are printed beside. It must
//! never listen on anything but loopback.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::{self, Read, Write};
use std::path::PathBuf;

use rcgen::KeyPair;
use wassette_testkit::{Certificates, RealRegistry, RealRegistryOptions};

fn main() -> io::Result<()> {
    let folder = PathBuf::from(std::env::args_os().nth(1).expect("a folder"));
    let certificates = Certificates::new();
    fs::write(folder.join("authority.pem"), certificates.pem())?;
    let key = KeyPair::generate().expect("a key");
    fs::write(folder.join("key.pem"), key.serialize_pem())?;
    fs::write(folder.join("key.pub"), key.public_key_pem())?;
    let open = RealRegistry::start(&RealRegistryOptions::default()).expect("a registry");
    let options = RealRegistryOptions { credentials: true, certificates: Some(&certificates) };
    let private = RealRegistry::start(&options).expect("a registry");
    let mut stdout = io::stdout();
    writeln!(stdout, "{}", open.host())?;
    let (username, password) = (RealRegistry::USERNAME, RealRegistry::PASSWORD);
    writeln!(stdout, "{}\t{username}\t{password}", private.host())?;
    stdout.flush()?;
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
