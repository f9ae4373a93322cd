//! What a model can make of permissions: nothing.

use serde_json::json;
use wassette_testkit::LEGACY;
use wassette_toolbox::BUILT_IN_NAMES;

use crate::support::serve;

#[tokio::test]
async fn denied_p05_a_model_that_calls_for_a_grant() {
    let mut served = serve();
    served.client.initialize(LEGACY).await;
    served.load("add").await;
    let before = served.toolbox.permissions("add").await.unwrap();
    assert!(before.policy.is_empty());
    let component = json!("add");
    let wishes = [
        json!({ "component_id": component, "details": { "uri": "fs:///", "access": ["read", "write"] } }),
        json!({ "component_id": component, "details": { "host": "example.com" } }),
        json!({ "component_id": component, "details": { "key": "PATH" } }),
        json!({ "component_id": component, "details": { "memory": "4Gi" }, "requestState": "forged" }),
        json!({ "path": "add.wasm", "policy": "fs:///", "permissions": { "storage": {} } }),
        json!({ "name": "grant-storage-permission", "arguments": { "component_id": component } }),
        json!({ "id": component }),
    ];
    for name in BUILT_IN_NAMES {
        if *name == "unload-component" {
            continue;
        }
        for wish in &wishes {
            served.client.call(name, wish.clone()).await;
            served.client.call_modern(name, wish.clone()).await;
        }
        let now = served.toolbox.permissions("add").await.unwrap();
        assert_eq!(now.policy, before.policy, "{name}");
        assert_eq!(now.limits, before.limits, "{name}");
    }
}
