//! Every limit ends the call that meets it, with an error of its own, and the next call works.

use wassette_policy::Limits;
use wassette_sandbox::{CallError, Outcome};
use wassette_wit_json::Value;

use crate::{Guest, limits, mebi, text, tight};

/// What `guest` ran into; afterwards it must still work.
async fn ended(guest: &Guest, name: &str, arguments: impl Into<Vec<Value>>) -> CallError {
    let error = guest.error(name, arguments).await;
    assert_eq!(guest.value("count-calls", []).await, Value::U32(1));
    error
}

#[tokio::test]
async fn denied_x01_a_loop_ends_at_the_limit_of_processor_time() {
    let guest = Guest::chaos().await;
    let error = ended(&guest, "infinite-loop", []).await;
    assert_eq!(error, CallError::Cpu { limit: tight().cpu });
    assert_eq!(error.to_string(), "the call was stopped at its limit of 200ms of processor time");
}

#[tokio::test]
async fn denied_x03_a_sleep_ends_at_the_limit_of_time() {
    let guest = Guest::chaos().await;
    let error = ended(&guest, "sleep-forever", []).await;
    assert_eq!(error, CallError::Time { limit: tight().time });
}

#[tokio::test]
async fn a_nap_is_not_processor_time() {
    let guest = Guest::chaos().await;
    let outcome = guest.call("sleep", [Value::U64(400)]).await;
    outcome.result.unwrap();
    assert!(outcome.usage.cpu < tight().cpu.duration());
    assert!(outcome.usage.time >= std::time::Duration::from_millis(400));
}

#[tokio::test]
async fn denied_x04_filling_memory_stays_within_memory_and_time() {
    let guest = Guest::wat("fills-memory", &tight()).await;
    let gibibyte = guest.call("fill", [Value::U32(16 << 10)]).await;
    assert_eq!(gibibyte.result, Err(CallError::Memory { limit: mebi(64) }));
    assert!(gibibyte.usage.memory <= mebi(64).count());
    let error = guest.error("fill", [Value::U32(768)]).await;
    assert_eq!(error, CallError::Cpu { limit: tight().cpu });
}

#[tokio::test]
async fn denied_x05_memory_ends_at_its_limit() {
    let guest = Guest::chaos().await;
    let outcome = guest.call("memory-bomb", []).await;
    assert_eq!(outcome.result, Err(CallError::Memory { limit: mebi(64) }));
    assert!(outcome.usage.memory <= mebi(64).count());
    assert!(outcome.usage.memory > mebi(30).count());
    assert_eq!(guest.value("allocate", [Value::U32(32)]).await, Value::U32(32));
}

#[tokio::test]
async fn denied_x06_memory_is_summed_over_all_memories() {
    for guest in ["grows-memory", "grows-many-memories"] {
        let mut limits = tight();
        limits.instances = 300;
        let guest = Guest::wat(guest, &limits).await;
        let name = guest.description.functions[0].id.name.clone();
        assert_eq!(guest.error(&name, []).await, CallError::Memory { limit: mebi(64) });
    }
}

#[tokio::test]
async fn denied_x08_tables_end_at_their_limit() {
    let guest = Guest::wat("grows-tables", &tight()).await;
    let name = guest.description.functions[0].id.name.clone();
    let error = guest.error(&name, []).await;
    assert_eq!(error, CallError::Tables { limit: Limits::default().table_elements });
}

#[tokio::test]
async fn denied_instances_end_at_their_limit() {
    let guest = Guest::wat("grows-many-memories", &limits([("instances", "300")])).await;
    let name = guest.description.functions[0].id.name.clone();
    let few = limits([("instances", "20"), ("memory", "4Gi")]);
    let refused = crate::compile(&wassette_testkit::compiled("grows-many-memories"), &few).await;
    let refused = refused.err().unwrap().to_string();
    assert_eq!(refused, "the component declares 200 memories, and the limit is 20");
    assert!(matches!(guest.error(&name, []).await, CallError::Memory { .. }));
}

#[tokio::test]
async fn denied_x09_recursion_ends_at_the_stack() {
    let guest = Guest::chaos().await;
    let error = ended(&guest, "stack-overflow", []).await;
    let words =
        "the component crashed: it read or wrote outside its memory (or ran out of its own stack)";
    assert_eq!(error.to_string(), words);
    let words = "the component crashed: its call stack overflowed (endless recursion?)";
    let guest = Guest::wat("recurses", &tight()).await;
    let name = guest.description.functions[0].id.name.clone();
    assert_eq!(guest.error(&name, [Value::U64(0)]).await.to_string(), words);
}

