//! What the kernel says of this process, under the names that Prometheus gives it.

use procfs::WithCurrentSystemInfo;
use procfs::process::{LimitValue, Process, Stat};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// Reads `/proc/self` when it is asked. What cannot be read is left out.
#[derive(Debug)]
pub(super) struct OwnProcess;

impl Collector for OwnProcess {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let Ok(process) = Process::myself() else { return Ok(()) };
        let mut show = |name: &str, help: &str, value: Option<f64>| match value {
            Some(value) => {
                let gauge = ConstGauge::new(value);
                gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)
            }
            None => Ok(()),
        };
        let stat = process.stat().ok();
        let of = |value: fn(&Stat) -> f64| stat.as_ref().map(value);
        show("process_resident_memory_bytes", "Resident memory", of(|stat| stat.rss_bytes().get() as f64))?;
        show("process_virtual_memory_bytes", "Virtual memory", of(|stat| stat.vsize as f64))?;
        show("process_threads", "Threads", of(|stat| stat.num_threads as f64))?;
        show("process_start_time_seconds", "When the process started, in Unix time", stat.as_ref().and_then(started))?;
        show("process_open_fds", "Open files", process.fd_count().ok().map(|count| count as f64))?;
        let most = process.limits().ok().and_then(|limits| match limits.max_open_files.soft_limit {
            LimitValue::Value(most) => Some(most as f64),
            LimitValue::Unlimited => None,
        });
        show("process_max_fds", "Maximum number of open files", most)?;
        let Some(stat) = stat else { return Ok(()) };
        let seconds = (stat.utime + stat.stime) as f64 / procfs::ticks_per_second() as f64;
        let counter = ConstCounter::new(seconds);
        let help = "Seconds of CPU time, of user and system";
        counter.encode(encoder.encode_descriptor("process_cpu_seconds", help, None, counter.metric_type())?)
    }
}

fn started(stat: &Stat) -> Option<f64> {
    let booted = procfs::boot_time_secs().ok()?;
    Some(booted as f64 + stat.starttime as f64 / procfs::ticks_per_second() as f64)
}
