//! The end, in the order of the data flow: no new exchanges, then analysis, then deliveries, then the disk.

use std::time::Duration;

use crate::telemetry::signals::app as told;

use super::Running;

/// What waits in the capture queue gets this long to be analysed.
const ANALYSIS_GRACE: Duration = Duration::from_secs(5);
/// Attempts in flight and messages on their way to the broker get this long: two seconds more than they give themselves.
const CONTROL_GRACE: Duration = Duration::from_secs(12);
/// Calls of the admin API get this long.
const ADMIN_GRACE: Duration = Duration::from_secs(2);

/// Stops everything; what had to be abandoned, by name.
pub(super) fn stop(running: Running, pre_stop: Duration) -> Result<(), Vec<String>> {
    let Running { loaded, proxy, capture, store, admin, configuration, stages, clock, control } =
        running;
    let drain = loaded.load().config.shutdown.drain.0;
    let mut abandoned = Vec::new();
    proxy.pre_stop();
    told::Draining { in_flight: proxy.in_flight() }.tell();
    control.block_on(async {
        clock.sleep(pre_stop).await;
        proxy.begin_drain();
        // The API is likely to end with us.
        configuration.control.actions.stop();
        if !proxy.idle(drain).await {
            abandoned.push(format!("{} exchanges", proxy.in_flight()));
        }
        capture.close();
        abandoned
            .extend(stages.analysis.finish(&clock, ANALYSIS_GRACE).await.err().unwrap_or_default());
        abandoned
            .extend(stages.control.finish(&clock, CONTROL_GRACE).await.err().unwrap_or_default());
        abandoned.extend(admin.stop(ADMIN_GRACE).await.err().unwrap_or_default());
        abandoned.extend(stages.store.finish(&clock, ADMIN_GRACE).await.err().unwrap_or_default());
        store.close().await;
    });
    proxy.stop();
    control.shutdown_timeout(Duration::from_secs(1));
    if abandoned.is_empty() {
        told::Stopped.tell();
        return Ok(());
    }
    told::Abandoned { parts: &abandoned.join(", ") }.tell();
    Err(abandoned)
}
