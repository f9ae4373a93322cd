//! Which features of WebAssembly a component needs and this build does not have. Whether a component
//! is valid at all is found out on the way, in a hundredth of the time that compiling it takes.

use wasmparser::{Parser, Payload, Validator, WasmFeatures};

use crate::error::{CompileError, Feature};

/// What the engine runs: what `engine::config` switches on, of what Wasmtime was built with.
const RUNS: WasmFeatures = WasmFeatures::WASM3
    .difference(WasmFeatures::GC_TYPES)
    .difference(WasmFeatures::EXCEPTIONS)
    .difference(WasmFeatures::THREADS)
    .difference(WasmFeatures::MEMORY64)
    .union(WasmFeatures::COMPONENT_MODEL)
    .union(WasmFeatures::CM_ASYNC)
    .union(WasmFeatures::CM_MAP)
    .union(WasmFeatures::CM_FIXED_LENGTH_LISTS);

const CUT_OFF: &str = "the file seems to be cut off: was the build or the download interrupted?";
const NO_EXCEPTIONS: &str = "build without exceptions: `-fno-exceptions` (C++), \
     `-C panic=abort` (Rust)";
const NO_THREADS: &str = "build for one thread: without `-pthread` (C, C++), with \
     `-C target-feature=-atomics` (Rust)";
const UNFINISHED: &str = "it is not part of the standard yet; build without it";

/// What features are called, and how to build without them.
const KNOWN: [(WasmFeatures, &str, &str); 14] = [
    (
        WasmFeatures::GC_TYPES,
        "garbage-collected references (GC, `externref`)",
        "build for linear memory: `-C target-feature=-reference-types` (Rust), \
         `-mno-reference-types` (C, C++); compilers that leave memory to the engine, such as those \
         of Kotlin and Dart, cannot",
    ),
    (WasmFeatures::EXCEPTIONS, "exception handling", NO_EXCEPTIONS),
    (WasmFeatures::LEGACY_EXCEPTIONS, "exception handling in its older form", NO_EXCEPTIONS),
    (
        WasmFeatures::MEMORY64,
        "64-bit memories (memory64)",
        "build for `wasm32` instead of `wasm64`",
    ),
    (WasmFeatures::THREADS, "threads", NO_THREADS),
    (WasmFeatures::SHARED_EVERYTHING_THREADS, "shared-everything threads", NO_THREADS),
    (WasmFeatures::CM_THREADING, "threads of the component model", NO_THREADS),
    (WasmFeatures::STACK_SWITCHING, "stack switching", UNFINISHED),
    (
        WasmFeatures::WIDE_ARITHMETIC,
        "wide arithmetic",
        "build without it: `-C target-feature=-wide-arithmetic` (Rust), `-mno-wide-arithmetic` \
         (C, C++)",
    ),
    (
        WasmFeatures::CUSTOM_PAGE_SIZES,
        "memory pages of another size",
        "link with pages of 64 KiB: without `--page-size`",
    ),
    (WasmFeatures::CM_ERROR_CONTEXT, "`error-context` in the component model", UNFINISHED),
    (WasmFeatures::CM_VALUES, "values in the component model", UNFINISHED),
    (WasmFeatures::CM_GC, "garbage collection in the component model", UNFINISHED),
    (WasmFeatures::CM64, "64-bit memories in the component model", UNFINISHED),
];

/// The features that the component needs and that this build lacks.
///
/// # Errors
/// Why it is not a valid component, whatever the features.
pub(crate) fn lacking(bytes: &[u8]) -> Result<Vec<Feature>, CompileError> {
    if is_cut_off(bytes) {
        let reason = "it ends within one of its parts".to_owned();
        return Err(CompileError::Invalid { reason, help: CUT_OFF.to_owned() });
    }
    let mut features = RUNS;
    let mut lacking = Vec::new();
    loop {
        let Err(error) = Validator::new_with_features(features).validate_all(bytes) else { break };
        match error.missing_wasm_feature() {
            Some(missing) if !features.contains(missing) => {
                features |= missing;
                lacking.push(feature(missing));
            }
            _ if lacking.is_empty() => return Err(invalid(&error, bytes)),
            // What has such a feature is seen through as far as that goes.
            _ => break,
        }
    }
    Ok(lacking)
}

/// Whether a module or a component within begins that does not end; the validator does not mind.
fn is_cut_off(bytes: &[u8]) -> bool {
    Parser::new(0).parse_all(bytes).map_while(Result::ok).any(|payload| match payload {
        Payload::ModuleSection { unchecked_range, .. }
        | Payload::ComponentSection { unchecked_range, .. } => unchecked_range.end > bytes.len(),
        _ => false,
    })
}

