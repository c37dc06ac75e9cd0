//! Asking for memory in pieces that are not too small.

/// Makes room for what is about to be allocated in small pieces.
///
/// glibc gives threads heaps of their own, and grows these page by page, with a system call for each: a first list of
/// 100,000 pods makes 63,000 of them, which take a tenth of its time. What was asked for at once, and given back, it
/// keeps for what comes next. To other allocators this is one allocation more.
pub(crate) fn reserve(bytes: usize) {
    drop(std::hint::black_box(Vec::<u8>::with_capacity(bytes)));
}
