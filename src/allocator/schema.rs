//! What the keys of a description may say where serde reads plain text: for the JSON Schema alone.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// The JSON Schema of a description, for editors.
pub(crate) fn description_schema() -> Schema {
    schemars::schema_for!(super::raw::Raw)
}

macro_rules! words {
    ($($name:ident $meaning:literal [$($word:literal),*];)*) => {$(
        #[doc = $meaning]
        pub(super) struct $name;

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "description": $meaning, "enum": [$($word),*] })
            }
        }
    )*};
}

words! {
    Readiness "Whether calls look if their thread is ready." ["advisory", "required"];
    SizedDelete "Whether sized delete hands the size on." ["ignore", "forward"];
    DeepBind "What becomes of RTLD_DEEPBIND." ["keep", "drop"];
    Typed "Whether typed functions are taken over." ["none", "all"];
    ForkPolicy "Who looks after fork." ["own"];
}

/// A number of bytes, or no limit.
pub(super) struct Limit;

impl JsonSchema for Limit {
    fn schema_name() -> Cow<'static, str> {
        "Limit".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A number of bytes, or no limit.",
            "anyOf": [{ "type": "integer", "minimum": 1 }, { "const": "any" }]
        })
    }
}

/// The key of a promise.
pub(super) struct Promise;

impl JsonSchema for Promise {
    fn schema_name() -> Cow<'static, str> {
        "Promise".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let keys: Vec<_> = super::Promise::ALL.iter().map(|promise| promise.key()).collect();
        json_schema!({ "description": "The key of a promise.", "enum": keys })
    }
}