#[tokio::test]
async fn denied_x10_recursion_with_the_host_in_between_ends_the_call_alone() {
    let guest = Guest::wat("recurses-in-host", &tight()).await;
    let stack = "the component crashed: its call stack overflowed (endless recursion?)";
    for (name, words) in [
        ("recurses", stack),
        ("recurses-and-asks", stack),
        // The canonical ABI forbids it: an allocator may not leave the component.
        ("asks-again", "the component crashed: "),
    ] {
        let error = guest.error(name, []).await.to_string();
        assert!(error.starts_with(words), "{name}: {error}");
    }
}

#[tokio::test]
async fn denied_x11_handles_end_at_their_limit() {
    let guest = Guest::built("chaos", &limits([("handles", "500")])).await;
    assert_eq!(guest.value("leak-handles", [Value::U32(100)]).await, Value::U32(100));
    let error = ended(&guest, "leak-handles", [Value::U32(100_000)]).await;
    assert_eq!(error, CallError::Handles { limit: 500 });
}

#[tokio::test]
async fn denied_x12_random_bytes_end_at_their_limit() {
    let guest = Guest::chaos().await;
    let limit = CallError::HostCall { limit: Limits::default().host_call_bytes };
    assert_eq!(ended(&guest, "random", [Value::U64(1 << 40)]).await, limit);
    assert_eq!(guest.value("random", [Value::U64(1 << 10)]).await, Value::U64(1 << 10));
}

#[tokio::test]
async fn denied_x13_data_for_the_host_ends_at_its_limit() {
    let guest = Guest::built("chaos", &limits([("host-call-bytes", "4Mi")])).await;
    let limit = CallError::HostCall { limit: mebi(4) };
    assert_eq!(ended(&guest, "write-huge", [Value::U32(8)]).await, limit);
    assert_eq!(ended(&guest, "huge-bytes", [Value::U32(8 << 20)]).await, limit);
    assert_eq!(ended(&guest, "huge-string", [Value::U32(8 << 20)]).await, limit);
    assert_eq!(ended(&guest, "huge-list", [Value::U32(1 << 20)]).await, limit);
    // 200 MiB fit into the memory, and are still too much.
    let guest = Guest::built("chaos", &limits([("memory", "512Mi"), ("cpu", "30s")])).await;
    let limit = CallError::HostCall { limit: Limits::default().host_call_bytes };
    assert_eq!(ended(&guest, "write-huge", [Value::U32(200)]).await, limit);
}

#[tokio::test]
async fn denied_x15_output_is_cut_at_its_limit() {
    let guest = Guest::built("chaos", &limits([("output-bytes", "1Ki"), ("cpu", "200ms")])).await;
    let captured = |outcome: &Outcome, stdout: bool| {
        let output = if stdout { &outcome.stdout } else { &outcome.stderr };
        let (kept, note) = output.split_at(1024);
        assert!(!kept.contains('['));
        assert!(note.starts_with("\n[") && note.ends_with(" more bytes were dropped]"), "{note}");
    };
    captured(&guest.call("flood-stdout", []).await, true);
    captured(&guest.call("flood-stderr", []).await, false);
    assert_eq!(guest.value("count-calls", []).await, Value::U32(1));
}

#[tokio::test]
async fn denied_x18_an_exit_ends_the_call_alone() {
    let guest = Guest::chaos().await;
    assert_eq!(ended(&guest, "exit", [Value::Bool(true)]).await, CallError::Exit { code: 0 });
    assert_eq!(ended(&guest, "exit", [Value::Bool(false)]).await, CallError::Exit { code: 1 });
    let crash = "the component crashed: it gave up (a panic, an abort or an assertion)";
    assert_eq!(ended(&guest, "panic", [text("")]).await.to_string(), crash);
    let guest = Guest::wat("exits-with-code", &tight()).await;
    assert_eq!(guest.error("exit", [Value::U8(3)]).await, CallError::Exit { code: 3 });
}

#[tokio::test]
async fn denied_x19_header_fields_end_at_their_limit() {
    let guest = Guest::built("requests", &tight()).await;
    let build = |count, bytes| guest.call("build-headers", [Value::U32(count), Value::U32(bytes)]);
    let few = build(100, 20).await.result.unwrap().unwrap();
    assert_eq!(few, Value::Result(Ok(Some(Box::new(Value::U32(100))))));
    for (count, bytes) in [(10_000, 20), (1, 1 << 20)] {
        let refused = build(count, bytes).await.result;
        assert!(!matches!(refused, Ok(Some(Value::Result(Ok(_))))), "{count} {bytes}: {refused:?}");
    }
    assert_eq!(build(100, 20).await.result, Ok(Some(few)));
}

