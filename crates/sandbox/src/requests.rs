//! What a guest may write into a request before it is sent. The host keeps those texts, and neither
//! the limit on memory nor that on handles counts them, so each is bounded here: together with the
//! limit on handles that bounds what all of them take.

use wasmtime::component::{Linker, Resource};
use wasmtime::{Result, StoreContextMut};
use wasmtime_wasi_http::WasiHttpView;
use wasmtime_wasi_http::p2::bindings::http::types::{HostOutgoingRequest as _, Method, Scheme};
use wasmtime_wasi_http::p2::types::HostOutgoingRequest;

use crate::sandbox::Sandbox;

/// The version in which `wasmtime-wasi-http` provides the interface; the linker matches the others.
const TYPES: &str = "wasi:http/types@0.2.12";

/// The longest path with its query, in bytes.
const PATH: usize = 8 << 10;
/// The longest host with its port.
const AUTHORITY: usize = 512;
/// The longest method and the longest scheme.
const WORD: usize = 32;

/// All headers of one message, as the host keeps them.
pub(crate) const FIELDS: usize = 16 << 10;
/// What a guest may write of a body before somebody has taken it.
pub(crate) const CHUNK: usize = 16 << 10;

type Request = Resource<HostOutgoingRequest>;
type Answer = Result<(std::result::Result<(), ()>,)>;

/// Puts the bounds in front of the functions that `wasmtime-wasi-http` provides.
pub(crate) fn add_to_linker(linker: &mut Linker<Sandbox>) -> Result<()> {
    linker.allow_shadowing(true);
    let mut types = linker.instance(TYPES)?;
    types.func_wrap(
        "[method]outgoing-request.set-method",
        |mut store: StoreContextMut<'_, Sandbox>, (request, method): (Request, Method)| -> Answer {
            if matches!(&method, Method::Other(other) if other.len() > WORD) {
                return Ok((Err(()),));
            }
            Ok((store.data_mut().http().set_method(request, method)?,))
        },
    )?;
    types.func_wrap(
        "[method]outgoing-request.set-scheme",
        |mut store: StoreContextMut<'_, Sandbox>,
         (request, scheme): (Request, Option<Scheme>)|
         -> Answer {
            if matches!(&scheme, Some(Scheme::Other(other)) if other.len() > WORD) {
                return Ok((Err(()),));
            }
            Ok((store.data_mut().http().set_scheme(request, scheme)?,))
        },
    )?;
    types.func_wrap(
        "[method]outgoing-request.set-authority",
        |mut store: StoreContextMut<'_, Sandbox>,
         (request, text): (Request, Option<String>)|
         -> Answer {
            if longer(text.as_deref(), AUTHORITY) {
                return Ok((Err(()),));
            }
            Ok((store.data_mut().http().set_authority(request, text)?,))
        },
    )?;
    types.func_wrap(
        "[method]outgoing-request.set-path-with-query",
        |mut store: StoreContextMut<'_, Sandbox>,
         (request, text): (Request, Option<String>)|
         -> Answer {
            if longer(text.as_deref(), PATH) {
                return Ok((Err(()),));
            }
            Ok((store.data_mut().http().set_path_with_query(request, text)?,))
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

fn longer(text: Option<&str>, most: usize) -> bool {
    text.is_some_and(|text| text.len() > most)
}
