//! The processes of a server, as Linux tells of them.

use std::fs;

use rustix::process::Pid;

/// A server's process and those of its connections and its own work.
pub(super) fn processes(server: u32) -> Vec<Pid> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let all = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let is_of_server = |process: &u32| {
        // What waits for the test's end is in the group of the server; its other children have each their own.
        *process == server
            || stat(*process).is_some_and(|of| of.parent == server && of.group != server)
    };
    let processes = all.filter(is_of_server);
    let pid = |process: u32| Pid::from_raw(i32::try_from(process).ok()?);
    processes.filter_map(pid).collect()
}

/// Whether a process has not ended.
pub(super) fn is_running(process: Pid) -> bool {
    let process = u32::try_from(process.as_raw_nonzero().get()).unwrap();
    stat(process).is_some_and(|of| !of.has_ended)
}

struct Stat {
    has_ended: bool,
    parent: u32,
    group: u32,
}

/// Source: proc(5), `/proc/pid/stat`.
fn stat(process: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let mut fields = text.rsplit_once(") ")?.1.split(' ');
    Some(Stat {
        has_ended: fields.next()? == "Z",
        parent: fields.next()?.parse().ok()?,
        group: fields.next()?.parse().ok()?,
    })
}
