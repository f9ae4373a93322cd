//! Two web servers for tests that are scripts: `loopback FILE` writes the certificate of their
//! authority to FILE, prints the URLs of the two, and serves until its standard input ends. It must
//! never listen on anything but loopback.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::io::{self, Read, Write};

use wassette_testkit::{Answer, Certificates, WebServer};

fn main() -> io::Result<()> {
    let file = std::env::args_os().nth(1).expect("the file of the certificate");
    let certificates = Certificates::new();
    std::fs::write(file, certificates.pem())?;
    let serve = |words: &'static str| {
        WebServer::start_tls(&certificates, &["localhost"], move |_| Answer::text(words))
    };
    let (first, second) = (serve("first"), serve("second"));
    let mut stdout = io::stdout();
    writeln!(stdout, "{}", first.url("localhost", "/"))?;
    writeln!(stdout, "{}", second.url("localhost", "/"))?;
    stdout.flush()?;
    io::stdin().read_to_end(&mut Vec::new())?;
    // What a guest was kept from must not have come by another way either.
    writeln!(stdout, "{} {}", first.seen().len(), second.seen().len())
}
