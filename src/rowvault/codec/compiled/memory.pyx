# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False, nonecheck=False, always_allow_keywords=True
"""What the process keeps of the memory that it frees."""




cdef extern from *:
    """
    #ifdef __GLIBC__
    #include <malloc.h>
    static void rv_keep_freed_memory(int most_kept, int mapped_from) {
        mallopt(M_TRIM_THRESHOLD, most_kept);
        mallopt(M_MMAP_THRESHOLD, mapped_from);
    }
    #else
    static void rv_keep_freed_memory(int most_kept, int mapped_from) {
        (void)most_kept, (void)mapped_from;    /* other allocators have no such bounds */
    }
    #endif
    """
    void set_memory_kept "rv_keep_freed_memory"(int most_kept, int mapped_from) noexcept nogil


cdef enum:
    MAPPED_FROM = 1 << 22   # bytes of one object: more than any batch or block has


def keep_freed_memory(int most_bytes):
    """From now on the process keeps for itself what it frees, up to so many bytes of a heap.

    A batch of rows or a block, freed, would otherwise go back to the system each time, and the next
    one cost a page fault for every 4 KiB. glibc alone has that (mallopt(3)); others do as they do.
    """
    set_memory_kept(most_bytes, MAPPED_FROM)
