//! The compiler's process: bounded in processor time, memory and time on the clock, and never the
//! end of whoever asked.

use wassette_policy::{Bytes, Limits};
use wassette_sandbox::{CompileError, CompileLimits, Compiled, Compiler};
use wassette_testkit::compiled;

fn child() -> Compiler {
    Compiler::Child {
        program: env!("CARGO_BIN_EXE_wassette").into(),
        arguments: vec!["compile-component".into()],
    }
}

async fn compile(bytes: &[u8], bounds: CompileLimits) -> Result<Compiled, CompileError> {
    child().compile(bytes, &Limits::default(), &bounds).await
}

/// One function of many nested blocks, which takes an optimising compiler far more time than its
/// size suggests.
fn bomb() -> Vec<u8> {
    let branch = "(if (local.get 0) (then (local.set 1 (i32.add (local.get 1) (local.get 0)))))";
    let body = branch.repeat(60_000);
    wat::parse_str(format!(
        "(component
           (core module $m (func (export \"f\") (param i32) (result i32) (local i32) {body} (local.get 1)))
           (core instance $i (instantiate $m))
           (func (export \"f\") (param \"v\" u32) (result u32) (canon lift (core func $i \"f\"))))"
    ))
    .unwrap()
}

#[tokio::test]
async fn a_component_comes_back_compiled() {
    let compiled = compile(&compiled("add"), CompileLimits::default()).await.unwrap();
    assert_eq!(compiled.description.functions[0].id.name, "add");
}

#[tokio::test]
async fn refusals_cross_the_pipe_as_they_are() {
    let refused = compile(b"", CompileLimits::default()).await.err();
    assert_eq!(refused, Some(CompileError::Empty));
    let refused = compile(&compiled("unknown-import"), CompileLimits::default()).await.err();
    let imports = vec!["nobody:knows/this@1.0.0".to_owned()];
    assert_eq!(refused, Some(CompileError::MissingImports { imports }));
}

#[tokio::test]
async fn denied_a_compiler_that_takes_too_long_is_stopped() {
    let bounds = CompileLimits { seconds: 1, seconds_per_mebibyte: 0, ..CompileLimits::default() };
    let refused = compile(&bomb(), bounds).await.err();
    let limit = "1s of processor time".to_owned();
    assert_eq!(refused, Some(CompileError::TooCostly { limit }));
}

#[tokio::test]
async fn denied_a_compiler_that_takes_too_much_memory_is_stopped() {
    let bounds = CompileLimits { memory: Bytes::mebi(256), ..CompileLimits::default() };
    let refused = compile(&bomb(), bounds.clone()).await.err();
    let limit = "256Mi of memory".to_owned();
    assert_eq!(refused, Some(CompileError::TooCostly { limit }));
    // Which is enough for an ordinary component.
    let ordinary = std::fs::read(wassette_testkit::built("conformance")).unwrap();
    assert_eq!(compile(&ordinary, bounds).await.err(), None);
}

#[tokio::test]
async fn a_compiler_that_is_not_one_is_an_error() {
    for (program, arguments) in [("/no/such/program", vec![]), ("true", vec![]), ("false", vec![])]
    {
        let compiler = Compiler::Child { program: program.into(), arguments };
        let refused = compiler
            .compile(&compiled("add"), &Limits::default(), &CompileLimits::default())
            .await
            .err();
        assert!(matches!(refused, Some(CompileError::Broken { .. })), "{program}: {refused:?}");
    }
}

/// Whatever the bytes, the answer is a component or a reason, and never the end of the process: 60
/// times, or as often as `MUTATIONS` says.
#[tokio::test]
async fn mutated_components_are_answered() {
    let sound = std::fs::read(wassette_testkit::built("conformance")).unwrap();
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % u64::try_from(below).unwrap()).unwrap()
    };
    let rounds = std::env::var("MUTATIONS").map_or(60, |rounds| rounds.parse().unwrap());
    for _ in 0..rounds {
        let mut mutated = sound.clone();
        for _ in 0..1 + next(8) {
            let at = next(mutated.len());
            mutated[at] = u8::try_from(next(256)).unwrap();
        }
        if let Err(error) = compile(&mutated, CompileLimits::default()).await {
            assert!(!matches!(error, CompileError::Broken { .. }), "{error}");
        }
    }
}
