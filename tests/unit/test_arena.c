/* Tests of the arena: its memory is aligned, zeroed, separate and valid until a reset. */
#include "service/arena.h"

#include <criterion/criterion.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static bool is_zero(const unsigned char *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

Test(arena, pieces_of_odd_sizes_are_aligned_for_any_type) {
    arena *memory = arena_new();
    for (size_t size = 0; size < 200; size++) {
        void *piece = arena_alloc(memory, size);
        cr_expect_eq((uintptr_t)piece % _Alignof(max_align_t), 0, "size %zu", size);
    }
    arena_free(memory);
}

Test(arena, every_byte_of_a_piece_larger_than_a_block_is_writable) {
    enum { LARGE = 1000000 };
    arena *memory = arena_new();
    unsigned char *large = arena_alloc(memory, LARGE);
    cr_assert(is_zero(large, LARGE));
    memset(large, 0x5a, LARGE);
    cr_assert_eq(large[LARGE - 1], 0x5a);
    arena_free(memory);
}

Test(arena, pieces_do_not_overlap) {
    enum { PIECES = 2000, SIZE = 33 };
    arena *memory = arena_new();
    unsigned char *pieces[PIECES];
    for (int i = 0; i < PIECES; i++) {
        pieces[i] = arena_alloc(memory, SIZE);
        memset(pieces[i], i % 251, SIZE);
    }
    for (int i = 0; i < PIECES; i++) {
        cr_assert_eq(pieces[i][0], i % 251, "piece %d", i);
        cr_assert_eq(pieces[i][SIZE - 1], i % 251, "piece %d", i);
    }
    arena_free(memory);
}

Test(arena, memory_after_a_reset_is_zero) {
    arena *memory = arena_new();
    memset(arena_alloc(memory, 5000), 0xff, 5000);
    arena_reset(memory);
    cr_assert(is_zero(arena_alloc(memory, 5000), 5000));
    arena_free(memory);
}

Test(arena, a_reset_arena_starts_again_in_its_first_block) {
    arena *memory = arena_new();
    void *first = arena_alloc(memory, 16);
    arena_alloc(memory, 100000);
    arena_alloc(memory, 300000);
    arena_reset(memory);
    cr_assert_eq(arena_alloc(memory, 16), first);
    arena_free(memory);
}

Test(arena, strndup_copies_text_without_an_end) {
    arena *memory = arena_new();
    const char text[3] = {'a', 'b', 'c'};
    cr_assert_str_eq(arena_strndup(memory, text, 2), "ab");
    arena_free(memory);
}

Test(arena, strdup_of_null_is_null) {
    arena *memory = arena_new();
    cr_assert_null(arena_strdup(memory, NULL));
    arena_free(memory);
}

Test(arena, printf_does_not_truncate_a_long_result) {
    arena *memory = arena_new();
    const char *text = arena_printf(memory, "%0*d|%s", 20000, 7, "end");
    cr_assert_eq(strlen(text), 20004);
    cr_assert_str_eq(text + 19999, "7|end");
    arena_free(memory);
}

Test(arena, freeing_null_does_nothing) {
    arena_free(NULL);
}
