//! Row K05: two servers and three command lines on one store. `cargo xtask soak` does the same for
//! minutes, and wants every change to be live within a second.

use std::time::Duration;

use wassette_testkit::Soak;

#[tokio::test(flavor = "multi_thread")]
async fn denied_k05_a_lost_change_where_servers_and_command_lines_share_a_store() {
    let program = env!("CARGO_BIN_EXE_wassette").into();
    let report = Soak { program, time: Duration::from_secs(5) }.run().await;
    assert!(report.faults.is_empty(), "{report}");
    assert!(report.live_after.len() > 10 && report.changes["grant"] > 0, "{report}");
}
