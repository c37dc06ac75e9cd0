//! [`stack`], the stack of a line.

use std::backtrace::Backtrace;
use std::fmt::Write as _;

/// The function of `tracing` that the macros call: all above it is of `tracing` and of this crate.
const DISPATCH: &str = "tracing_core::event::Event::dispatch";

/// Returns the stack of the code that logs, without the frames of the log itself and without an end of line.
pub(crate) fn stack() -> String {
    callers(&Backtrace::force_capture().to_string())
}

/// The frames of a backtrace below that of `tracing`'s function; all if that is not there, as without symbols.
fn callers(backtrace: &str) -> String {
    let mut frames: Vec<String> = Vec::new();
    for line in backtrace.lines() {
        match (frame(line), frames.last_mut()) {
            (Some(function), _) => frames.push(function.to_owned()),
            // The position in the source of the frame above.
            (None, Some(frame)) => {
                frame.push('\n');
                frame.push_str(line);
            }
            (None, None) => {}
        }
    }
    let first = frames.iter().position(|frame| is_dispatch(frame)).map_or(0, |index| index + 1);
    let mut text = String::with_capacity(backtrace.len());
    for (index, frame) in frames[first..].iter().enumerate() {
        let end = if index == 0 { "" } else { "\n" };
        write!(text, "{end}{index:4}: {frame}").expect("a String takes all text");
    }
    text
}

/// The function of a line that begins a frame: `  12: shop::sync`.
fn frame(line: &str) -> Option<&str> {
    let (index, function) = line.trim_start().split_once(": ")?;
    index.bytes().all(|byte| byte.is_ascii_digit()).then_some(function)
}

/// Returns true for [`DISPATCH`] with the positions of the brackets that manglings have, but not for a closure in it.
fn is_dispatch(frame: &str) -> bool {
    let function = frame.lines().next().unwrap_or_default().replace(['<', '>'], "");
    function == DISPATCH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_begins_with_the_caller_of_the_log() {
        let backtrace = "   0: push_json\n             at ./src/layer.rs:3:5\n   1: \
            tracing_core::event::Event::dispatch::{{closure}}\n   2: <tracing_core::event::Event>::dispatch\n             at \
            ./src/event.rs:4:5\n  10: shop::sync::{{closure}}\n             at ./src/sync.rs:4:5\n  11: \
            tracing_core::event::Event::dispatch\n";
        let expected = "   0: shop::sync::{{closure}}\n             at ./src/sync.rs:4:5\n   1: \
            tracing_core::event::Event::dispatch";
        assert_eq!(callers(backtrace), expected);
        assert_eq!(callers("   0: <unknown>\n   1: <unknown>\n"), "   0: <unknown>\n   1: <unknown>");
        assert_eq!(callers("disabled backtrace"), "");
    }
}
