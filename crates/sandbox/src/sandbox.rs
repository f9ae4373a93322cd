//! The world of one call: the `T` of its `Store<T>`. Built from nothing, it holds nothing but the
//! call's authority: whatever leads out of it asks that first.

use std::sync::Arc;

use wasmtime::component::{Linker, ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};
use wassette_policy::Limits;

use crate::authority::Authority;
use crate::effects::{Effects, Observer};
use crate::egress::Egress;
use crate::environment::{self, Environment};
use crate::limits::Growth;
use crate::meter::Meter;
use crate::placeholders::Placeholders;
use crate::requests;
use crate::sockets::{self, Sockets};
use crate::stdio::Capture;
use crate::storage::{self, Files};

/// What outlives the guest: who asks after the call finds here what it did.
#[derive(Clone)]
pub(crate) struct Record {
    pub(crate) meter: Arc<Meter>,
    pub(crate) effects: Effects,
    pub(crate) stdout: Capture,
    pub(crate) stderr: Capture,
}

impl Record {
    pub(crate) fn new(limits: &Limits, observer: Option<Arc<dyn Observer>>) -> Self {
        Self {
            meter: Arc::default(),
            effects: Effects::new(limits, observer),
            stdout: Capture::new(limits.output_bytes.size()),
            stderr: Capture::new(limits.output_bytes.size()),
        }
    }
}

/// The state of one call.
pub(crate) struct Sandbox {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    egress: Egress,
    pub(crate) environment: Environment,
    pub(crate) files: Files,
    pub(crate) sockets: Sockets,
    pub(crate) table: ResourceTable,
    pub(crate) growth: Growth,
}

impl Sandbox {
    pub(crate) fn new(authority: &Arc<Authority>, record: &Record) -> Self {
        let limits = &authority.limits;
        let handles = usize::try_from(limits.handles).unwrap_or(usize::MAX);
        let mut table = ResourceTable::new();
        table.set_max_capacity(handles);
        let effects = || record.effects.clone();
        let placeholders = Placeholders::new(authority.effective().injected());
        let sockets = Sockets::new(authority.clone(), effects());
        let mut wasi = WasiCtx::builder();
        wasi.stdout(record.stdout.clone())
            .stderr(record.stderr.clone())
            .max_random_size(limits.host_call_bytes.count());
        sockets.configure(&mut wasi);
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(requests::FIELDS);
        Self {
            wasi: wasi.build(),
            http,
            egress: Egress::new(authority.clone(), effects(), placeholders.clone()),
            environment: Environment::new(authority.clone(), effects(), placeholders),
            files: Files::new(authority.clone(), effects()),
            sockets,
            table,
            growth: Growth::new(limits, record.meter.clone()),
        }
    }
}

impl WasiView for Sandbox {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Sandbox {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.egress, table: &mut self.table, ctx: &mut self.http }
    }
}

/// All of WASI 0.2, so that ordinary components instantiate. What an interface can reach is the
/// sandbox's business, not the linker's.
pub(crate) fn linker(engine: &wasmtime::Engine) -> wasmtime::Result<Linker<Sandbox>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    requests::add_to_linker(&mut linker)?;
    environment::add_to_linker(&mut linker)?;
    storage::add_to_linker(&mut linker)?;
    sockets::add_to_linker(&mut linker)?;
    Ok(linker)
}

/// Whether an import of this name has a provider here, its version aside.
pub(crate) fn provides(import: &str) -> bool {
    const PROVIDED: [&str; 31] = [
        "wasi:cli/environment",
        "wasi:cli/exit",
        "wasi:cli/stderr",
        "wasi:cli/stdin",
        "wasi:cli/stdout",
        "wasi:cli/terminal-input",
        "wasi:cli/terminal-output",
        "wasi:cli/terminal-stderr",
        "wasi:cli/terminal-stdin",
        "wasi:cli/terminal-stdout",
        "wasi:clocks/monotonic-clock",
        "wasi:clocks/wall-clock",
        "wasi:config/runtime",
        "wasi:config/store",
        "wasi:filesystem/preopens",
        "wasi:filesystem/types",
        "wasi:http/outgoing-handler",
        "wasi:http/types",
        "wasi:io/error",
        "wasi:io/poll",
        "wasi:io/streams",
        "wasi:random/insecure",
        "wasi:random/insecure-seed",
        "wasi:random/random",
        "wasi:sockets/instance-network",
        "wasi:sockets/ip-name-lookup",
        "wasi:sockets/network",
        "wasi:sockets/tcp",
        "wasi:sockets/tcp-create-socket",
        "wasi:sockets/udp",
        "wasi:sockets/udp-create-socket",
    ];
    let (name, version) = import.split_once('@').unwrap_or((import, ""));
    version.starts_with("0.2.") && PROVIDED.contains(&name)
}
