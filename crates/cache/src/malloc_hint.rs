//! A hint to the allocator that many small allocations follow.

/// Makes the allocator reserve memory for many small allocations that follow, `bytes` in all.
///
/// glibc gives threads heaps of their own and grows them page by page, with a system call each: a first list
/// of 100,000 pods makes 63,000 of these, a tenth of its time. A large block that is allocated and freed
/// stays in the heap for the allocations after it. For other allocators this is one more allocation.
pub(crate) fn reserve(bytes: usize) {
    drop(std::hint::black_box(Vec::<u8>::with_capacity(bytes)));
}
