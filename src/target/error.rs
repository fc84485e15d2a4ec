//! Why a target cannot be made.

/// Why a target cannot be made of what was declared or read off an interpreter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// The word for the Python version cannot be understood.
    #[error(
        "`{given}` is not a Python version a lock can be for: {detail}\n\n\
         hint: give it as `3.11`, `3.11.4`, `3.13t` (free-threaded) or `pypy3.10`"
    )]
    Python {
        /// The word as given.
        given: String,
        /// What is wrong with it.
        detail: String,
    },
    /// No platform has this name.
    #[error("unknown platform `{given}`\n\nhint: {}", offered(.nearest))]
    UnknownPlatform {
        /// The name as given.
        given: String,
        /// The known names that are most like it, the most alike first.
        nearest: Vec<String>,
    },
    /// The platform has a name, but no lock can be made for it.
    #[error("no lock can be made for the platform `{given}`: {detail}")]
    UnsupportedPlatform {
        /// The name as given, or what the interpreter calls its platform.
        given: String,
        /// Why not, and what there is instead.
        detail: String,
    },
    /// A recorded or detected marker value is not one.
    #[error("the marker `{marker}` cannot have the value `{value}`")]
    Marker {
        /// The marker's name.
        marker: String,
        /// The value.
        value: String,
    },
    /// A word for the accelerator is not understood.
    #[error("`{value}` is not {what}: expected {expected}")]
    Accelerator {
        /// What it should be.
        what: &'static str,
        /// The word.
        value: String,
        /// What is understood.
        expected: &'static str,
    },
}

/// A sentence that names what the user may have meant.
fn offered(names: &[String]) -> String {
    if names.is_empty() {
        return String::from(
            "the platforms are `linux`, `macos`, `windows`, names such as \
             `x86_64-manylinux_2_28` and wheel tags such as `macosx_14_0_arm64`",
        );
    }
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    format!("did you mean {}?", quoted.join(" or "))
}