#[tokio::test]
async fn denied_x23_code_outside_the_function_is_under_the_same_limits() {
    let guest = Guest::wat("start-spins", &tight()).await;
    assert!(matches!(guest.error("f", []).await, CallError::Cpu { .. }));
    let guest = Guest::wat("start-traps", &tight()).await;
    assert!(matches!(guest.error("f", []).await, CallError::Trap { .. }));
    let guest = Guest::wat("bad-realloc", &tight()).await;
    assert!(matches!(guest.error("spins", [text("x")]).await, CallError::Cpu { .. }));
    assert!(matches!(guest.error("traps", [text("x")]).await, CallError::Trap { .. }));
    let guest = Guest::wat("post-return-traps", &tight()).await;
    assert!(matches!(guest.error("spins", []).await, CallError::Cpu { .. }));
    assert!(matches!(guest.error("traps", []).await, CallError::Trap { .. }));
}

#[tokio::test]
async fn each_way_to_crash_has_its_words() {
    let guest = Guest::chaos().await;
    let crash = "the component crashed: it gave up (a panic, an abort or an assertion)";
    assert_eq!(ended(&guest, "trap", []).await.to_string(), crash);
    let outcome = guest.call("panic", [text("oh no")]).await;
    assert_eq!(outcome.result.unwrap_err().to_string(), crash);
    assert!(outcome.stderr.contains("oh no"), "{}", outcome.stderr);
    assert_eq!(ended(&guest, "exit", [Value::Bool(true)]).await, CallError::Exit { code: 0 });
    assert_eq!(ended(&guest, "exit", [Value::Bool(false)]).await, CallError::Exit { code: 1 });
    let guest = Guest::wat("traps", &tight()).await;
    let zero = guest.error("divide", [Value::S32(1), Value::S32(0)]).await;
    assert_eq!(zero.to_string(), "the component crashed: it divided by zero");
}

#[tokio::test]
async fn values_that_break_the_rules_are_crashes() {
    let guest = Guest::wat("bad-values", &tight()).await;
    for name in [
        "not-utf8",
        "far-string",
        "huge-string",
        "crooked-list",
        "far-result",
        "bad-enum",
        "bad-char",
    ] {
        let error = guest.error(name, []).await;
        assert!(
            matches!(error, CallError::Trap { .. } | CallError::HostCall { .. }),
            "{name}: {error}"
        );
    }
    assert_eq!(guest.value("odd-bool", []).await, Value::Bool(true));
}

#[tokio::test]
async fn denied_what_the_host_keeps_for_a_guest_is_bounded() {
    let guest = Guest::wat("hoards-requests", &tight()).await;
    let few = guest.value("hoard", [Value::U32(100), Value::U32(20)]).await;
    assert_eq!(few, Value::U32(100));
    // A method of a megabyte is refused, and so is the handle after the last.
    let long = guest.error("hoard", [Value::U32(1), Value::U32(1 << 20)]).await;
    assert!(matches!(long, CallError::Trap { .. }), "{long}");
    let many = guest.error("hoard", [Value::U32(1_000_000), Value::U32(20)]).await;
    assert_eq!(many, CallError::Handles { limit: Limits::default().handles });
}

/// Two calls that take all that a component may have do not make others fail, or wait for long.
#[tokio::test]
async fn denied_a_greedy_component_leaves_room_for_others() {
    let mut memories = String::new();
    for index in 0..100 {
        memories.push_str(&format!(
            "(core module $m{index} (memory 0)) (core instance (instantiate $m{index}))"
        ));
    }
    let text = wassette_testkit::wat_text("spins").replacen(
        "(component",
        &format!("(component {memories}"),
        1,
    );
    let greedy = std::sync::Arc::new(
        Guest::new(&wat::parse_str(text).unwrap(), &limits([("cpu", "2s")])).await,
    );
    let name = greedy.description.functions[0].id.name.clone();
    let mut spinning = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (greedy, name) = (greedy.clone(), name.clone());
        spinning.spawn(async move { greedy.error(&name, []).await });
    }
    let modest = Guest::wat("add", &tight()).await;
    for _ in 0..20 {
        let sum = modest.value("add", [Value::S32(1), Value::S32(2)]).await;
        assert_eq!(sum, Value::S32(3));
    }
}
