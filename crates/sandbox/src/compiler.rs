//! The compiler as a process of its own: our own program again, with limits on processor time,
//! memory and time on the clock. Some hundred kilobytes of hostile WebAssembly keep a compiler busy
//! for minutes, and nothing inside the process could stop it. Bytes from outside never reach a
//! compiler in the process that serves.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitCode, ExitStatus, Stdio};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use wassette_policy::{Bytes, Limits};

use crate::compile::{Compiled, Survey, compile, survey};
use crate::error::CompileError;

/// How many bytes of code a component of `size` bytes may become. Toolchains' output grows three to
/// ten times; a file that grows a thousand times was made to fill a disk.
fn most_code(size: usize) -> usize {
    (32 << 20) + 16 * size.min(1 << 30)
}

/// Where components are compiled.
#[derive(Debug, Clone)]
pub enum Compiler {
    /// In a child process: `program` with `arguments`, which must end up in [`compile_child`].
    Child {
        /// The program, as a rule our own.
        program: PathBuf,
        /// What makes it a compiler.
        arguments: Vec<OsString>,
    },
    /// In this process, without limits. For tests and for components that one has built oneself.
    InProcess,
}

/// What one compilation may take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompileLimits {
    /// Seconds of processor time, whatever the size.
    pub seconds: u64,
    /// Seconds of processor time for each mebibyte on top. StarlingMonkey's 12 MiB take 9 in all.
    pub seconds_per_mebibyte: u64,
    /// Seconds of processor time at the most, however large.
    pub most_seconds: u64,
    /// Address space of the process.
    pub memory: Bytes,
}

impl Default for CompileLimits {
    fn default() -> Self {
        Self { seconds: 30, seconds_per_mebibyte: 6, most_seconds: 180, memory: Bytes::mebi(4096) }
    }
}

impl CompileLimits {
    /// Seconds of processor time for a component of this size.
    fn cpu(&self, size: usize) -> u64 {
        let mebibytes = u64::try_from(size >> 20).unwrap_or(0);
        let more = self.seconds_per_mebibyte.saturating_mul(mebibytes);
        self.seconds.saturating_add(more).min(self.most_seconds.max(self.seconds))
    }

    /// On the clock: machines are shared and the compiler gives way to everybody, so far more than
    /// the processor's time. It ends a process that hangs.
    fn clock(&self, size: usize) -> Duration {
        Duration::from_secs(self.cpu(size).saturating_mul(5).saturating_add(60))
    }
}

#[derive(Serialize, Deserialize)]
struct Request {
    task: Task,
    limits: Limits,
    cpu: u64,
    memory: u64,
}

/// What is wanted of a component.
#[derive(Clone, Copy, Serialize, Deserialize)]
enum Task {
    /// What it is.
    Survey,
    /// Its code.
    Compile,
    /// Its code, if it has tools.
    CompileTools,
}

type Answer = Result<Survey, CompileError>;

impl Compiler {
    /// Compiles `bytes` for calls under `limits`. Dropping the future stops the compiler.
    pub async fn compile(
        &self,
        bytes: &[u8],
        limits: &Limits,
        bounds: &CompileLimits,
    ) -> Result<Compiled, CompileError> {
        let (survey, code) = self.work(Task::Compile, bytes, limits, bounds).await?;
        Ok(Compiled { description: survey.description, code })
    }

    /// Compiles `bytes` like [`compile`](Self::compile), but refuses a component of which no function
    /// becomes a tool, before it is compiled.
    pub async fn compile_tools(
        &self,
        bytes: &[u8],
        limits: &Limits,
        bounds: &CompileLimits,
    ) -> Result<Compiled, CompileError> {
        let (survey, code) = self.work(Task::CompileTools, bytes, limits, bounds).await?;
        Ok(Compiled { description: survey.description, code })
    }

    /// Finds out what the component `bytes` is, whether it could be called under `limits` or not.
    /// It takes a fraction of a compilation. Dropping the future stops it.
    ///
    /// # Errors
    /// Why the bytes are no component at all.
    pub async fn survey(
        &self,
        bytes: &[u8],
        limits: &Limits,
        bounds: &CompileLimits,
    ) -> Result<Survey, CompileError> {
        Ok(self.work(Task::Survey, bytes, limits, bounds).await?.0)
    }

    async fn work(
        &self,
        task: Task,
        bytes: &[u8],
        limits: &Limits,
        bounds: &CompileLimits,
    ) -> Result<(Survey, Vec<u8>), CompileError> {
        match self {
            Self::InProcess => {
                let (bytes, limits) = (bytes.to_vec(), limits.clone());
                tokio::task::spawn_blocking(move || work(task, &bytes, &limits))
                    .await
                    .unwrap_or_else(|error| Err(broken("the compiler's thread ended", error)))
            }
            Self::Child { program, arguments } => {
                let mut command = Command::new(program);
                command.args(arguments);
                let (cpu, memory) = (bounds.cpu(bytes.len()), bounds.memory.count());
                let request = Request { task, limits: limits.clone(), cpu, memory };
                work_in(command, bytes, &request, bounds).await
            }
        }
    }
}

/// The work itself: what the component is and, where it is wanted, its code.
fn work(task: Task, bytes: &[u8], limits: &Limits) -> Result<(Survey, Vec<u8>), CompileError> {
    let tools = match task {
        Task::Survey => return Ok((survey(bytes, limits)?, Vec::new())),
        Task::Compile => false,
        Task::CompileTools => true,
    };
    let Compiled { description, code } = compile(bytes, limits, tools)?;
    Ok((Survey { description, faults: Vec::new() }, code))
}

