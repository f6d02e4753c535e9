//! C and C++ prototypes as the specs write them: a closed set of types, or a diagnostic.

use std::fmt;

/// A parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its C type, spaced as C programmers space it: `void *`, `size_t`.
    pub ty: String,
    /// Its name; operations know parameters by name.
    pub name: String,
}

/// A function's declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prototype {
    /// The C return type.
    pub result: String,
    /// The declared name: `malloc`, or `operator new[]`.
    pub name: String,
    /// In order.
    pub parameters: Vec<Parameter>,
}

/// What a spec may write, and its spelling in the emitted C.
///
/// C++ types are answered by what the Itanium C++ ABI passes for them: an enumeration with
/// underlying type `size_t`, and a reference as a pointer.
const TYPES: &[(&str, &str)] = &[
    ("void", "void"),
    ("void *", "void *"),
    ("void **", "void **"),
    ("const void *", "const void *"),
    ("char *", "char *"),
    ("char **", "char **"),
    ("const char *", "const char *"),
    ("const char **", "const char **"),
    ("unsigned char *", "unsigned char *"),
    ("const unsigned char *", "const unsigned char *"),
    ("wchar_t *", "wchar_t *"),
    ("wchar_t **", "wchar_t **"),
    ("const wchar_t *", "const wchar_t *"),
    ("size_t", "size_t"),
    ("size_t *", "size_t *"),
    ("const size_t *", "const size_t *"),
    ("int", "int"),
    ("unsigned", "unsigned"),
    ("uint64_t", "uint64_t"),
    ("FILE *", "void *"),
    ("struct mallinfo", "struct mallinfo"),
    ("struct mallinfo2", "struct mallinfo2"),
    // void (*)(void *, const char *)
    ("malloc_write_cb", "void *"),
    // Apple's <malloc/malloc.h> and <malloc/_malloc_type.h>.
    ("malloc_zone_t *", "malloc_zone_t *"),
    ("malloc_introspection_t *", "malloc_introspection_t *"),
    ("malloc_statistics_t *", "malloc_statistics_t *"),
    ("malloc_type_id_t", "malloc_type_id_t"),
    ("malloc_zone_malloc_options_t", "malloc_zone_malloc_options_t"),
    ("boolean_t", "boolean_t"),
    ("kern_return_t", "kern_return_t"),
    ("task_t", "task_t"),
    ("vm_address_t", "vm_address_t"),
    ("memory_reader_t", "memory_reader_t"),
    ("vm_range_recorder_t", "vm_range_recorder_t"),
    ("print_task_printer_t", "print_task_printer_t"),
    ("malloc_discharged_pointer_block", "void *"),
    // <pthread.h> and <threads.h>.
    ("pthread_t *", "void *"),
    ("const pthread_attr_t *", "const void *"),
    ("thrd_t *", "void *"),
    ("void *(*)(void *)", "void *(*)(void *)"),
    ("int (*)(void *)", "int (*)(void *)"),
    ("std::align_val_t", "size_t"),
    ("std::__type_descriptor_t", "malloc_type_id_t"),
    ("const std::nothrow_t &", "const void *"),
];

/// A mistake in a prototype: the byte offset in it, and what is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrototypeError {
    /// Bytes from the start of the text.
    pub offset: usize,
    /// What is wrong.
    pub message: String,
}

impl Prototype {
    /// Reads `void *malloc(size_t size)`.
    ///
    /// # Errors
    /// Where and why it is not a prototype over the known types.
    pub fn parse(text: &str) -> Result<Prototype, PrototypeError> {
        let fail =
            |offset: usize, message: &str| PrototypeError { offset, message: message.to_owned() };
        let open = text.find('(').ok_or_else(|| fail(text.len(), "expected `(`"))?;
        if !text.ends_with(')') {
            return Err(fail(text.len(), "expected `)` at the end"));
        }
        let head = &text[..open];
        let name_start = match head.find("operator") {
            Some(at) => at,
            None => head.trim_end_matches(is_word).len(),
        };
        let name = head[name_start..].trim().to_owned();
        if name.is_empty() {
            return Err(fail(open, "expected a name before `(`"));
        }
        let result = known_type(&head[..name_start]).map_err(|m| fail(0, &m))?;
        let inside = &text[open + 1..text.len() - 1];
        let mut parameters = Vec::new();
        let mut offset = open + 1;
        for part in inside.split(',').filter(|_| !matches!(inside.trim(), "" | "void")) {
            let lead = part.len() - part.trim_start().len();
            let (ty, name) = split(part)
                .ok_or_else(|| fail(offset + lead, "expected a type and a parameter name"))?;
            let ty = known_type(&ty).map_err(|m| fail(offset + lead, &m))?;
            parameters.push(Parameter { ty, name: name.to_owned() });
            offset += part.len() + 1;
        }
        Ok(Prototype { result, name, parameters })
    }

