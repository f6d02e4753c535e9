//! A shim beside the system's malloc: the platform's functions once more, under a prefix.

use super::{Answer, Binding, Mode, Plan};
use crate::{
    diagnostic::{Diagnostic, Report, Result},
    operation::{Effect, Operation},
    spec::Foreign,
};

/// What the C library would allocate from its own heap, whoever answers `PREFIX_malloc`: a copy is the
/// shim's own text.
const COPIES: &[&str] = &["strdup", "strndup"];

/// Whose templates have the text of functions that are plain definitions.
const PLAIN: &str = "elf";

/// How every name inside a shim's text begins.
const OWN: &str = "alloc8";

/// What of the remarks on a plan holds of its functions under a prefix: nobody asks there whose a block is.
pub fn remarks_under_a_prefix(mut remarks: Vec<Diagnostic>) -> Vec<Diagnostic> {
    remarks.retain(|remark| !["A8251", "A8255"].contains(&remark.code));
    remarks
}

impl Plan {
    /// The plan of functions called `PREFIX_malloc`, `PREFIX_free` …, which interpose nothing.
    ///
    /// Each operation has one name, and those that only answer for the C library's heap are left out:
    /// here that answers for itself. Operators have no prefix.
    ///
    /// # Errors
    /// `A8232` if no names begin like that in C, `A8233` if such a name is taken, `A8234` if blocks of
    /// other heaps would be handed on; `A8258` for hooks for threads where there are zones.
    pub fn prefixed(mut self, prefix: &str) -> Result<Plan> {
        check_spelling(prefix)?;
        if self.zoned.is_some() {
            return self.without_zone()?.prefixed(prefix);
        }
        if self.platform.hooks.is_some() {
            // Nobody else's block comes to a function that has a name of its own.
            self.platform.semantics.foreign = Foreign::Trust;
        }
        if self.foreign() == Foreign::Forward {
            let message =
                "beside the system's malloc, blocks of other heaps are handed on by nobody";
            return Err(Diagnostic::error("A8234", message)
                .fact(format!("in `{}`", self.allocator.source.name))
                .help("write `foreign = \"trust\"` or \"abort\" in a description for this mode")
                .into());
        }
        let mut plan = self.without_creators();
        let public: Vec<String> =
            plan.platform.symbols.iter().map(|symbol| symbol.spec_name().to_owned()).collect();
        let mut kept: Vec<Answer> = Vec::new();
        for mut answer in std::mem::take(&mut plan.answers) {
            let known = |operation| kept.iter().any(|a| a.symbol.operation == operation);
            if !plan.belongs(&answer) || known(answer.symbol.operation) {
                continue;
            }
            answer.symbol = answer.symbol.renamed(&format!(
                "{prefix}_{}",
                answer.symbol.spec_name().trim_start_matches('_')
            ));
            // It tells why a name is taken over.
            answer.symbol.why = None;
            if answer.binding == Binding::Left {
                answer.binding = Binding::Synthesized(Vec::new());
                answer.why = "made from realloc".to_owned();
            }
            kept.push(answer);
        }
        plan.platform.symbols = kept.iter().map(|answer| answer.symbol.clone()).collect();
        plan.answers = kept;
        plan.mode = Mode::Prefixed(prefix.to_owned());
        plan.refuse_taken(&public).map(|()| plan)
    }

    /// The same where the heap is no zone: blocks of others never come, and nothing is interposed. Mach-O has no
    /// aliases, so each function jumps.
    fn without_zone(self) -> Result<Plan> {
        if self.threads.is_some() || self.ready {
            let title = &self.platform.title;
            let message = format!("no hooks for threads beside the malloc of {title} yet");
            return Err(Diagnostic::error("A8258", message)
                .fact(format!("in `{}`", self.allocator.source.name))
                .help("leave `init`, `thread_init` and `thread_cleanup` out of the description for this mode")
                .into());
        }
        let mut platform = self.platform;
        platform.zone = None;
        platform.mechanism = PLAIN.to_owned();
        platform.semantics.foreign = Foreign::Trust;
        platform
            .symbols
            .retain(|s| s.group.is_none() && !s.prototype.has("zone") && is_plain(s.operation));
        for symbol in &mut platform.symbols {
            *symbol = symbol.renamed(&symbol.prototype.name);
        }
        let mut plan = Plan::draw(&platform, &self.allocator.on(&platform), false);
        for answer in &mut plan.answers {
            answer.jump_where_direct("Mach-O has no aliases: each name is a function");
        }
        Ok(plan)
    }