async fn work_in(
    mut command: Command,
    bytes: &[u8],
    request: &Request,
    bounds: &CompileLimits,
) -> Result<(Survey, Vec<u8>), CompileError> {
    let mut header =
        serde_json::to_vec(request).map_err(|error| broken("cannot ask the compiler", error))?;
    header.push(b'\n');

    let mut child = command
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| broken("cannot start the compiler", error))?;
    let talked =
        tokio::time::timeout(bounds.clock(bytes.len()), converse(&mut child, &header, bytes));
    let Ok(talked) = talked.await else {
        return Err(CompileError::TooCostly {
            limit: format!("{}s on the clock", bounds.clock(bytes.len()).as_secs()),
        });
    };
    let (status, output, complaint) = talked.map_err(|error| broken("lost the compiler", error))?;
    if !status.success() {
        return Err(died(status, &complaint, request.cpu, bounds.memory));
    }
    read_answer(output)
}

/// Sends the component, reads the answer, waits for the end, all at once: pipes are short.
async fn converse(
    child: &mut Child,
    header: &[u8],
    bytes: &[u8],
) -> io::Result<(ExitStatus, Vec<u8>, Vec<u8>)> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let send = async {
        if let Some(mut stdin) = stdin {
            // A compiler that has died before it read everything tells more by its status.
            let _ = stdin.write_all(header).await;
            let _ = stdin.write_all(bytes).await;
        }
    };
    // The description and one byte too many come on top.
    let most = u64::try_from(most_code(bytes.len()) + (32 << 20)).unwrap_or(u64::MAX);
    let (mut output, mut complaint) = (Vec::new(), Vec::new());
    let receive = async {
        if let Some(stdout) = stdout {
            stdout.take(most).read_to_end(&mut output).await?;
        }
        io::Result::Ok(())
    };
    let listen = async {
        if let Some(stderr) = stderr {
            stderr.take(1 << 16).read_to_end(&mut complaint).await?;
        }
        io::Result::Ok(())
    };
    let ((), received, listened) = tokio::join!(send, receive, listen);
    received?;
    listened?;
    Ok((child.wait().await?, output, complaint))
}

fn read_answer(mut output: Vec<u8>) -> Result<(Survey, Vec<u8>), CompileError> {
    let end = output.iter().position(|byte| *byte == b'\n').unwrap_or(output.len());
    let answer: Answer = serde_json::from_slice(output.get(..end).unwrap_or_default())
        .map_err(|error| broken("cannot read the compiler's answer", error))?;
    let survey = answer?;
    output.drain(..(end + 1).min(output.len()));
    Ok((survey, output))
}

/// What it means that the compiler did not end well. Its own limits end it by a signal, or by an
/// allocation that fails.
fn died(status: ExitStatus, complaint: &[u8], cpu: u64, memory: Bytes) -> CompileError {
    let complaint = String::from_utf8_lossy(complaint);
    let words = wassette_wit_json::clean(complaint.trim(), 500);
    const KILL: i32 = 9;
    const CPU: i32 = 24;
    match status.signal() {
        Some(CPU) => {
            return CompileError::TooCostly { limit: format!("{cpu}s of processor time") };
        }
        Some(KILL) => {
            let reason = "it was killed, perhaps because the machine is short of memory";
            return CompileError::Broken { reason: reason.to_owned() };
        }
        _ => {}
    }
    const OUT_OF_MEMORY: [&str; 3] =
        ["memory allocation of", "out of memory", "Cannot allocate memory"];
    if OUT_OF_MEMORY.iter().any(|symptom| words.contains(symptom)) {
        return CompileError::TooCostly { limit: format!("{memory} of memory") };
    }
    CompileError::Broken { reason: format!("{status}: {words}") }
}

fn broken(what: &str, error: impl std::fmt::Display) -> CompileError {
    CompileError::Broken { reason: format!("{what}: {error}") }
}

/// What the child process does, all of it: read a component from stdin, compile it within limits
/// that it sets itself first, write the answer to stdout.
pub fn compile_child() -> ExitCode {
    match serve_one() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

fn serve_one() -> io::Result<()> {
    let mut input = io::stdin().lock();
    let mut header = Vec::new();
    io::BufRead::read_until(&mut input, b'\n', &mut header)?;
    let request: Request = serde_json::from_slice(&header)?;
    restrict(&request)?;
    let mut bytes = Vec::new();
    input.read_to_end(&mut bytes)?;

    let (answer, code) = match work(request.task, &bytes, &request.limits) {
        Ok((_, code)) if code.len() > most_code(bytes.len()) => {
            let limit = format!("{} MiB of code", most_code(bytes.len()) >> 20);
            (Err(CompileError::TooCostly { limit }), Vec::new())
        }
        Ok((survey, code)) => (Ok(survey), code),
        Err(error) => (Err(error), Vec::new()),
    };
    let mut output = io::stdout().lock();
    serde_json::to_writer(&mut output, &(answer as Answer))?;
    output.write_all(b"\n")?;
    output.write_all(&code)?;
    output.flush()
}

/// Binds this process, before it has read a byte of the component.
fn restrict(request: &Request) -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, nice, setrlimit};
    // The soft limit ends us with a signal of its own, before the hard one kills.
    let lower = |resource, amount: u64| {
        let now = getrlimit(resource);
        // A limit that somebody else has set is kept where it is the lower one.
        let amount = now.maximum.map_or(amount, |most| most.min(amount));
        let maximum = now.maximum.map_or(amount + 1, |most| most.min(amount + 1));
        setrlimit(resource, Rlimit { current: Some(amount), maximum: Some(maximum) })
    };
    lower(Resource::Cpu, request.cpu)?;
    lower(Resource::As, request.memory)?;
    lower(Resource::Core, 0)?;
    // Calls that are running matter more than a component that is being loaded.
    nice(10)?;
    Ok(())
}
