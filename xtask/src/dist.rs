//! What a packager installs: the tool, its manual pages, completions and licences.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::Context;
use clap::{Command, CommandFactory};
use clap_complete::Shell;

use crate::shell::{root, target, tool};

/// The tool's own command line.
#[path = "../../src/cli.rs"]
#[allow(dead_code, reason = "only its model is read here")]
mod cli;

const NAME: &str = "alloc8-gen";

/// Builds the release and puts everything below a prefix, which `DESTDIR` is put before; without one
/// into `target/dist`.
pub(crate) fn dist(prefix: Option<&str>) -> anyhow::Result<()> {
    let folder = match prefix {
        None => target().join("dist"),
        Some(prefix) => staged(std::env::var_os("DESTDIR").map(PathBuf::from), prefix)?,
    };
    install(&tool("release")?, &folder)?;
    eprintln!("installed below {}", folder.display());
    Ok(())
}

/// A prefix inside the folder that a packager collects; both are taken as they stand.
fn staged(destdir: Option<PathBuf>, prefix: &str) -> anyhow::Result<PathBuf> {
    let inside = prefix.strip_prefix('/').with_context(|| {
        format!("a prefix begins with `/`, as /usr does, and `{prefix}` does not")
    })?;
    Ok(destdir.filter(|d| !d.as_os_str().is_empty()).unwrap_or("/".into()).join(inside))
}

fn install(tool: &Path, prefix: &Path) -> anyhow::Result<()> {
    let bin = prefix.join("bin");
    fs::create_dir_all(&bin).with_context(|| bin.display().to_string())?;
    fs::copy(tool, bin.join(NAME)).with_context(|| tool.display().to_string())?;
    for (name, text) in texts()? {
        let path = prefix.join("share").join(name);
        fs::create_dir_all(path.parent().unwrap_or(prefix))?;
        fs::write(&path, text).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

/// Everything but the tool: the path below `share`, and the bytes.
fn texts() -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let mut all = pages()?;
    for (shell, path) in [
        (Shell::Bash, "bash-completion/completions/alloc8-gen"),
        (Shell::Zsh, "zsh/site-functions/_alloc8-gen"),
        (Shell::Fish, "fish/vendor_completions.d/alloc8-gen.fish"),
    ] {
        let mut text = Vec::new();
        clap_complete::generate(shell, &mut model(), NAME, &mut text);
        all.push((path.to_owned(), text));
    }
    for (file, folder) in [
        ("README.md", "doc"),
        ("CHANGELOG.md", "doc"),
        ("LICENSE-APACHE", "licenses"),
        ("LICENSE-MIT", "licenses"),
    ] {
        let text = fs::read(root().join(file)).with_context(|| file.to_owned())?;
        all.push((format!("{folder}/{NAME}/{file}"), text));
    }
    Ok(all)
}

/// One manual page for the tool, and one for each verb.
fn pages() -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let model = model();
    let mut all = vec![(format!("man/man1/{NAME}.1"), page(model.clone())?)];
    for verb in model.get_subcommands() {
        let name = format!("{NAME}-{}", verb.get_name());
        let verb = verb.clone().display_name(name.clone());
        all.push((format!("man/man1/{name}.1"), page(verb)?));
    }
    Ok(all)
}

fn page(command: Command) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    clap_mangen::Man::new(command).render(&mut text)?;
    Ok(text)
}

/// The command line of the tool. `help` is no verb of ours: each page is its own help.
fn model() -> Command {
    let mut model = cli::Cli::command().disable_help_subcommand(true);
    model.build();
    model
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, process::Command as Process};

    use super::*;

    fn all() -> BTreeMap<String, String> {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        texts().unwrap().into_iter().map(|(name, bytes)| (name, text(bytes))).collect()
    }

    /// As troff has it: without the marks for bold, and with hyphens as they are typed.
    fn read(page: &str) -> String {
        page.replace("\\fB", "").replace("\\fI", "").replace("\\fR", "").replace("\\-", "-")
    }

    #[test]
    fn every_verb_and_option_has_its_place_in_a_manual_page() {
        let all = all();
        let model = model();
        for command in model.get_subcommands().chain([&model]) {
            let verb = Some(command.get_name()).filter(|name| *name != NAME);
            let name = verb.map_or(NAME.to_owned(), |verb| format!("{NAME}-{verb}"));
            let page = read(&all[&format!("man/man1/{name}.1")]);
            assert!(page.contains(&format!(".TH {name} 1")), "{page}");
            assert!(page.contains(env!("CARGO_PKG_VERSION")) || verb.is_some(), "{page}");
            for option in command.get_arguments().filter_map(|a| a.get_long()) {
                assert!(page.contains(&format!("--{option}")), "{name} --{option}\n{page}");
            }
        }
    }

    #[test]
    fn manual_pages_are_the_same_on_every_day() {
        for (name, text) in all().into_iter().filter(|(name, _)| name.starts_with("man/")) {
            let title = text.lines().find(|line| line.starts_with(".TH")).unwrap();
            assert!(!title.contains("20"), "{name}: {title}");
        }
    }

    #[test]
    fn bash_completes_verbs_and_options() {
        let all = all();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(NAME);
        fs::write(&file, &all["bash-completion/completions/alloc8-gen"]).unwrap();
        let complete = |words: &str, last: usize| {
            let script = format!(
                "source {}; f=$(complete -p {NAME} | grep -o -e '-F [^ ]*'); COMP_WORDS=({words}); COMP_CWORD={last}; \
                 ${{f#-F }} {NAME} \"${{COMP_WORDS[{last}]}}\" \"\" && printf '%s\\n' \"${{COMPREPLY[@]}}\"",
                file.display()
            );
            let output = Process::new("bash").args(["--norc", "-c", &script]).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap()
        };
        assert_eq!(complete("alloc8-gen ver", 1), "verify\n");
        assert_eq!(complete("alloc8-gen run --pre", 2), "--preload\n");
    }

    #[test]
    fn a_prefix_is_put_inside_what_a_packager_collects() {
        let at = |destdir: &str, prefix| staged(Some(destdir.into()), prefix);
        assert_eq!(at("/tmp/pkg", "/usr").unwrap(), Path::new("/tmp/pkg/usr"));
        assert_eq!(at("", "/usr/local").unwrap(), Path::new("/usr/local"));
        assert!(at("/tmp/pkg", "usr").is_err());
        let folder = tempfile::tempdir().unwrap();
        let prefix = folder.path().join("usr");
        install(&std::env::current_exe().unwrap(), &prefix).unwrap();
        for file in [
            "bin/alloc8-gen",
            "share/man/man1/alloc8-gen-build.1",
            "share/zsh/site-functions/_alloc8-gen",
        ] {
            assert!(prefix.join(file).is_file(), "{file}");
        }
    }
}
