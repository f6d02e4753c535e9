//! Where intermediate files lie.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, SystemTime},
};

use crate::{diagnostic::Result, toolchain::make_folder};

/// Nobody works for so long.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A folder for intermediate files, gone when it is done with.
pub(crate) struct Work {
    pub(crate) path: PathBuf,
}

impl Work {
    pub(crate) fn new(cache: &Path) -> Result<Work> {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let all = cache.join("work");
        clear_away(&all);
        let path = all.join(format!("{}-{number}", std::process::id()));
        // Left over from a process of the same number that was killed.
        let _ = fs::remove_dir_all(&path);
        make_folder(&path)?;
        Ok(Work { path })
    }
}

/// What builds that were killed have left.
fn clear_away(all: &Path) {
    let Ok(entries) = fs::read_dir(all) else { return };
    for entry in entries.flatten() {
        let modified = entry.metadata().and_then(|about| about.modified());
        let age = modified.map(|time| SystemTime::now().duration_since(time).unwrap_or_default());
        if age.is_ok_and(|age| age > DAY) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn what_killed_builds_left_goes_after_a_day_and_what_others_work_on_stays() {
        let cache = tempfile::tempdir().unwrap();
        let [old, new] = ["1-0", "2-0"].map(|name| cache.path().join("work").join(name));
        for folder in [&old, &new] {
            make_folder(folder).unwrap();
            fs::write(folder.join("file"), "").unwrap();
        }
        let long_ago = SystemTime::now() - 2 * DAY;
        fs::File::open(&old).unwrap().set_modified(long_ago).unwrap();
        let own = Work::new(cache.path()).unwrap();
        assert_eq!([&old, &new, &own.path].map(|folder| folder.exists()), [false, true, true]);
        let path = own.path.clone();
        drop(own);
        assert!(!path.exists());
    }
}
