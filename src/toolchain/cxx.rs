//! The C++ compiler that belongs to a C compiler.

use super::{Compiler, cpu::is_windows, windows};

impl Compiler {
    /// The C++ compiler of the same name and target: `g++-12` for `gcc-12`, `clang++` for `clang`, else
    /// `$CXX`.
    ///
    /// # Errors
    /// In words, which ones do not run.
    pub fn cxx(&self) -> Result<Compiler, String> {
        let mut candidates = vec![cxx_name(&self.name())];
        candidates.extend(std::env::var("CXX").ok().filter(|cxx| !cxx.is_empty()));
        let mut tried = Vec::new();
        let found = candidates.into_iter().find_map(|candidate| {
            let found = Compiler::find(Some(&candidate), Some(&self.target)).ok();
            tried.push(format!("`{candidate}`"));
            found
        });
        found.ok_or_else(|| format!("no C++ compiler: {} does not run", tried.join(", ")))
    }

    /// How a header that is a shim is compiled. On Windows nothing in it throws but operators, where it has them, and
    /// what could would need a C++ runtime.
    pub fn cxx_flags(&self, throws: bool) -> Vec<&'static str> {
        let mut flags = vec!["-std=c++17", "-O2", "-fno-lto"];
        match (is_windows(&self.target), throws) {
            (true, true) => flags.push("-fexceptions"),
            (true, false) => flags.extend(["-fno-exceptions", "-fno-rtti"]),
            (false, _) => flags.extend(["-fPIC", "-fexceptions"]),
        }
        if windows::is_msvc(&self.target) {
            flags.extend(windows::WITHOUT_SDK);
        }
        flags
    }
}

/// The C++ compiler's command for a C compiler's.
fn cxx_name(c: &str) -> String {
    let mut words: Vec<String> = c.split(' ').map(str::to_owned).collect();
    for word in &mut words {
        let start = word.rfind(['/', '\\']).map_or(0, |at| at + 1);
        let (folder, name) = word.split_at(start);
        let cxx = match name {
            _ if name.contains("++") => name.to_owned(),
            _ if name.contains("clang") => name.replace("clang", "clang++"),
            _ if name.contains("gcc") => name.replace("gcc", "g++"),
            "cc" => "c++".to_owned(),
            _ if name.ends_with("-cc") => format!("{}c++", name.trim_end_matches("cc")),
            _ => continue,
        };
        *word = format!("{folder}{cxx}");
        break;
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cxx_compiler_is_named_after_the_c_compiler() {
        for (c, cxx) in [
            ("cc", "c++"),
            ("gcc-12", "g++-12"),
            ("/usr/bin/clang-14", "/usr/bin/clang++-14"),
            ("aarch64-linux-gnu-gcc --sysroot=/x", "aarch64-linux-gnu-g++ --sysroot=/x"),
            ("ccache gcc", "ccache g++"),
            (r"C:\gcc\bin\gcc.exe", r"C:\gcc\bin\g++.exe"),
            ("clang --target=aarch64-linux-gnu", "clang++ --target=aarch64-linux-gnu"),
            ("/opt/gcc/bin/cc -m32", "/opt/gcc/bin/c++ -m32"),
        ] {
            assert_eq!(cxx_name(c), cxx);
        }
    }
}
