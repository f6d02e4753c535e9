//! What Wine needs to run 32-bit programs: its own libraries for them, which are Windows files. Wine itself
//! stays the host's, for it runs both kinds in one process (the "new WoW64" of Wine 8 and later).

use std::fs;

use crate::{foreign, shell::target};

/// Where Debian's package has them.
const INSIDE: &str = "usr/lib/i386-linux-gnu/wine/i386-windows";

/// Unpacks them where tests look for them; says why not, if it cannot.
pub(crate) fn install() {
    let folder = target().join("tools/wine");
    if folder.join("i386-windows/ntdll.dll").is_file() {
        return;
    }
    let unpacked = folder.join("package");
    let done = foreign::unpack(&folder, &[("libwine:i386".to_owned(), unpacked.clone())])
        .and_then(|()| Ok(fs::rename(unpacked.join(INSIDE), folder.join("i386-windows"))?));
    let _ = fs::remove_dir_all(&unpacked);
    if let Err(error) = done {
        eprintln!("warning: {error:#}");
        eprintln!("not installed, tests that need it are skipped: Wine for 32-bit programs");
        eprintln!("help: on Debian, `cargo xtask install` fetches the package libwine:i386");
    }
}
