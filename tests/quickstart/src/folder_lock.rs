//! One quickstart per checkout: a lock that the kernel releases however its holder ends, in a file that names the holder.
//!
//! The holder removes the file while it has the lock. So a new holder checks that its file is still the one that others find.

use std::fs::{self, File, Metadata, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use seatkeeper_support::send_signal;
use tokio::time::sleep;

use crate::{Failure, say};

/// An operator may take 15 s to end, and a busy machine is slow.
const END_LIMIT: Duration = Duration::from_secs(40);

/// The right to run in this checkout. Dropping it removes what is kept there and lets others in.
pub(crate) struct FolderLock {
    /// Holds the lock.
    _file: File,
    dir: PathBuf,
}

impl FolderLock {
    /// Takes the lock if it is free, also after a holder that died.
    pub(crate) fn take(dir: &Path) -> Result<Self, Failure> {
        let mut file = loop {
            fs::create_dir_all(dir).map_err(Failure::from_io(dir.display()))?;
            let mut file = open(dir)?;
            if let Some(pid) = holder(&mut file)? {
                return Err(Failure(format!(
                    "one runs already in this checkout (process {pid}, KUBECONFIG={}): end it with Ctrl-C there, or with \
                     `make quickstart-down`",
                    kubeconfig(dir).display()
                )));
            }
            if is_found(&file, dir) {
                break file;
            }
        };
        let named = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
        named.map_err(Failure::from_io(pid_file(dir).display()))?;
        Ok(Self { _file: file, dir: dir.to_owned() })
    }

    /// Where people find the kubeconfig; the path is the same every time.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        kubeconfig(&self.dir)
    }
}

impl Drop for FolderLock {
    fn drop(&mut self) {
        // Nothing to do about what cannot be removed: the next one writes over it.
        let _ = fs::remove_file(self.kubeconfig());
        let _ = fs::remove_file(pid_file(&self.dir));
        // A folder with more in it stays.
        let _ = fs::remove_dir(&self.dir);
    }
}

/// Ends the quickstart that holds the lock, if there is one, and waits until it has gone.
pub(crate) async fn end(dir: &Path) -> Result<(), Failure> {
    let report_none = || say("none runs in this checkout");
    if !pid_file(dir).exists() {
        report_none();
        return Ok(());
    }
    let mut file = open(dir)?;
    let Some(pid) = holder(&mut file)? else {
        // What one that was killed could not remove.
        if is_found(&file, dir) {
            drop(FolderLock { _file: file, dir: dir.to_owned() });
        }
        report_none();
        return Ok(());
    };
    if pid.parse::<u32>().is_err() {
        return Err(Failure("one is just starting: try again in a moment".to_owned()));
    }
    say(&format!("ending process {pid} ..."));
    send_signal("TERM", &pid);
    let deadline = Instant::now() + END_LIMIT;
    while holder(&mut file)?.is_some() {
        if Instant::now() >= deadline {
            // Its guardian removes what it leaves.
            send_signal("KILL", &pid);
            return Err(Failure(format!("process {pid} did not end on TERM and was killed")));
        }
        sleep(Duration::from_millis(50)).await;
    }
    say("ended");
    Ok(())
}

fn open(dir: &Path) -> Result<File, Failure> {
    let path = pid_file(dir);
    let file = File::options().read(true).write(true).create(true).truncate(false).open(&path);
    file.map_err(Failure::from_io(path.display()))
}

/// The process that holds the lock; `None`: this one, from now on.
fn holder(file: &mut File) -> Result<Option<String>, Failure> {
    match file.try_lock() {
        Ok(()) => Ok(None),
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            let read = file.rewind().and_then(|()| file.read_to_string(&mut pid));
            read.map_err(Failure::from_io("the process id"))?;
            Ok(Some(pid))
        }
        Err(TryLockError::Error(error)) => Err(Failure::from_io("the lock")(error)),
    }
}

/// Whether this is the file that others find, and not one that its last holder has removed meanwhile.
fn is_found(file: &File, dir: &Path) -> bool {
    let id = |metadata: Metadata| (metadata.dev(), metadata.ino());
    let found = fs::metadata(pid_file(dir)).map(id);
    found.is_ok_and(|found| file.metadata().map(id).is_ok_and(|own| own == found))
}

fn pid_file(dir: &Path) -> PathBuf {
    dir.join("pid")
}

fn kubeconfig(dir: &Path) -> PathBuf {
    dir.join("kubeconfig")
}