    /// The parameter list as C writes it; `void` if there is none.
    pub fn parameter_list(&self) -> String {
        if self.parameters.is_empty() {
            return "void".to_owned();
        }
        let list: Vec<_> = self.parameters.iter().map(|p| declare(&p.ty, &p.name)).collect();
        list.join(", ")
    }

    /// The declaration in C under another name.
    pub fn named(&self, name: &str) -> String {
        format!("{}({})", declare(&self.result, name), self.parameter_list())
    }

    /// Whether it has a parameter of that name.
    pub fn has(&self, name: &str) -> bool {
        self.parameters.iter().any(|p| p.name == name)
    }
}

impl fmt::Display for Prototype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.named(&self.name))
    }
}

/// `void *` + `ptr` = `void *ptr`; `size_t` + `size` = `size_t size`; `int (*)(void *)` + `func` =
/// `int (*func)(void *)`.
pub(crate) fn declare(ty: &str, name: &str) -> String {
    if ty.contains("(*)") {
        return ty.replacen("(*)", &format!("(*{name})"), 1);
    }
    if ty.ends_with('*') { format!("{ty}{name}") } else { format!("{ty} {name}") }
}

/// A parameter's type and its name: the last word, or, of a pointer to a function, what stands in its
/// first parentheses.
fn split(part: &str) -> Option<(String, &str)> {
    if let Some((result, rest)) = part.split_once("(*") {
        let (name, parameters) = rest.split_once(')')?;
        return (!name.is_empty()).then(|| (format!("{result}(*){parameters}"), name));
    }
    let start = part.trim_end_matches(is_word).len();
    let name = part[start..].trim();
    (!name.is_empty() && start != 0).then(|| (part[..start].to_owned(), name))
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn known_type(text: &str) -> Result<String, String> {
    let text = text.trim();
    // Nearly all are spaced as they are here.
    let exact = TYPES.iter().find(|(spec, _)| *spec == text);
    let known = exact.or_else(|| {
        let bare = squeeze(text);
        TYPES.iter().find(|(spec, _)| squeeze(spec) == bare)
    });
    known.map(|(_, c)| (*c).to_owned()).ok_or_else(|| {
        let known: Vec<_> = TYPES.iter().map(|(spec, _)| format!("`{spec}`")).collect();
        format!("unknown type `{text}`; known are {}", known.join(", "))
    })
}

fn squeeze(text: &str) -> String {
    text.split_whitespace().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prototype_reads_back_as_it_was_written() {
        for text in [
            "void *malloc(size_t size)",
            "int posix_memalign(void **memptr, size_t alignment, size_t size)",
            "struct mallinfo2 mallinfo2(void)",
            "void malloc_stats(void)",
            "int f(void *thr, int (*func)(void *), void *arg)",
        ] {
            assert_eq!(Prototype::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn an_operator_is_answered_by_its_c_form() {
        let p = Prototype::parse(
            "void *operator new[](size_t size, std::align_val_t alignment, const std::nothrow_t &tag)",
        )
        .unwrap();
        assert_eq!(p.name, "operator new[]");
        assert_eq!(p.named("f"), "void *f(size_t size, size_t alignment, const void *tag)");
    }

    #[test]
    fn a_mistake_is_placed_where_it_is() {
        let e = Prototype::parse("void *malloc(size size)").unwrap_err();
        assert_eq!(e.offset, 13);
        assert!(e.message.contains("unknown type `size`"), "{}", e.message);
        assert!(Prototype::parse("void *malloc").is_err());
        assert!(Prototype::parse("void *malloc(size_t)").is_err());
        assert!(Prototype::parse("(").is_err());
    }
}
