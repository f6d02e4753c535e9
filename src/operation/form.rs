//! The variants of `operator new` and `operator delete`.

/// Which variant of `operator new` or `operator delete` ([new.delete] lists ten of each).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Form {
    /// `new[]`, `delete[]`.
    pub array: bool,
    /// Takes the size (delete only).
    pub sized: bool,
    /// Takes a `std::align_val_t`.
    pub aligned: bool,
    /// Takes a `const std::nothrow_t &`.
    pub nothrow: bool,
}

impl Form {
    /// The form that the standard's default definition of this one calls ([new.delete.single] and
    /// [new.delete.array], "Default behavior"); `None` for the two that end the chain.
    pub fn base(self, delete: bool) -> Option<Form> {
        if self.nothrow {
            return Some(Form { nothrow: false, ..self });
        }
        if self.sized && delete {
            return Some(Form { sized: false, ..self });
        }
        self.array.then_some(Form { array: false, ..self })
    }

    pub(super) fn describe(self, word: &str) -> String {
        let mut name = format!("operator {word}{}", if self.array { "[]" } else { "" });
        for (set, text) in
            [(self.sized, ", sized"), (self.aligned, ", aligned"), (self.nothrow, ", nothrow")]
        {
            if set {
                name += text;
            }
        }
        name
    }
}

/// The declaration of an operator in one of its forms.
pub(super) fn operator(head: &str, first: &str, form: Form) -> String {
    let array = if form.array { "[]" } else { "" };
    let mut text = format!("{head}{array}({first}");
    for (set, parameter) in [
        (form.sized, ", size_t size"),
        (form.aligned, ", std::align_val_t alignment"),
        (form.nothrow, ", const std::nothrow_t &tag"),
    ] {
        if set {
            text += parameter;
        }
    }
    text + ")"
}
