//! `wasi:config`, under every name that toolchains gave its drafts. It knows no key: values will
//! come from a policy, and there is none yet.

use wasmtime::component::{ComponentType, Lift, Linker, Lower};
use wasmtime::{Result, StoreContextMut};

use crate::sandbox::Sandbox;

/// The names of the interface. The functions are the same in all of them.
const INTERFACES: [&str; 5] = [
    "wasi:config/store@0.2.0-rc.1",
    "wasi:config/store@0.2.0-draft",
    "wasi:config/store@0.2.0-draft-2024-09-27",
    "wasi:config/runtime@0.2.0-draft",
    "wasi:config/runtime@0.2.0-draft-2024-09-27",
];

/// The interface's `error`: its cases are part of the type even though we report none.
#[derive(ComponentType, Lift, Lower)]
#[component(variant)]
enum ConfigurationError {
    #[component(name = "upstream")]
    Upstream(String),
    #[component(name = "io")]
    Io(String),
}

type Answer<T> = Result<(std::result::Result<T, ConfigurationError>,)>;

pub(crate) fn add_to_linker(linker: &mut Linker<Sandbox>) -> Result<()> {
    for interface in INTERFACES {
        let mut instance = linker.instance(interface)?;
        instance.func_wrap(
            "get",
            |_: StoreContextMut<'_, Sandbox>, (_key,): (String,)| -> Answer<Option<String>> {
                Ok((Ok(None),))
            },
        )?;
        instance.func_wrap(
            "get-all",
            |_: StoreContextMut<'_, Sandbox>, (): ()| -> Answer<Vec<(String, String)>> {
                Ok((Ok(Vec::new()),))
            },
        )?;
    }
    Ok(())
}
