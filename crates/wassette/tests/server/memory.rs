//! What loading from a registry costs in memory: the component, once.

use std::fs;

use wassette_testkit::{FakeRegistry, LEGACY, McpClient, compiled, padded};

use crate::env;

const MIB: usize = 1 << 20;

/// The most memory, in bytes, that a server has had when it has loaded `wasm` from a registry.
async fn peak(wasm: &[u8]) -> usize {
    let (env, registry) = (env(), FakeRegistry::start());
    registry.put_component("team/add", "1", wasm);
    env.configure("[load]\nplain_http = true\n");
    let uri = registry.reference("team/add", "1");
    env.write("tools.yaml", format!("version: 1\ncomponents:\n  - uri: {uri}\n"));
    let mut client = McpClient::spawn(env.command(["run", "--manifest", "tools.yaml"]));
    client.initialize(LEGACY).await;
    let process = client.process_id().unwrap();
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kibibytes: usize = peak.trim().strip_suffix(" kB").unwrap().parse().unwrap();
    let sum = client.call("add", serde_json::json!({ "a": 2, "b": 3 })).await;
    assert_eq!(sum["result"]["structuredContent"]["result"], 5, "{sum}");
    kibibytes << 10
}

#[tokio::test]
async fn a_component_from_a_registry_is_in_memory_once() {
    const SIZE: usize = 32 * MIB;
    let small = peak(&compiled("add")).await;
    let large = peak(&padded(compiled("add"), SIZE)).await;
    let grown = large.saturating_sub(small);
    assert!(grown <= SIZE + 8 * MIB, "{} MiB more", grown / MIB);
    // Else it was not measured.
    assert!(grown >= SIZE / 2, "{} MiB more", grown / MIB);
}
