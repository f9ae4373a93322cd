//! What is left out.

use super::{Omitted, omitted};
use crate::function::{Function, FunctionId, Param};
use crate::types::Type;

fn function(interface: Option<&str>, name: &str, params: &[&str]) -> Function {
    let params = params.iter().map(|name| Param::new(*name, Type::String));
    Function::new(FunctionId::new(interface, name), params, None)
}

#[test]
fn what_toolchains_export_for_themselves_is_left_out() {
    let toolchain = |name: &str| Some(Omitted::Toolchain(name.to_owned()));
    assert_eq!(omitted(&function(None, "wizer-initialize", &[])), toolchain("Wizer"));
    assert_eq!(omitted(&function(None, "cabi_realloc", &[])), toolchain("the canonical ABI"));
    assert_eq!(
        omitted(&function(Some("exports"), "init", &["app-name"])),
        toolchain("componentize-py")
    );
    let init = function(None, "init", &["shim", "script", "entry-path", "disable-gc"]);
    assert_eq!(omitted(&init), toolchain("QuickJS"));
    assert_eq!(omitted(&init).unwrap().to_string(), "QuickJS exports it for itself");
}

#[test]
fn interfaces_that_hosts_call_are_left_out() {
    for interface in
        ["wasi:cli/run@0.2.6", "wasi:http/incoming-handler@0.2.12", "wasi:http/handler@0.3.2"]
    {
        let plain = interface.split('@').next().unwrap().to_owned();
        assert_eq!(omitted(&function(Some(interface), "run", &[])), Some(Omitted::Standard(plain)));
    }
}

#[test]
fn everything_else_is_a_tool() {
    for function in [
        function(None, "init", &[]),
        function(None, "init", &["name"]),
        function(None, "run", &[]),
        function(Some("my:tools/exports"), "init", &[]),
        function(Some("my:wasi/run"), "run", &[]),
        function(Some("exported"), "get", &[]),
    ] {
        assert_eq!(omitted(&function), None, "{}", function.id);
    }
}
