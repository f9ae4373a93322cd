//! A registry that others wrote: Debian's `docker-registry`, on loopback, in a folder of its own.
//! It must never outlive its value, nor serve anything but loopback.

use std::env;
use std::fmt;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::certificates::Certificates;

/// The program, and where Debian has it.
const PROGRAM: &str = "docker-registry";

/// Who may use a registry with credentials: the name, the password, and what the registry is given,
/// which is bcrypt's with the least cost.
const USERNAME: &str = "user";
const PASSWORD: &str = "a password";
const HTPASSWD: &str = "user:$2y$05$sN8e3UDlJoCsj7Gim4nA.eDfr0/75o23/axapyvog/7WNJwZ8HIh6\n";

/// Set where every test has to run, as the gate does.
const REQUIRED: &str = "WASSETTE_TEST_REGISTRY";

/// How long it may take until it answers.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a [`RealRegistry`] is to be like.
#[derive(Default)]
pub struct RealRegistryOptions<'a> {
    /// Whether it asks for [`RealRegistry::USERNAME`] and its password.
    pub credentials: bool,
    /// Whose certificate it has; without, it speaks plain HTTP.
    pub certificates: Option<&'a Certificates>,
}

/// Debian's registry, which stops when this is dropped.
pub struct RealRegistry {
    process: Child,
    pub(super) port: u16,
    folder: TempDir,
}

impl RealRegistry {
    /// The name of who may use a registry with credentials.
    pub const USERNAME: &str = USERNAME;

    /// The password that belongs to it.
    pub const PASSWORD: &str = PASSWORD;

    /// Starts a registry at a free port of 127.0.0.1. Where the program is not installed it gives
    /// `None` and says so, unless `WASSETTE_TEST_REGISTRY` is set.
    ///
    /// # Panics
    /// If the program is needed and missing, or does not begin to serve.
    #[expect(clippy::print_stderr, reason = "who runs the tests is to know what did not run")]
    pub fn start(options: &RealRegistryOptions<'_>) -> Option<Self> {
        if !installed() {
            assert!(env::var_os(REQUIRED).is_none(), "`{PROGRAM}` is not installed");
            eprintln!("skipped: `{PROGRAM}` is not installed");
            return None;
        }
        let folder = TempDir::new().expect("a folder for the registry");
        let port = free_port().expect("a port for the registry");
        let file = folder.path().join("config.yml");
        fs::write(&file, config(options, port, folder.path())).expect("a file can be written");
        let process = Command::new(PROGRAM)
            .arg("serve")
            .arg(&file)
            .env_clear()
            .env("OTEL_TRACES_EXPORTER", "none")
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the registry starts");
        let mut registry = Self { process, port, folder };
        registry.wait();
        Some(registry)
    }

    /// `localhost:PORT`, as it stands in a reference.
    pub fn host(&self) -> String {
        format!("localhost:{}", self.port)
    }

    /// The reference of what is tagged `tag` in `repository`.
    pub fn reference(&self, repository: &str, tag: &str) -> String {
        format!("oci://{}/{repository}:{tag}", self.host())
    }

    /// Where it keeps what it holds.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn wait(&mut self) {
        let began = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            let ended = self.process.try_wait().expect("the state of the registry");
            assert!(ended.is_none(), "`{PROGRAM}` ended at once: {ended:?}");
            assert!(began.elapsed() < PATIENCE, "`{PROGRAM}` does not answer");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for RealRegistry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl fmt::Debug for RealRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RealRegistry({})", self.host())
    }
}

fn installed() -> bool {
    let paths = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&paths).any(|path| path.join(PROGRAM).is_file())
}

/// A port that was free a moment ago.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn config(options: &RealRegistryOptions<'_>, port: u16, folder: &Path) -> String {
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).expect("a file can be written");
        path.display().to_string()
    };
    let mut config = format!(
        "version: 0.1\n\
         log: {{ accesslog: {{ disabled: true }}, level: error }}\n\
         storage:\n\
         \x20 filesystem: {{ rootdirectory: \"{}\" }}\n\
         \x20 delete: {{ enabled: true }}\n\
         http:\n\
         \x20 addr: 127.0.0.1:{port}\n",
        folder.join("data").display()
    );
    if let Some(certificates) = options.certificates {
        let (certificate, key) = certificates.server_pem(&["localhost", "127.0.0.1"]);
        let (certificate, key) = (write("server.pem", &certificate), write("server.key", &key));
        config.push_str(&format!("  tls: {{ certificate: \"{certificate}\", key: \"{key}\" }}\n"));
    }
    if options.credentials {
        let path = write("htpasswd", HTPASSWD);
        config.push_str(&format!("auth:\n  htpasswd: {{ realm: tests, path: \"{path}\" }}\n"));
    }
    config
}