    fn refuse_taken(&self, public: &[String]) -> Result<()> {
        let mut names: Vec<&str> = self.answers.iter().map(|a| a.symbol.spec_name()).collect();
        let copies = self.copies();
        names.extend(copies.iter().map(String::as_str));
        let own = self.allocator.symbols();
        let mut report = Report::default();
        for name in names {
            let whose = match name {
                _ if own.contains(&name) => "the allocator's own",
                _ if public.iter().any(|taken| taken == name) => "the platform's own",
                _ => continue,
            };
            report.push(taken(name, whose));
        }
        report.finish(()).map(|_| ())
    }

    /// Whether a function makes sense beside the system's malloc.
    fn belongs(&self, answer: &Answer) -> bool {
        let symbol = &answer.symbol;
        let made = match answer.binding {
            Binding::Answered => false,
            Binding::Left => symbol.operation == Operation::Reallocarray,
            _ => true,
        };
        let about_blocks =
            !matches!(symbol.operation.effect(), Effect::StartsThread | Effect::Opens);
        // Windows begins the names of what is not in the standard with an underscore.
        let by_name = match &self.platform.hooks {
            Some(hooks) => hooks.linked.contains(&symbol.family),
            None => !symbol.spec_name().starts_with('_'),
        };
        made && about_blocks && by_name && !symbol.operation.is_operator()
    }

    /// The prefix, where there is one.
    pub fn prefix(&self) -> Option<&str> {
        match &self.mode {
            Mode::Prefixed(prefix) => Some(prefix),
            Mode::Interpose | Mode::Static => None,
        }
    }

    /// Functions that copy into a block of the heap, beside those of the plan.
    pub fn copies(&self) -> Vec<String> {
        // Windows' own are among the platform's symbols.
        if self.platform.hooks.is_some() {
            return Vec::new();
        }
        let name = |prefix: &str| COPIES.iter().map(|copy| format!("{prefix}_{copy}")).collect();
        self.prefix().map(name).unwrap_or_default()
    }

    /// How names begin by which the shim and the options of its link know each other: several shims
    /// with prefixes may be in one program.
    pub(crate) fn tag(&self) -> String {
        self.prefix().map_or_else(|| OWN.to_owned(), |prefix| format!("{prefix}_{OWN}"))
    }
}

/// `A8233`: a name of the shim that somebody else has.
pub(crate) fn taken(name: &str, whose: &str) -> Diagnostic {
    Diagnostic::error("A8233", format!("`{name}` is {whose} name"))
        .help("choose another prefix with `--prefix`")
}

fn check_spelling(prefix: &str) -> Result<()> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let begins = prefix.starts_with(|c: char| c.is_ascii_alphabetic());
    if begins && prefix.chars().all(word) && prefix != OWN {
        return Ok(());
    }
    Err(Diagnostic::error("A8232", format!("no functions can be called `{prefix}_malloc`"))
        .help(format!("a prefix is a C identifier that begins with a letter, and not `{OWN}`: `--prefix my` makes `my_malloc`"))
        .into())
}

/// Whether every platform has words for it.
fn is_plain(operation: Operation) -> bool {
    use Operation as Op;
    matches!(
        operation,
        Op::Malloc
            | Op::Calloc
            | Op::Realloc
            | Op::Free
            | Op::AlignedAlloc
            | Op::PosixMemalign
            | Op::Valloc
            | Op::Reallocarray
            | Op::MallocUsableSize
    )
}