fn feature(missing: WasmFeatures) -> Feature {
    let known = KNOWN.iter().find(|(feature, ..)| feature.contains(missing));
    match known {
        Some((_, name, cure)) => Feature { name: (*name).to_owned(), cure: (*cure).to_owned() },
        None => {
            let names: Vec<&str> = missing.iter_names().map(|(name, _)| name).collect();
            let name = names.join(", ").to_ascii_lowercase().replace('_', " ");
            Feature { name, cure: UNFINISHED.to_owned() }
        }
    }
}

fn invalid(error: &wasmparser::Error, bytes: &[u8]) -> CompileError {
    let reason = wassette_wit_json::clean(&error.to_string(), 500).replace('\n', " ");
    let help = if reason.contains("unexpected end") || reason.contains("is out of bounds (bound") {
        CUT_OFF
    } else if Validator::new_with_features(WasmFeatures::default()).validate_all(bytes).is_err() {
        "`wasm-tools validate` says the same; rebuild the component with a current toolchain"
    } else {
        "rebuild the component with a current toolchain"
    };
    CompileError::Invalid { reason, help: help.to_owned() }
}

#[cfg(test)]
mod tests {
    use wasmtime::component::Component;

    use super::*;
    use crate::engine;

    /// One component for each feature: what it is called, what it holds in a core module.
    const LACKING: [(&str, &str); 11] = [
        ("garbage-collected references", "(type $s (struct (field i32)))"),
        ("garbage-collected references", "(table 1 externref)"),
        ("garbage-collected references", "(func (param anyref))"),
        ("exception handling", "(tag (param i32))"),
        ("exception handling", "(tag $e) (func (throw $e))"),
        ("exception handling in its older form", "(func try catch_all end)"),
        ("64-bit memories", "(memory i64 1)"),
        ("threads", "(memory 1 1 shared)"),
        ("threads", "(memory 1) (func (drop (i32.atomic.load (i32.const 0))))"),
        (
            "wide arithmetic",
            "(func (param i64 i64) (drop (drop (i64.mul_wide_u (local.get 0) (local.get 1)))))",
        ),
        ("memory pages of another size", "(memory 1 (pagesize 1))"),
    ];

    /// What the engine runs.
    const RUNNING: [&str; 9] = [
        "(func (export \"f\") (result i32 i32) (return_call 0))",
        "(memory 1) (memory 1)",
        "(global i32 (i32.add (i32.const 1) (i32.const 2)))",
        "(memory 1) (func (memory.fill (i32.const 0) (i32.const 0) (i32.const 0)))",
        "(func (param v128) (drop (i32x4.relaxed_trunc_f32x4_s (local.get 0))))",
        "(type $f (func)) (func (param (ref null $f)) (call_ref $f (local.get 0)))",
        "(table 1 funcref) (func (drop (table.grow (ref.null func) (i32.const 1))))",
        "(func (param i32) (drop (i32.extend8_s (local.get 0))))",
        "(func (param f32) (drop (i32.trunc_sat_f32_s (local.get 0))))",
    ];

    fn of(module: &str) -> Vec<u8> {
        wat::parse_str(format!("(component (core module {module}))")).unwrap()
    }

    #[test]
    fn what_this_build_lacks_is_named_and_what_wasmtime_refuses_is_lacking() {
        let engine = wasmtime::Engine::new(&engine::config()).unwrap();
        for (name, module) in LACKING {
            let bytes = of(module);
            let lacking = lacking(&bytes).unwrap();
            assert!(
                lacking.iter().any(|lack| lack.name.starts_with(name)),
                "{module}: {lacking:?}"
            );
            assert!(Component::from_binary(&engine, &bytes).is_err(), "{module}");
        }
        for module in RUNNING {
            let bytes = of(module);
            assert_eq!(lacking(&bytes), Ok(Vec::new()), "{module}");
            Component::from_binary(&engine, &bytes).unwrap();
        }
    }

    #[test]
    fn all_that_is_lacking_is_named() {
        let bytes = of("(memory i64 1) (tag) (table 1 externref)");
        let names: Vec<String> =
            lacking(&bytes).unwrap().into_iter().map(|feature| feature.name).collect();
        assert_eq!(names.len(), 3, "{names:?}");
    }

    #[test]
    fn what_is_invalid_is_no_lack() {
        let error = lacking(&of("(func (result i32))")).unwrap_err();
        let CompileError::Invalid { help, .. } = error else { panic!("{error}") };
        assert!(help.starts_with("`wasm-tools validate` says the same"), "{help}");
    }
}
