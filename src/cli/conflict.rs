//! Printing a conflict: with the terminal's colours and frames, or plain.

use super::say;
use crate::explain::Message;

/// Prints a conflict on standard error.
pub(crate) fn print(message: &Message) {
    say(&format!("error: {}", message.render().trim_end()));
}
